package login

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// module is one of the certification suite's: what it asks, as the person that
// its driver plays, by a response mode.
type module struct {
	*person
	mode string
}

// basicFlows are the modules of the suite's plans for basic and form post
// providers, each by its name.
func basicFlows(mode string) []flow {
	var all []flow
	for _, b := range slices.Concat(codeModules, identityModules, refusalModules) {
		all = append(all, flow{mode + " " + b.name, func(p *person) { b.do(module{p, mode}) }})
	}
	return all
}

type basic struct {
	name string
	do   func(m module)
}

func (m module) request(edits ...string) []string {
	return rp(append(edits, "response_mode="+m.mode)...)
}

func (m module) asks(edits ...string) program.Page { m.Helper(); return m.ask(m.request(edits...)...) }

// answer does on the pages what leads to the client, and is what the client gets.
func (m module) answer(a program.Page) url.Values {
	m.Helper()
	if a.On("login") {
		a = m.logIn(a)
	}
	if a.On("allow") {
		a = m.Press(a, "allow")
	}
	var q url.Values
	switch {
	case m.mode == "form_post" && a.On("continue"):
		f := m.Find(a, "continue")
		if f.Action != rpCB {
			m.Errorf("the form goes to %s", f.Action)
		}
		q = f.Fields
	case m.mode == "query" && a.Left():
		q = a.Query()
	default:
		m.Fatalf("the way does not lead to the client: %d %s\n%s", a.Status, a.URL, a.Body)
	}
	if q.Get("iss") != m.issuer || q.Get("state") != "s" {
		m.Errorf("the client gets %v", q)
	}
	return q
}

// signs is a whole login, with edits of the request.
func (m module) signs(edits ...string) signedIn {
	m.Helper()
	return m.signsBy(m.asks(edits...))
}

func (m module) signsBy(a program.Page) signedIn {
	m.Helper()
	return m.signedIn(m.redeemRP(m.answer(a).Get("code")))
}

// basicAuth redeems a code by client_secret_basic.
func (m module) basicAuth(code string) program.Answer {
	m.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {rpCB}}
	r, _ := http.NewRequest("POST", m.issuer+"/oauth/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("rp", webSecret)
	a, err := program.Do(http.DefaultClient, r)
	if err != nil {
		m.Fatal(err)
	}
	return a
}

