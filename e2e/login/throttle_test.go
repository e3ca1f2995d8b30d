package login

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"testing"

	"github.com/tokenwright/tokenwright/e2e/program"
)

var problem = regexp.MustCompile(`id="problem">([^<]*)`)

// PAG-005: whoever does not get in is told one thing, whatever was wrong; and
// guesses count together, at the page and at the token endpoint.
func TestLoginsAreRefused(t *testing.T) {
	w := newWorld(t, false, "LOGIN_RATE=10/1m")
	p := w.someone(t)
	disabled := w.someone(t)
	w.run(t, "user", "disable", disabled.name)
	try := func(p *person, name, password string) program.Page {
		p.Helper()
		return p.Send("/login", url.Values{"username": {name}, "password": {password}, "act": {"login"}})
	}
	said := map[string]bool{}
	for name, a := range map[string]program.Page{
		"an unknown name":  try(w.browserOf(t, ""), "nobody", phrase),
		"a wrong password": try(p, p.name, "wrong"),
		"a disabled user":  try(disabled, disabled.name, phrase),
	} {
		sentence := problem.FindStringSubmatch(a.Body)
		if a.Status != 400 || sentence == nil {
			t.Fatalf("%s: %d\n%s", name, a.Status, a.Body)
		}
		said[sentence[1]] = true
	}
	if len(said) != 1 {
		t.Errorf("they are told %v", said)
	}

	for range 9 {
		try(p, p.name, "wrong")
	}
	a := try(p, p.name, phrase)
	seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if a.Status != 429 || err != nil || seconds < 1 || seconds > 60 || problem.FindStringSubmatch(a.Body) == nil {
		t.Errorf("after ten guesses, the right password: %d, Retry-After %q", a.Status, a.Header.Get("Retry-After"))
	}
	at, err := program.Post(http.DefaultClient, w.issuer+"/oauth/token", url.Values{
		"grant_type": {"password"}, "client_id": {"app"}, "username": {p.name}, "password": {phrase},
	})
	if err != nil || at.Status != 429 {
		t.Errorf("the token endpoint has another allowance: %d, %v", at.Status, err)
	}
}
