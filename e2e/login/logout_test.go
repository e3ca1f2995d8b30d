package login

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// logoutFlows are about logouts that a relying party asks for.
var logoutFlows = []flow{
	{"OUT-001 oidcc-rp-initiated-logout oidcc-rp-initiated-logout-no-state", func(p *person) {
		first, second, shop := p.signIn(), p.signIn(), p.tokens()
		other := p.elsewhere()
		elsewhere := other.signIn()
		a := p.leave("id_token_hint", first.id, "post_logout_redirect_uri", rpBye, "state", "ü &=+")
		if a.Status != 303 || a.URL.String() != rpBye+"?state="+url.QueryEscape("ü &=+") || p.cookie() != "" {
			p.Errorf("%d %s, cookie %q", a.Status, a.URL, p.cookie())
		}
		for name, access := range map[string]string{"the hint's": first.Access, "a second": second.Access, "another client's": shop.Access} {
			p.refusedWithin(access, name)
		}
		if a := p.refresh(shop.Refresh); a.Status != 400 {
			p.Errorf("the session of another client goes on: %d", a.Status)
		}
		if p.here() {
			p.Error("the browser is logged in")
		}
		if p.api(elsewhere.Access) != 200 || !other.here() {
			p.Error("another browser is logged out")
		}
		// Who has logged out already is sent on too, and nothing is added.
		if a := p.leave("id_token_hint", first.id, "post_logout_redirect_uri", rpBye); a.Status != 303 || a.URL.String() != rpBye {
			p.Errorf("without a state, again: %d %s", a.Status, a.URL)
		}
	}},
	{"OUT-002 no redirect to whom it was not promised", func(p *person) {
		s := p.signIn()
		parts := strings.Split(s.id, ".")
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			p.Fatal(err)
		}
		forge := func(iss string) string {
			token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"iss": iss, "sub": s.claims["sub"], "aud": "rp", "sid": s.sid(), "exp": s.claims["exp"], "iat": s.claims["iat"]})
			token.Header["kid"] = s.header["kid"]
			text, err := token.SignedString(key)
			if err != nil {
				p.Fatal(err)
			}
			return text
		}
		none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
		for name, pairs := range map[string][]string{
			"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri":            {"id_token_hint", s.id, "post_logout_redirect_uri", "https://rp.test/other"},
			"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": {"id_token_hint", s.id, "post_logout_redirect_uri", rpBye + "?x=y"},
			"oidcc-rp-initiated-logout-no-id-token-hint":                        {"post_logout_redirect_uri", rpBye},
			"oidcc-rp-initiated-logout-modified-id-token-hint":                  {"id_token_hint", none, "post_logout_redirect_uri", rpBye},
			"oidcc-rp-initiated-logout-bad-id-token-hint":                       {"id_token_hint", forge(p.issuer), "post_logout_redirect_uri", rpBye},
			"another issuer's hint":                                             {"id_token_hint", forge("https://evil.test"), "post_logout_redirect_uri", rpBye},
			"an access token as a hint":                                         {"id_token_hint", s.Access, "post_logout_redirect_uri", rpBye},
			"the redirect URI":                                                  {"id_token_hint", s.id, "post_logout_redirect_uri", rpCB},
			"another client":                                                    {"id_token_hint", s.id, "client_id", "web", "post_logout_redirect_uri", rpBye},
			"an unknown client":                                                 {"client_id", "nobody", "post_logout_redirect_uri", rpBye},
		} {
			a := p.leave(append(pairs, "state", "s")...)
			if a.Left() || a.Status != 400 || !strings.Contains(a.Header.Get("Content-Type"), "text/html") || !saysNo(a.Body) {
				p.Errorf("%s: %d %s %s", name, a.Status, a.URL, a.Body)
			}
			if p.api(s.Access) != 200 {
				p.Fatalf("%s: it ends something", name)
			}
		}
		if !p.here() {
			p.Error("the browser is logged out")
		}
	}},
	{"OUT-003 a logout without a hint asks first", func(p *person) {
		s := p.signIn()
		p.Header = http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Dest": {"document"}, "Referer": {"https://evil.test/"}}
		for name, pairs := range map[string][]string{
			"nothing": {}, "a state": {"state", "s"}, "a client": {"client_id", "rp", "post_logout_redirect_uri", rpBye},
		} {
			if a := p.leave(pairs...); !a.On("logout") {
				p.Errorf("%s: %d %s", name, a.Status, a.URL)
			}
		}
		theirs := p.someone(p.T).signIn() // a hint that is not this browser's
		asked := p.leave("id_token_hint", theirs.id, "post_logout_redirect_uri", rpBye, "state", "x")
		if !asked.On("logout") {
			p.Fatalf("somebody else's hint: %d %s", asked.Status, asked.URL)
		}
		f := p.Find(asked, "logout") // another site may send it, but not answer it
		r, _ := http.NewRequest("POST", p.issuer+f.Action, strings.NewReader(url.Values{"act": {"logout"}}.Encode()))
		r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {"https://evil.test"}}
		if a := p.One(r); a.Status != 403 {
			p.Errorf("answered by another site: %d %s", a.Status, a.Body)
		}
		p.Header = http.Header{}
		if p.api(s.Access) != 200 || !p.here() {
			p.Fatal("something has ended before the answer")
		}
		if a := p.Press(asked, "stay"); a.Status != 200 || p.api(s.Access) != 200 {
			p.Errorf("stayed: %d, the API %d", a.Status, p.api(s.Access))
		}
		if a := p.Press(asked, "logout"); a.Status != 303 || a.URL.String() != rpBye+"?state=x" {
			p.Errorf("answered: %d %s", a.Status, a.URL)
		}
		p.refusedWithin(s.Access, "logged out")
		if p.here() {
			p.Error("the browser is logged in")
		}
	}},
	{"OUT-004 offline access outlives the logout", func(p *person) {
		one := p.signIn("scope=openid offline_access", "prompt=consent")
		two := p.signIn("scope=openid offline_access", "prompt=consent")
		online := p.signIn("scope=openid offline_access") // without consent there is none
		if strings.Contains(online.Body, "offline_access") || !strings.Contains(one.Body, "offline_access") {
			p.Fatalf("got %s and %s", online.Body, one.Body)
		}
		if a := p.leave("id_token_hint", one.id, "post_logout_redirect_uri", rpBye); a.Status != 303 || p.here() {
			p.Fatalf("%d %s", a.Status, a.URL)
		}
		p.refusedWithin(online.Access, "the session without it")
		if p.api(one.Access) != 200 || p.api(two.Access) != 200 {
			p.Error("its access token is refused")
		}
		form := url.Values{"grant_type": {"refresh_token"}, "client_id": {"rp"}, "client_secret": {webSecret}, "refresh_token": {one.Refresh}}
		a, err := program.Post(http.DefaultClient, p.issuer+"/oauth/token", form)
		next := p.signedIn(program.Must(p.T, 200, a, err))
		a, err = program.Post(http.DefaultClient, p.issuer+"/oauth/revoke", url.Values{"client_id": {"rp"}, "client_secret": {webSecret}, "token": {next.Refresh}})
		program.Must(p.T, 200, a, err)
		p.refusedWithin(next.Access, "revoked")

		list := p.logIn(p.Open("/account/sessions"))
		for _, f := range list.Forms("end") {
			if f.Fields.Get("sid") == two.sid() {
				p.Send("/account/sessions", f.Fields)
			}
		}
		p.refusedWithin(two.Access, "ended in the account")
	}},
	{"OUT-001 a logout that another site posts comes again by GET", func(p *person) {
		s := p.signIn()
		form := url.Values{"id_token_hint": {s.id}, "post_logout_redirect_uri": {rpBye}, "state": {"s"}}
		r, _ := http.NewRequest("POST", p.issuer+"/oauth/logout", strings.NewReader(form.Encode()))
		r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://rp.test"}, "Sec-Fetch-Dest": {"document"}}
		a := p.browserOf(p.T, p.name).One(r) // SameSite=Lax: that POST has no cookie
		if a.Status != 303 || !strings.HasPrefix(a.Header.Get("Location"), "/oauth/logout?") && !strings.HasPrefix(a.Header.Get("Location"), p.issuer) {
			p.Fatalf("%d %s", a.Status, a.Header.Get("Location"))
		}
		if p.api(s.Access) != 200 {
			p.Error("the POST alone has ended it")
		}
		if a := p.Open(a.Header.Get("Location")); a.Status != 303 || a.URL.String() != rpBye+"?state=s" {
			p.Errorf("%d %s", a.Status, a.URL)
		}
		p.refusedWithin(s.Access, "logged out")
	}},
}