// codeModules are about the flow itself.
var codeModules = []basic{
	{"oidcc-server", func(m module) {
		s := m.signedIn(m.basicAuth(m.answer(m.asks()).Get("code")))
		if s.claims["nonce"] != "n-0S6" || s.Header.Get("Cache-Control") != "no-store" || s.Header.Get("Pragma") != "no-cache" {
			m.Errorf("got %v, %v", s.claims, s.Header)
		}
	}},
	{"oidcc-server-client-secret-post", func(m module) { m.signs() }},
	{"oidcc-alternate-happy-flow", func(m module) {
		parts := strings.Split(request(m.request()...).Encode(), "&")
		slices.Reverse(parts)
		m.signsBy(m.Open("/oauth/authorize?" + strings.Join(parts, "&")))
	}},
	{"oidcc-ensure-request-with-unknown-parameter-succeeds", func(m module) { m.signs("extra=foobar") }},
	{"oidcc-ensure-post-request-succeeds", func(m module) { m.signsBy(m.Send("/oauth/authorize", request(m.request()...))) }},
	{"oidcc-ensure-request-without-nonce-succeeds-for-code-flow", func(m module) {
		if s := m.signs("nonce"); s.claims["nonce"] != nil {
			m.Errorf("got %v", s.claims)
		}
	}},
	{"oidcc-ensure-request-with-valid-pkce-succeeds", func(m module) {
		code := m.answer(m.asks("code_challenge="+challenge, "code_challenge_method=S256")).Get("code")
		m.signedIn(m.redeemRP(code, "code_verifier="+verifier))
	}},
	{"oidcc-idtoken-signature oidcc-idtoken-unsigned", func(m module) {
		if s := m.signs(); s.header["alg"] != "RS256" || lists(m.discovery(), "id_token_signing_alg_values_supported", "none") {
			m.Errorf("got %v", s.header)
		}
	}},
	{"oidcc-codereuse oidcc-codereuse-30seconds", func(m module) {
		code := m.answer(m.asks()).Get("code")
		s := m.signedIn(m.redeemRP(code))
		if a := m.redeemRP(code); a.Status != 400 || !strings.Contains(a.Body, "invalid_grant") {
			m.Errorf("used again: %d %s", a.Status, a.Body)
		}
		m.refusedWithin(s.Access, "used again")
	}},
	{"oidcc-refresh-token", func(m module) {
		s := m.signs("scope=openid email")
		refresh := func(edits ...string) program.Answer {
			form := url.Values{"grant_type": {"refresh_token"}, "client_id": {"rp"}, "client_secret": {webSecret}, "refresh_token": {s.Refresh}}
			for _, edit := range edits {
				name, value, _ := strings.Cut(edit, "=")
				form.Set(name, value)
			}
			a, err := program.Post(http.DefaultClient, m.issuer+"/oauth/token", form)
			if err != nil {
				m.Fatal(err)
			}
			return a
		}
		if a := refresh("client_id=web"); a.Status != 400 || !strings.Contains(a.Body, "invalid_grant") {
			m.Errorf("by another client: %d %s", a.Status, a.Body)
		}
		s = m.signs("scope=openid email")
		if a := refresh("scope=openid email profile"); a.Status != 400 || !strings.Contains(a.Body, "invalid_scope") {
			m.Errorf("a wider scope: %d %s", a.Status, a.Body)
		}
		next := m.signedIn(refresh())
		for _, name := range []string{"iss", "sub", "aud", "auth_time"} {
			if next.claims[name] != s.claims[name] {
				m.Errorf("%s is %v, and was %v", name, next.claims[name], s.claims[name])
			}
		}
	}},
}

// identityModules are about who the person is, and how they are asked.
var identityModules = []basic{
	{"oidcc-userinfo-get oidcc-userinfo-post-header oidcc-userinfo-post-body", func(m module) {
		s := m.signs()
		header := http.Header{"Authorization": {"Bearer " + s.Access}}
		for _, method := range []string{"GET", "POST"} {
			if a := m.userInfoBy(method, header, ""); a.Status != 200 || object(m.T, a.Body)["sub"] != s.claims["sub"] {
				m.Errorf("%s: %d %s", method, a.Status, a.Body)
			}
		}
		if a := m.userInfoBy("POST", http.Header{}, "access_token="+s.Access); a.Status/100 != 4 { // which the module skips
			m.Errorf("in the body: %d %s", a.Status, a.Body)
		}
	}},
	{"oidcc-scope-profile oidcc-scope-email oidcc-scope-all", func(m module) {
		about := m.userInfo(m.signs("scope=openid profile email").Access)
		if about["preferred_username"] != m.name || about["email"] != m.name+"@example.com" || about["email_verified"] != false ||
			reflect.TypeOf(about["updated_at"]) != reflect.TypeFor[float64]() {
			m.Errorf("got %v", about)
		}
	}},
	{"oidcc-scope-address oidcc-scope-phone", func(m module) {
		for _, scope := range []string{"address", "phone"} {
			if lists(m.discovery(), "scopes_supported", scope) {
				m.Errorf("%s is offered", scope)
			}
			if s := m.signs("scope=openid " + scope); !strings.Contains(s.Body, `"scope":"openid"`) {
				m.Errorf("%s: %s", scope, s.Body)
			}
		}
	}},
	{"oidcc-display-page oidcc-display-popup oidcc-ui-locales oidcc-claims-locales oidcc-login-hint oidcc-ensure-request-with-acr-values-succeeds", func(m module) {
		for _, edit := range []string{"display=page", "display=popup", "ui_locales=se", "claims_locales=se", "login_hint=buffy@example.com", "acr_values=aal1", "acr_values=1 2"} {
			if s := m.elsewhere().in(m).signs(edit); s.claims["acr"] != "aal1" {
				m.Errorf("%s: acr %v", edit, s.claims["acr"])
			}
		}
	}},
	{"oidcc-prompt-login", func(m module) { m.again(true, "prompt=login") }},
	{"oidcc-max-age-1", func(m module) { m.again(true, "max_age=1") }},
	{"oidcc-max-age-10000", func(m module) { m.again(false, "max_age=10000") }},
	{"oidcc-prompt-none-logged-in", func(m module) { m.again(false, "prompt=none") }},
	{"oidcc-prompt-none-not-logged-in", func(m module) {
		if q := m.answer(m.asks("prompt=none")); q.Get("error") != "login_required" || q.Has("code") {
			m.Errorf("got %v", q)
		}
	}},
	{"oidcc-id-token-hint", func(m module) {
		first := m.signs()
		if s := m.signs("prompt=none", "id_token_hint="+first.id); s.claims["sub"] != first.claims["sub"] {
			m.Errorf("got %v", s.claims)
		}
	}},
	{"oidcc-claims-essential", func(m module) {
		root := m.browserOf(m.T, rootName).in(m) // who has a name
		s := root.signs(`claims={"userinfo":{"name":{"essential":true}}}`)
		if about := root.userInfo(s.Access); about["name"] != "Root Example" {
			m.Errorf("got %v", about)
		}
		m.signs(`claims={"userinfo":{"name":{"essential":true}}}`) // and who has not
	}},
}

