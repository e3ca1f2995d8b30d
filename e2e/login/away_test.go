package login

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
	"github.com/tokenwright/tokenwright/e2e/program"
)

// step is one request of a login by redirect. What it needs is prepared while all
// is well; do asks, and good says of the answer whether all is well again.
type step struct {
	name    string
	prepare func(p *person) (do func() program.Page, good func(a program.Page) bool)
	// free is set where the session store is not asked.
	free bool
	// told is set where the client hears of it, if it is known.
	told bool
}

var steps = []step{
	{"the request", func(p *person) (func() program.Page, func(program.Page) bool) {
		return func() program.Page { return p.ask() }, func(a program.Page) bool { return a.On("login") }
	}, true, false},
	{"the login", func(p *person) (func() program.Page, func(program.Page) bool) {
		a := p.ask()
		return func() program.Page { return p.logIn(a) }, func(a program.Page) bool { return a.On("allow") }
	}, false, false},
	{"the request of who is logged in", func(p *person) (func() program.Page, func(program.Page) bool) {
		p.logIn(p.ask())
		return func() program.Page { return p.ask() }, func(a program.Page) bool { return a.On("allow") }
	}, false, false},
	{"the consent", func(p *person) (func() program.Page, func(program.Page) bool) {
		a := p.logIn(p.ask())
		return func() program.Page { return p.Press(a, "allow") }, func(a program.Page) bool { return a.Query().Has("code") }
	}, false, false},
	{"prompt none", func(p *person) (func() program.Page, func(program.Page) bool) {
		p.through(p.ask())
		return func() program.Page { return p.ask("prompt=none") }, func(a program.Page) bool { return a.Query().Has("code") }
	}, false, true},
	{"the account", func(p *person) (func() program.Page, func(program.Page) bool) {
		p.through(p.ask())
		return func() program.Page { return p.Open("/account") }, func(a program.Page) bool { return a.URL.Path == "/account" }
	}, false, false},
	{"ending a session", func(p *person) (func() program.Page, func(program.Page) bool) {
		p.tokens()
		a := p.Open("/account/sessions")
		f := a.Forms("end")[1]
		return func() program.Page { return p.Send(f.Action, f.Fields) }, func(a program.Page) bool { return a.Status == 200 && has(a, "end") }
	}, false, false},
	{"taking consent back", func(p *person) (func() program.Page, func(program.Page) bool) {
		p.through(p.ask())
		a := p.Open("/account/apps")
		return func() program.Page { return p.Press(a, "withdraw") }, func(a program.Page) bool { return a.Status == 200 && !has(a, "withdraw") }
	}, false, false},
	{"the logout", func(p *person) (func() program.Page, func(program.Page) bool) {
		p.through(p.ask())
		a := p.Open("/logout")
		return func() program.Page { return p.Press(a, "logout") }, func(a program.Page) bool { return a.Status == 200 && p.cookie() == "" }
	}, false, false},
	{"the login to the account", func(p *person) (func() program.Page, func(program.Page) bool) {
		a := p.Open("/login")
		return func() program.Page { return p.logIn(a) }, func(a program.Page) bool { return a.URL.Path == "/account" }
	}, false, false},
	{"registering", func(p *person) (func() program.Page, func(program.Page) bool) {
		a, name := p.Open("/register"), p.name+"too"
		return func() program.Page {
				return p.Press(a, "create", "username="+name, "email="+name+"@example.com", "password="+phrase)
			},
			func(a program.Page) bool { return a.URL.Path == "/account" }
	}, true, false},
}

