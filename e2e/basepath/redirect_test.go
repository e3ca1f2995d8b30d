package basepath

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/e2e/program"
)

const callback = "http://127.0.0.1/cb"

// person is somebody with a browser, which looks at every address that it is
// given.
type person struct {
	t      *testing.T
	issuer string
	client *http.Client
}

func newPerson(t *testing.T, issuer string) *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t, issuer, &http.Client{
		Jar: jar, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

var (
	address = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
	form    = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)".*?</form>`)
	field   = regexp.MustCompile(`<input[^>]* name="([^"]*)"[^>]* value="([^"]*)"`)
)

// do goes to an address of the issuer's host and returns the page there, or where
// it is sent on to.
func (p *person) do(method, at string, fields url.Values) (page, location string) {
	p.t.Helper()
	origin := strings.TrimSuffix(p.issuer, "/auth")
	r, err := http.NewRequest(method, origin+at, strings.NewReader(fields.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Dest", "document")
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		if c.Path != "/auth" {
			p.t.Errorf("%s %s: the cookie %s is of the path %q", method, at, c.Name, c.Path)
		}
	}
	location = res.Header.Get("Location")
	if res.StatusCode != 200 && (res.StatusCode != 303 || location == "") {
		p.t.Fatalf("%s %s: status %d, body %s", method, at, res.StatusCode, body)
	}
	links := []string{location}
	for _, m := range address.FindAllStringSubmatch(string(body), -1) {
		links = append(links, html.UnescapeString(m[1]))
	}
	for _, link := range links {
		if link != "" && !strings.HasPrefix(link, "#") && !strings.HasPrefix(link, "/auth/") && !strings.HasPrefix(link, callback) {
			p.t.Errorf("%s %s: leads to %s", method, at, link)
		}
	}
	return string(body), location
}

// submit sends the first form of a page with what it has and what is typed.
func (p *person) submit(page string, typed ...string) (next, location string) {
	p.t.Helper()
	m := form.FindStringSubmatch(page)
	if m == nil {
		p.t.Fatalf("no form on the page\n%s", page)
	}
	fields := url.Values{}
	for _, f := range field.FindAllStringSubmatch(m[0], -1) {
		fields.Set(f[1], html.UnescapeString(f[2]))
	}
	for i := 0; i < len(typed); i += 2 {
		fields.Set(typed[i], typed[i+1])
	}
	next, location = p.do("POST", html.UnescapeString(m[1]), fields)
	for location != "" && !strings.HasPrefix(location, callback) {
		next, location = p.do("GET", location, nil)
	}
	return next, location
}

// loginByRedirect logs in at a proxy, from the request to the logout.
func loginByRedirect(t *testing.T, issuer string) {
	p := newPerson(t, issuer)
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	page, location := p.do("GET", "/auth/oauth/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {callback}, "state": {"s"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}.Encode(), nil)
	if location != "" {
		t.Fatalf("sent on to %s", location)
	}
	page, location = p.submit(page, "username", "alice", "password", "correct horse battery", "act", "login")
	if location == "" {
		_, location = p.submit(page, "act", "allow")
	}
	answer, err := url.Parse(location)
	if err != nil || answer.Query().Get("iss") != issuer || answer.Query().Get("state") != "s" {
		t.Fatalf("sent on to %s", location)
	}
	tokens, err := program.Post(p.client, issuer+"/oauth/token", url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"web"}, "code": {answer.Query().Get("code")},
		"redirect_uri": {callback}, "code_verifier": {verifier},
	})
	tokens = program.Must(t, 200, tokens, err)
	a, err := program.Get(p.client, issuer+"/api/private", tokens.Access)
	program.Must(t, 200, a, err)

	for _, path := range []string{"/account", "/account/sessions", "/account/apps", "/login", "/logout"} {
		_, location := p.do("GET", "/auth"+path, nil)
		for ; location != ""; _, location = p.do("GET", location, nil) {
		}
	}
	page, _ = p.do("GET", "/auth/logout", nil)
	p.submit(page, "act", "logout")
	if _, location := p.do("GET", "/auth/account", nil); !strings.HasPrefix(location, "/auth/login") {
		t.Errorf("after the logout the account sends on to %q", location)
	}
	deadline := time.Now().Add(time.Second)
	for a := (program.Answer{}); a.Status != 401; {
		if a, err = program.Get(p.client, issuer+"/api/private", tokens.Access); err != nil || time.Now().After(deadline) {
			t.Fatalf("after the logout the token opens the API: %v, %d", err, a.Status)
		}
	}
	root, location := p.do("GET", "/auth/", nil)
	if location != "/auth/account" {
		t.Errorf("a browser at the root is sent to %q, and sees %s", location, fmt.Sprintf("%.80s", root))
	}
}
