package login

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/tokenwright/tokenwright/e2e/program"
)

const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // of RFC 7636 appendix B
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	webCB     = "https://web.test/cb?a=b"
)

// request is a good authorization request of the client web, with parameters set,
// or with + in front, added. One without a value is taken out.
func request(edits ...string) url.Values {
	form := url.Values{
		"client_id": {"web"}, "redirect_uri": {webCB}, "response_type": {"code"}, "scope": {"read"}, "state": {"s"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for _, edit := range edits {
		name, value, given := strings.Cut(edit, "=")
		switch added, add := strings.CutPrefix(name, "+"); {
		case add:
			form.Add(added, value)
		case given:
			form.Set(name, value)
		default:
			form.Del(name)
		}
	}
	return form
}

// ask sends an authorization request by GET.
func (p *person) ask(edits ...string) program.Page {
	p.Helper()
	return p.Open("/oauth/authorize?" + request(edits...).Encode())
}

// logIn fills in a login page.
func (p *person) logIn(a program.Page) program.Page {
	p.Helper()
	return p.LogIn(a, p.name, phrase)
}

// through does on the pages of a request what leads to the client.
func (p *person) through(a program.Page) program.Page {
	p.Helper()
	return p.Through(a, p.name, phrase)
}

// code is that of an answer.
func (p *person) code(a program.Page) string {
	p.Helper()
	if a.Query().Get("code") == "" {
		p.Fatalf("no code in %s", a.URL)
	}
	return a.Query().Get("code")
}

// redeem sends a code of the client web's to the token endpoint.
func (p *person) redeem(code string, edits ...string) program.Answer {
	p.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"web"}, "client_secret": {webSecret}, "code": {code},
		"redirect_uri": {webCB}, "code_verifier": {verifier},
	}
	for _, edit := range edits {
		name, value, given := strings.Cut(edit, "=")
		if form.Set(name, value); !given {
			form.Del(name)
		}
	}
	a, err := program.Post(http.DefaultClient, p.issuer+"/oauth/token", form)
	if err != nil {
		p.Fatal(err)
	}
	return a
}

// tokens are those of a whole login for the client web.
func (p *person) tokens(edits ...string) program.Answer {
	p.Helper()
	a := p.redeem(p.code(p.through(p.ask(edits...))))
	return program.Must(p.T, 200, a, nil)
}

// refresh is one by the client web.
func (p *person) refresh(token string) program.Answer {
	p.Helper()
	a, err := program.Post(http.DefaultClient, p.issuer+"/oauth/token", url.Values{
		"grant_type": {"refresh_token"}, "client_id": {"web"}, "client_secret": {webSecret}, "refresh_token": {token},
	})
	if err != nil {
		p.Fatal(err)
	}
	return a
}

// api is the status of a call with an access token.
func (p *person) api(token string) int {
	p.Helper()
	a, err := program.Get(http.DefaultClient, p.issuer+"/api/private", token)
	if err != nil {
		p.Fatal(err)
	}
	return a.Status
}

// cookie is the value of the browser session's.
func (p *person) cookie() string {
	u, _ := url.Parse(p.issuer)
	for _, c := range p.Client.Jar.Cookies(u) {
		if strings.HasPrefix(c.Name, "tw-") {
			return c.Value
		}
	}
	return ""
}

func postJSON(address, body string) (program.Answer, error) {
	r, err := http.NewRequest("POST", address, strings.NewReader(body))
	if err != nil {
		return program.Answer{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	return program.Do(http.DefaultClient, r)
}