// endFlows are what the certification suite's plan for RP-initiated logout asks
// beside logoutFlows: its modules are named.
var endFlows = []flow{
	{"oidcc-rp-initiated-logout-no-params", func(p *person) { p.endsHere() }},
	{"oidcc-rp-initiated-logout-only-state", func(p *person) { p.endsHere("state", "s") }},
	{"oidcc-rp-initiated-logout-no-post-logout-redirect-uri", func(p *person) {
		s := p.signIn()
		if a := p.leave("id_token_hint", s.id, "state", "s"); a.Status != 200 || !strings.Contains(a.Body, "logged out") || p.here() {
			p.Errorf("%d %s", a.Status, a.Body)
		}
	}},
}

// endsHere is a logout that is asked for, confirmed, and leads nowhere.
func (p *person) endsHere(pairs ...string) {
	p.Helper()
	p.signIn()
	a := p.Press(p.leave(pairs...), "logout")
	if a.Status != 200 || !strings.Contains(a.Body, "logged out") || p.here() {
		p.Errorf("%d %s", a.Status, a.Body)
	}
	if a := p.leave(pairs...); a.Status != 200 || !strings.Contains(a.Body, "logged out") {
		p.Errorf("by who is logged out: %d %s", a.Status, a.Body)
	}
}

// saysNo reports whether a page says, in a word that a test driver can wait for,
// that it does not go on.
func saysNo(body string) bool {
	for _, word := range []string{"error", "cannot", "not valid", "invalid"} {
		if _, main, _ := strings.Cut(body, "<main"); strings.Contains(main, word) {
			return true
		}
	}
	return false
}
