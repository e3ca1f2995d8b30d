package login

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// openidFlows are about what a relying party hears of the person.
var openidFlows = []flow{
	{"OID-001 OID-002 the ID token of a code, and of a refresh", func(p *person) {
		s := p.signIn("nonce=ü &n")
		sum := sha256.Sum256([]byte(s.Access))
		want := map[string]any{
			"iss": p.issuer, "aud": "rp", "nonce": "ü &n", "acr": "aal1", "amr": []any{"pwd"}, "sid": p.claims(s.Access).Sid,
			"auth_time": float64(p.claims(s.Access).AuthTime), "at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
			"sub": s.claims["sub"], "exp": s.claims["exp"], "iat": s.claims["iat"],
		}
		if !maps.EqualFunc(want, s.claims, func(a, b any) bool { return reflect.DeepEqual(a, b) }) {
			p.Errorf("got %v, want %v", s.claims, want)
		}
		if s.header["typ"] != "JWT" || p.api(s.id) != 401 {
			p.Errorf("typ %v; the API answers %d to an ID token", s.header["typ"], p.api(s.id))
		}
		time.Sleep(time.Second) // iat is in seconds
		form := url.Values{"grant_type": {"refresh_token"}, "client_id": {"rp"}, "client_secret": {webSecret}, "refresh_token": {s.Refresh}}
		a, err := program.Post(http.DefaultClient, p.issuer+"/oauth/token", form)
		next := p.signedIn(program.Must(p.T, 200, a, err))
		for _, name := range []string{"iss", "sub", "aud", "auth_time", "sid"} {
			if next.claims[name] == nil || next.claims[name] != s.claims[name] {
				p.Errorf("refreshed: %s is %v, and was %v", name, next.claims[name], s.claims[name])
			}
		}
		if next.claims["nonce"] != nil || next.claims["iat"].(float64) <= s.claims["iat"].(float64) {
			p.Errorf("refreshed: %v", next.claims)
		}
	}},
	{"OID-003 userinfo", func(p *person) {
		first := p.signIn()
		for scope, want := range map[string][]string{
			"openid":               {"sub"},
			"openid profile":       {"sub", "name", "preferred_username", "updated_at"},
			"openid email":         {"sub", "email", "email_verified"},
			"openid profile email": {"sub", "name", "preferred_username", "updated_at", "email", "email_verified"},
		} {
			s := p.signIn("scope=" + scope)
			for method, header := range map[string]http.Header{"GET": {}, "POST": {"Content-Type": {"application/x-www-form-urlencoded"}}} {
				header.Set("Authorization", "Bearer "+s.Access)
				a := p.userInfoBy(method, header, "")
				got := object(p.T, a.Body)
				for name := range got {
					if !slices.Contains(want, name) {
						p.Errorf("%s by %s: it has %s", scope, method, name)
					}
				}
				for _, name := range want {
					if got[name] == nil && name != "name" { // which is not known of this person
						p.Errorf("%s by %s: it has no %s", scope, method, name)
					}
				}
				if a.Status != 200 || got["sub"] != first.claims["sub"] || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") ||
					a.Header.Get("Cache-Control") != "no-store" {
					p.Errorf("%s by %s: %d %v", scope, method, a.Status, a.Header)
				}
			}
		}
		read := p.redeemRP(p.code(p.through(p.ask(rp("scope=read")...))))
		if a := p.userInfoBy("GET", http.Header{"Authorization": {"Bearer " + read.Access}}, ""); a.Status != 403 ||
			!strings.Contains(a.Header.Get("WWW-Authenticate"), `error="insufficient_scope"`) {
			p.Errorf("without openid: %d %s", a.Status, a.Header.Get("WWW-Authenticate"))
		}
		for name, tc := range map[string]struct {
			header http.Header
			body   string
			status int
			want   string
		}{
			"no token":         {http.Header{}, "", 401, "Bearer"},
			"an ID token":      {http.Header{"Authorization": {"Bearer " + first.id}}, "", 401, `error="invalid_token"`},
			"a refresh token":  {http.Header{"Authorization": {"Bearer " + first.Refresh}}, "", 401, `error="invalid_token"`},
			"two tokens":       {http.Header{"Authorization": {"Bearer " + first.Access, "Bearer " + first.Access}}, "", 400, `error="invalid_request"`},
			"one in the body":  {http.Header{}, "access_token=" + first.Access, 401, "Bearer"},
			"one in the query": {http.Header{"Query": {"access_token=" + first.Access}}, "", 401, "Bearer"},
		} {
			for _, method := range []string{"GET", "POST"} {
				a := p.userInfoBy(method, tc.header, tc.body)
				if a.Status != tc.status || !strings.Contains(a.Header.Get("WWW-Authenticate"), tc.want) {
					p.Errorf("%s by %s: %d %q", name, method, a.Status, a.Header.Get("WWW-Authenticate"))
				}
			}
		}
		revoked, err := program.Post(http.DefaultClient, p.issuer+"/oauth/revoke", url.Values{"client_id": {"rp"}, "client_secret": {webSecret}, "token": {first.Refresh}})
		program.Must(p.T, 200, revoked, err)
		if a := p.userInfoBy("GET", http.Header{"Authorization": {"Bearer " + first.Access}}, ""); a.Status != 401 {
			p.Errorf("an ended token: %d %s", a.Status, a.Body)
		}
	}},
	{"OID-004 oidcc-discovery-endpoint-verification oidcc-rp-initiated-logout-discovery-endpoint-verification", func(p *person) {
		d := p.discovery()
		a, err := program.Get(http.DefaultClient, p.issuer+"/.well-known/oauth-authorization-server", "")
		program.Must(p.T, 200, a, err)
		for name, value := range object(p.T, a.Body) {
			if there, ok := d[name]; ok && !reflect.DeepEqual(value, there) {
				p.Errorf("%s is %v in one document and %v in the other", name, value, there)
			}
		}
		for member, value := range map[string]string{
			"id_token_signing_alg_values_supported": "RS256", "subject_types_supported": "public", "scopes_supported": "openid",
			"response_types_supported": "code", "claims_supported": "sub", "grant_types_supported": "authorization_code",
			"token_endpoint_auth_methods_supported": "client_secret_basic", "acr_values_supported": "aal1", "response_modes_supported": "form_post",
		} {
			if !lists(d, member, value) {
				p.Errorf("%s has no %s: %v", member, value, d[member])
			}
		}
		if d["issuer"] != p.issuer || lists(d, "id_token_signing_alg_values_supported", "none") {
			p.Errorf("got %v", d)
		}
		for name, value := range d {
			address, _ := value.(string)
			if !strings.HasSuffix(name, "_endpoint") && name != "jwks_uri" {
				continue
			}
			if !strings.HasPrefix(address, p.issuer+"/") {
				p.Errorf("%s is %q", name, address)
			}
			a, err := program.Get(http.DefaultClient, address, "")
			if err != nil || a.Status == 404 || a.Status >= 500 {
				p.Errorf("%s: %d %v", name, a.Status, err)
			}
		}
		for _, name := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "end_session_endpoint", "jwks_uri"} {
			if d[name] == nil {
				p.Errorf("no %s", name)
			}
		}
		r, _ := http.NewRequest("GET", p.issuer+"/.well-known/openid-configuration", nil)
		r.Host = "evil.test"
		if a := p.One(r); strings.Contains(a.Body, "evil") || a.Status == 200 && object(p.T, a.Body)["issuer"] != p.issuer {
			p.Errorf("under another Host: %s", a.Body)
		}
	}},
	{"OID-005 claims by name", func(p *person) {
		s := p.signIn(`claims={"id_token":{"email":null,"auth_time":{"essential":true}},"userinfo":{"preferred_username":null}}`)
		about := p.userInfo(s.Access)
		if s.claims["email"] != p.name+"@example.com" || s.claims["auth_time"] == nil || s.claims["preferred_username"] != nil ||
			about["preferred_username"] != p.name || about["email"] != nil {
			p.Errorf("ID token %v, userinfo %v", s.claims, about)
		}
		for _, bad := range []string{"x", "[]", `{"userinfo":[]}`, `{"id_token":{"email":1}}`, strings.Repeat(" ", 100) + "{"} {
			if a := p.ask(rp("claims=" + bad)...); a.Query().Get("error") != "invalid_request" || a.Query().Get("state") != "s" {
				p.Errorf("%s: %d %s", bad, a.Status, a.URL)
			}
		}
		if a := p.ask(rp(`claims={"userinfo":{"` + strings.Repeat("x", 8<<10) + `":null}}`)...); a.Status != 400 || a.Left() {
			p.Errorf("claims of 8 KiB: %d %s", a.Status, a.URL)
		}
	}},
	{"OID-006 hints", func(p *person) {
		a := p.ask(rp("login_hint="+p.name, "ui_locales=fr de en", "display=popup", "acr_values=aal1 aal2")...)
		if !a.On("login") || p.Find(a, "login").Fields.Get("username") != p.name || !strings.Contains(a.Body, `lang="de"`) {
			p.Fatalf("%d %s", a.Status, a.Body)
		}
		mine := p.signedIn(p.redeemRP(p.code(p.through(a))))
		if mine.claims["acr"] != "aal1" {
			p.Errorf("acr %v", mine.claims["acr"])
		}
		p.code(p.ask(rp("prompt=none", "id_token_hint="+mine.id)...))
		other := p.someone(p.T)
		theirs := other.signIn()
		if a := p.ask(rp("prompt=none", "id_token_hint="+theirs.id)...); a.Query().Get("error") != "login_required" {
			p.Errorf("a hint of another user: %d %s", a.Status, a.URL)
		}
		for _, edit := range []string{"max_age=-1", "id_token_hint=" + mine.Access} {
			if a := p.ask(rp(edit)...); a.Query().Get("error") != "invalid_request" {
				p.Errorf("%.20s: %d %s", edit, a.Status, a.URL)
			}
		}
	}},
	{"OID-007 request objects", func(p *person) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			p.Fatal(err)
		}
		defer l.Close()
		asked := make(chan struct{}, 1)
		go func() {
			if c, err := l.Accept(); err == nil {
				c.Close()
				asked <- struct{}{}
			}
		}()
		for edit, want := range map[string]string{
			"request=eyJhbGciOiJub25lIn0.e30.":                      "request_not_supported",
			"request_uri=https://" + l.Addr().String() + "/request": "request_uri_not_supported",
			"request_uri=http://" + l.Addr().String() + "/request":  "request_uri_not_supported",
		} {
			if a := p.ask(rp(edit)...); a.Query().Get("error") != want || a.Query().Get("state") != "s" || a.Query().Get("iss") != p.issuer {
				p.Errorf("%s: %d %s", edit, a.Status, a.URL)
			}
		}
		select {
		case <-asked:
			p.Error("the address was asked")
		default:
		}
	}},
	{"OID-010 a password with the scope openid", func(p *person) {
		form := program.Login("rp", p.name, phrase)
		form.Set("client_secret", webSecret)
		form.Set("scope", "openid")
		a, err := program.Post(http.DefaultClient, p.issuer+"/oauth/token", form)
		s := p.signedIn(program.Must(p.T, 200, a, err))
		if !reflect.DeepEqual(s.claims["amr"], []any{"pwd"}) || s.claims["nonce"] != nil || s.claims["auth_time"] == nil {
			p.Errorf("got %v", s.claims)
		}
		if about := p.userInfo(s.Access); about["sub"] != s.claims["sub"] {
			p.Errorf("userinfo %v", about)
		}
	}},
	{"OID-014 groups are the roles", func(p *person) {
		s := p.signIn("scope=openid groups")
		want := []any{"user"}
		if about := p.userInfo(s.Access); !reflect.DeepEqual(about["groups"], want) || !reflect.DeepEqual(s.claims["groups"], want) || about["roles"] != nil {
			p.Errorf("ID token %v, userinfo %v", s.claims, about)
		}
	}},
}

// userInfoBy asks userinfo. The header Query is none: it stands in the address.
func (p *person) userInfoBy(method string, header http.Header, body string) program.Page {
	p.Helper()
	r, err := http.NewRequest(method, p.issuer+"/oauth/userinfo?"+header.Get("Query"), strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	r.Header = header.Clone()
	r.Header.Del("Query")
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return p.browserOf(p.T, p.name).One(r)
}