// refusalModules are about requests that are refused.
var refusalModules = []basic{
	{"oidcc-response-type-missing", func(m module) {
		if q := m.answer(m.asks("response_type")); q.Get("error") != "invalid_request" {
			m.Errorf("got %v", q)
		}
	}},
	{"oidcc-ensure-registered-redirect-uri oidcc-ensure-request-object-with-redirect-uri", func(m module) {
		for _, edits := range [][]string{{"redirect_uri=https://rp.test/cb/x"}, {"redirect_uri=https://rp.test/cb/x", "request=eyJhbGciOiJub25lIn0.e30."}} {
			if a := m.asks(edits...); a.Status != 400 || a.Left() || !saysNo(a.Body) {
				m.Errorf("%q: %d %s", edits, a.Status, a.Body)
			}
		}
		if q := m.answer(m.asks("request=eyJhbGciOiJub25lIn0.e30.")); q.Get("error") != "request_not_supported" {
			m.Errorf("got %v", q)
		}
	}},
	{"oidcc-request-uri-unsigned oidcc-unsigned-request-object", func(m module) {
		for edit, want := range map[string]string{
			"request_uri=https://rp.test/requests/1": "request_uri_not_supported", "request=eyJhbGciOiJub25lIn0.e30.": "request_not_supported",
		} {
			if q := m.answer(m.asks(edit)); q.Get("error") != want {
				m.Errorf("%s: %v", edit, q)
			}
		}
	}},
}

// in is the person in a module.
func (p *person) in(m module) module { return module{p, m.mode} }

// again logs in, and asks a second time, more than a second later, in the same
// browser: with the form, or without it.
func (m module) again(form bool, edit string) {
	m.Helper()
	before := m.signs()
	time.Sleep(2100 * time.Millisecond) // max_age and auth_time are in seconds
	a := m.asks(edit)
	if a.On("login") != form {
		m.Fatalf("%s: %d %s", edit, a.Status, a.Body)
	}
	after := m.signsBy(a)
	was, now := before.claims["auth_time"].(float64), after.claims["auth_time"].(float64)
	if after.claims["sub"] != before.claims["sub"] || now > was != form || now < was {
		m.Errorf("%s: %v, and before %v", edit, after.claims, before.claims)
	}
}
