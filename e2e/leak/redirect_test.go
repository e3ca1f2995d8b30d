package leak

import (
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// logIn logs in by redirect, with a request that was pushed, and keeps what went
// through the browser: request_uri, tw, what the consent page has shown, cookie, code.
func (r *run) logIn() {
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	keep := func(what, secret string) string {
		r.t.Helper()
		if len(secret) < 40 {
			r.t.Fatalf("no %s: %q", what, secret)
		}
		r.secrets[what], r.secrets["end of the "+what] = secret, secret[len(secret)-40:]
		return secret
	}
	field := func(a program.Answer, name string) string {
		m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(a.Body)
		if m == nil {
			r.t.Fatalf("no %s on %s", name, a.Body)
		}
		return html.UnescapeString(m[1])
	}
	app := url.Values{"client_id": {"app"}, "client_secret": {appSecret}, "response_type": {"code"}, "redirect_uri": {"https://app.test/cb"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}}
	a, err := program.Post(browser, r.Base+"/oauth/par", app)
	a = program.Must(r.t, 201, a, err)
	uri := regexp.MustCompile(`urn:[^"]*`).FindString(a.Body)
	keep("request_uri", uri)
	address := r.Base + "/oauth/authorize?" + url.Values{"client_id": {"app"}, "request_uri": {uri}}.Encode()
	a, err = program.Get(browser, address, "")
	a = program.Must(r.t, 200, a, err)
	form := url.Values{"tw": {keep("tw", field(a, "tw"))}, "username": {"alice"}, "password": {"misplaced-password-of-alice"}, "act": {"login"}}
	r.secrets["wrong password on a page"] = "misplaced-password-of-alice"
	a, err = program.Post(browser, address, form)
	program.Must(r.t, 400, a, err)
	form.Set("password", phrase)
	a, err = program.Post(browser, address, form)
	a = program.Must(r.t, 303, a, err)
	cookie, _, _ := strings.Cut(a.Header.Get("Set-Cookie"), ";")
	keep("cookie", cookie[strings.Index(cookie, "=")+1:])
	a, err = program.Get(browser, r.Base+a.Header.Get("Location"), "")
	a = program.Must(r.t, 200, a, err)
	form = url.Values{"tw": {field(a, "tw")}, "shown": {keep("shown", field(a, "shown"))}, "act": {"allow"}}
	a, err = program.Post(browser, address, form)
	a = program.Must(r.t, 303, a, err)
	a, err = program.Get(browser, r.Base+a.Header.Get("Location"), "")
	a = program.Must(r.t, 303, a, err)
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil {
		r.t.Fatal(err)
	}
	code := keep("code", to.Query().Get("code"))
	redemption := url.Values{"grant_type": {"authorization_code"}, "client_id": {"app"}, "client_secret": {appSecret},
		"redirect_uri": {"https://app.test/cb"}, "code": {code}, "code_verifier": {"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}}
	a, err = program.Post(r.client, r.Base+"/oauth/token", redemption)
	r.keep("redemption", a, err)
	a, err = program.Post(r.client, r.Base+"/oauth/token", redemption) // reuse, which is logged
	program.Must(r.t, 400, a, err)
}
