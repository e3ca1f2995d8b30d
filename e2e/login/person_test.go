package login

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"

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

// page is what a browser shows in the end.
type page struct {
	program.Answer
	url *url.URL // what it was asked by; where another host or scheme follows, that
}

// left reports whether the browser was sent to somebody else's address.
func (a page) left() bool { return a.Status/100 == 3 }

// q are the parameters that the client gets.
func (a page) q() url.Values { return a.url.Query() }

// open asks for an address as a link does.
func (p *person) open(address string) page {
	p.Helper()
	r, err := http.NewRequestWithContext(p.Context(), "GET", p.absolute(address), nil)
	if err != nil {
		p.Fatal(err)
	}
	return p.follow(r)
}

// send posts a form.
func (p *person) send(address string, form url.Values) page {
	p.Helper()
	r, err := http.NewRequestWithContext(p.Context(), "POST", p.absolute(address), strings.NewReader(form.Encode()))
	if err != nil {
		p.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.follow(r)
}

func (p *person) absolute(address string) string {
	if strings.HasPrefix(address, "/") {
		return p.issuer + address
	}
	return address
}

// follow goes where redirects lead, and stops before somebody else's address.
func (p *person) follow(r *http.Request) page {
	p.Helper()
	for range 10 {
		a := p.one(r)
		if a.Status/100 != 3 {
			return a
		}
		if a.Status != http.StatusSeeOther || a.Header.Get("Cache-Control") != "no-store" {
			p.Errorf("AUT-008, AUT-023: %s %s is answered with %d, Cache-Control %q", r.Method, r.URL.Path, a.Status, a.Header.Get("Cache-Control"))
		}
		to, err := a.url.Parse(a.Header.Get("Location"))
		if err != nil {
			p.Fatal(err)
		}
		if a.url = to; !strings.HasPrefix(to.String(), p.issuer+"/") {
			return a
		}
		if r, err = http.NewRequestWithContext(p.Context(), "GET", to.String(), nil); err != nil {
			p.Fatal(err)
		}
	}
	p.Fatal("redirects go on and on")
	return page{}
}

// one sends one request.
func (p *person) one(r *http.Request) page {
	p.Helper()
	for name, values := range p.header {
		r.Header[name] = values
	}
	res, err := p.client.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.Fatal(err)
	}
	return page{program.Answer{Status: res.StatusCode, Header: res.Header, Body: string(body)}, r.URL}
}

// ask sends an authorization request by GET.
func (p *person) ask(edits ...string) page {
	p.Helper()
	return p.open("/oauth/authorize?" + request(edits...).Encode())
}

// form is one of a page's.
type form struct {
	action string
	fields url.Values
}

// forms are those of a page that have a button of the given id, or value of act.
func (a page) forms(button string) []form {
	doc, err := html.Parse(strings.NewReader(a.Body))
	if err != nil {
		return nil
	}
	var all []form
	attr := func(n *html.Node, name string) string {
		for _, at := range n.Attr {
			if at.Key == name {
				return at.Val
			}
		}
		return ""
	}
	for n := range doc.Descendants() {
		if n.Data != "form" {
			continue
		}
		f, has := form{attr(n, "action"), url.Values{}}, false
		for in := range n.Descendants() {
			switch {
			case in.Data == "input":
				f.fields.Add(attr(in, "name"), attr(in, "value"))
			case in.Data == "button" && (attr(in, "id") == button || attr(in, "value") == button):
				has = true
				if attr(in, "name") != "" {
					f.fields.Set(attr(in, "name"), attr(in, "value"))
				}
			}
		}
		if has {
			all = append(all, f)
		}
	}
	return all
}

// press fills in and sends the first form of a that has the button.
func (p *person) press(a page, button string, edits ...string) page {
	p.Helper()
	f := p.find(a, button)
	for _, edit := range edits {
		name, value, _ := strings.Cut(edit, "=")
		f.fields.Set(name, value)
	}
	return p.send(f.action, f.fields)
}

func (p *person) find(a page, button string) form {
	p.Helper()
	all := a.forms(button)
	if len(all) == 0 {
		p.Fatalf("no button %q on the page: %d %s\n%s", button, a.Status, a.url, a.Body)
	}
	f := all[0]
	if f.action == "" {
		f.action = a.url.String()
	}
	return f
}

// on reports whether a page has a button.
func (a page) on(button string) bool { return a.Status == 200 && len(a.forms(button)) > 0 }

// logIn fills in a login page.
func (p *person) logIn(a page) page {
	p.Helper()
	return p.press(a, "login", "username="+p.name, "password="+phrase)
}

// through does on the pages of a request what leads to the client.
func (p *person) through(a page) page {
	p.Helper()
	if a.on("login") {
		a = p.logIn(a)
	}
	if a.on("allow") {
		a = p.press(a, "allow")
	}
	if !a.left() {
		p.Fatalf("the way does not lead to the client: %d %s\n%s", a.Status, a.url, a.Body)
	}
	return a
}

// code is that of an answer.
func (p *person) code(a page) string {
	p.Helper()
	if a.q().Get("code") == "" {
		p.Fatalf("no code in %s", a.url)
	}
	return a.q().Get("code")
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
	for _, c := range p.client.Jar.Cookies(u) {
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