// PAG-007: with a store away each step is a page that says so, nobody is logged
// out by it, and the same step works when the store is back.
func TestStoresAway(t *testing.T) {
	database := pgtest.New(t)
	w := newWorld(t, true, "DATABASE_URL="+database.URL)
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			p := w.someone(t)
			do, good := s.prepare(p)
			check := func(store string, told bool) {
				t.Helper()
				a := do()
				switch {
				case told && a.Left():
					if a.Query().Get("error") != "temporarily_unavailable" || a.Query().Get("state") != "s" {
						t.Errorf("%s is away: %s", store, a.URL)
					}
				case told || a.Status != 503 || a.Header.Get("Retry-After") == "" || !strings.Contains(a.Body, "<html"):
					t.Errorf("%s is away: %d %s, Retry-After %q", store, a.Status, a.URL, a.Header.Get("Retry-After"))
				case has(a, "login") && !strings.Contains(a.Body, `value="`+p.name+`"`), strings.Contains(a.Body, phrase):
					t.Errorf("%s is away: what was typed is not there, or the password is: %s", store, a.Body)
				}
			}
			if !s.free {
				w.redis.Hang()
				check("Redis", s.told)
				w.redis.Resume()
			}
			database.Kill()
			check("PostgreSQL", false)
			database.Start()
			w.ready(t)
			if a := do(); !good(a) {
				t.Errorf("when it is back: %d %s\n%s", a.Status, a.URL, a.Body)
			}
		})
	}
	t.Run("who has registered while Redis is away logs in afterwards", func(t *testing.T) {
		for _, path := range []string{"/register", "/register?" + request("client_id=native", "redirect_uri=http://127.0.0.1/cb").Encode()} {
			p := w.someone(t)
			a := p.Open(path)
			p.name += "too"
			w.redis.Hang()
			a = p.Press(a, "create", "username="+p.name, "email="+p.name+"@example.com", "password="+phrase)
			w.redis.Resume()
			if !a.On("login") || !strings.Contains(a.Body, "account is ready") {
				t.Fatalf("%d %s %s", a.Status, a.URL, a.Body)
			}
			if a := p.logIn(a); !a.Query().Has("code") && a.URL.Path != "/account" {
				t.Errorf("%d %s", a.Status, a.URL)
			}
		}
	})
	t.Run("a code waits, and a request can be pushed again", func(t *testing.T) {
		p := w.someone(t)
		code := p.code(p.through(p.ask()))
		push := func() program.Page {
			form := request("client_id=pushed", "redirect_uri=https://pushed.test/cb")
			form.Set("client_secret", webSecret)
			return p.Send("/oauth/par", form)
		}
		w.redis.Hang()
		if a := p.redeem(code); a.Status != 503 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
		w.redis.Resume()
		database.Kill()
		if a := p.redeem(code); a.Status != 503 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
		if a := push(); a.Status != 503 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
		database.Start()
		w.ready(t)
		if a := push(); a.Status != 201 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
}

// ready waits until the server says that it is.
func (w *world) ready(t *testing.T) {
	t.Helper()
	for range 200 {
		res, err := http.Get(w.issuer + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode == 200 {
			return
		}
	}
	t.Fatal("the server is not ready")
}

// A code or a tw of an older SECRET_KEY is good while that is known, and then the
// way begins afresh.
func TestAnotherSecretKey(t *testing.T) {
	w := newWorld(t, false)
	p, q := w.someone(t), w.someone(t)
	spa := []string{"client_id=spa", "redirect_uri=https://spa.test/cb"}
	code, late := p.code(p.through(p.ask())), p.code(p.through(p.ask(spa...)))
	consent, login := p.ask("prompt=consent"), q.ask()
	const next = "another-secret-of-many-letters-0123456789"
	w.again(t, "SECRET_KEY="+next, "SECRET_KEY_PREVIOUS="+secretKey)
	if a := p.redeem(code); a.Status != 200 {
		t.Errorf("the code: %d %s", a.Status, a.Body)
	}
	if a := p.Press(consent, "allow"); !a.Query().Has("code") {
		t.Errorf("the consent page: %d %s", a.Status, a.URL)
	}
	if a := q.logIn(login); !a.On("allow") {
		t.Errorf("the login page: %d %s", a.Status, a.URL)
	}
	w.run(t, "keys", "reseal")
	w.again(t, "SECRET_KEY_PREVIOUS=")
	if a := p.redeem(late, "client_id=spa", "client_secret", "redirect_uri=https://spa.test/cb"); a.Status != 400 {
		t.Errorf("a code of a key that is forgotten: %d %s", a.Status, a.Body)
	}
	if a := p.Press(consent, "allow"); !has(a, "login") {
		t.Errorf("a page of a key that is forgotten: %d %s", a.Status, a.URL)
	}
}

// A client that is removed or changed while its page is open gets nothing that was
// not shown.
func TestClientChangesWhileItsPageIsOpen(t *testing.T) {
	w := newWorld(t, false)
	p, q := w.someone(t), w.someone(t)
	consent, login := p.logIn(p.ask()), q.ask()
	binary.Apply(t, w.dir, w.env, strings.Replace(seed, "name: The Shop", "name: Another Shop", 1))
	if a := p.Press(consent, "allow"); !a.Query().Has("code") && !a.On("allow") {
		t.Errorf("renamed: %d %s", a.Status, a.URL)
	}
	consent = p.ask("prompt=consent")
	w.run(t, "client", "remove", "web")
	for name, a := range map[string]program.Page{
		"allow": p.Press(consent, "allow"), "deny": p.Press(consent, "deny"), "login": q.logIn(login), "cancel": q.Press(login, "cancel"), "request": p.ask(),
	} {
		if a.Status != 400 || a.Left() {
			t.Errorf("removed: %s: %d %s", name, a.Status, a.URL)
		}
	}
}

// AUT-040: sessions too many end by age, and none of another browser session or
// client for a page that renews itself.
func TestSessionsPerUser(t *testing.T) {
	for name, inRedis := range map[string]bool{"SQLite": false, "Redis": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, inRedis, "SESSIONS_PER_USER=3")
			p := w.someone(t)
			other := p.elsewhere()
			kept := other.tokens()
			p.through(p.ask("client_id=spa", "redirect_uri=https://spa.test/cb"))
			for range 5 {
				a := p.ask("prompt=none", "client_id=spa", "redirect_uri=https://spa.test/cb")
				p.redeem(p.code(a), "client_id=spa", "client_secret", "redirect_uri=https://spa.test/cb")
			}
			if a := p.refresh(kept.Refresh); a.Status != 200 {
				t.Errorf("silent renewals have ended another's session: %d %s", a.Status, a.Body)
			}
			p.code(p.ask("prompt=none", "client_id=spa", "redirect_uri=https://spa.test/cb"))
			for range 4 {
				one := p.elsewhere()
				one.tokens()
			}
			if a := p.Open("/account"); a.URL.Path != "/account" {
				t.Errorf("logins have ended the browser session: %d %s", a.Status, a.URL)
			}
			a, err := http.PostForm(w.issuer+"/oauth/token", url.Values{"grant_type": {"password"}, "client_id": {"app"}, "username": {p.name}, "password": {phrase}})
			if err != nil || a.StatusCode != 200 {
				t.Errorf("a login by password: %v %v", a, err)
			}
		})
	}
}
