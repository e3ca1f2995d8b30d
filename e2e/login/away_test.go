package login

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
)

// step is one request of a login by redirect. What it needs is prepared while all
// is well; do asks, and good says of the answer whether all is well again.
type step struct {
	name    string
	prepare func(p *person) (do func() page, good func(a page) bool)
	// free is set where the session store is not asked.
	free bool
	// told is set where the client hears of it, if it is known.
	told bool
}

var steps = []step{
	{"the request", func(p *person) (func() page, func(page) bool) {
		return func() page { return p.ask() }, func(a page) bool { return a.on("login") }
	}, true, false},
	{"the login", func(p *person) (func() page, func(page) bool) {
		a := p.ask()
		return func() page { return p.logIn(a) }, func(a page) bool { return a.on("allow") }
	}, false, false},
	{"the request of who is logged in", func(p *person) (func() page, func(page) bool) {
		p.logIn(p.ask())
		return func() page { return p.ask() }, func(a page) bool { return a.on("allow") }
	}, false, false},
	{"the consent", func(p *person) (func() page, func(page) bool) {
		a := p.logIn(p.ask())
		return func() page { return p.press(a, "allow") }, func(a page) bool { return a.q().Has("code") }
	}, false, false},
	{"prompt none", func(p *person) (func() page, func(page) bool) {
		p.through(p.ask())
		return func() page { return p.ask("prompt=none") }, func(a page) bool { return a.q().Has("code") }
	}, false, true},
	{"the account", func(p *person) (func() page, func(page) bool) {
		p.through(p.ask())
		return func() page { return p.open("/account") }, func(a page) bool { return a.url.Path == "/account" }
	}, false, false},
	{"ending a session", func(p *person) (func() page, func(page) bool) {
		p.tokens()
		a := p.open("/account/sessions")
		f := a.forms("end")[1]
		return func() page { return p.send(f.action, f.fields) }, func(a page) bool { return a.Status == 200 && a.has("end") }
	}, false, false},
	{"taking consent back", func(p *person) (func() page, func(page) bool) {
		p.through(p.ask())
		a := p.open("/account/apps")
		return func() page { return p.press(a, "withdraw") }, func(a page) bool { return a.Status == 200 && !a.has("withdraw") }
	}, false, false},
	{"the logout", func(p *person) (func() page, func(page) bool) {
		p.through(p.ask())
		a := p.open("/logout")
		return func() page { return p.press(a, "logout") }, func(a page) bool { return a.Status == 200 && p.cookie() == "" }
	}, false, false},
	{"the login to the account", func(p *person) (func() page, func(page) bool) {
		a := p.open("/login")
		return func() page { return p.logIn(a) }, func(a page) bool { return a.url.Path == "/account" }
	}, false, false},
	{"registering", func(p *person) (func() page, func(page) bool) {
		a, name := p.open("/register"), p.name+"too"
		return func() page {
				return p.press(a, "create", "username="+name, "email="+name+"@example.com", "password="+phrase)
			},
			func(a page) bool { return a.url.Path == "/account" }
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
				case told && a.left():
					if a.q().Get("error") != "temporarily_unavailable" || a.q().Get("state") != "s" {
						t.Errorf("%s is away: %s", store, a.url)
					}
				case told || a.Status != 503 || a.Header.Get("Retry-After") == "" || !strings.Contains(a.Body, "<html"):
					t.Errorf("%s is away: %d %s, Retry-After %q", store, a.Status, a.url, a.Header.Get("Retry-After"))
				case a.has("login") && !strings.Contains(a.Body, `value="`+p.name+`"`), strings.Contains(a.Body, phrase):
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
				t.Errorf("when it is back: %d %s\n%s", a.Status, a.url, a.Body)
			}
		})
	}
	t.Run("who has registered while Redis is away logs in afterwards", func(t *testing.T) {
		for _, path := range []string{"/register", "/register?" + request("client_id=native", "redirect_uri=http://127.0.0.1/cb").Encode()} {
			p := w.someone(t)
			a := p.open(path)
			p.name += "too"
			w.redis.Hang()
			a = p.press(a, "create", "username="+p.name, "email="+p.name+"@example.com", "password="+phrase)
			w.redis.Resume()
			if !a.on("login") || !strings.Contains(a.Body, "account is ready") {
				t.Fatalf("%d %s %s", a.Status, a.url, a.Body)
			}
			if a := p.logIn(a); !a.q().Has("code") && a.url.Path != "/account" {
				t.Errorf("%d %s", a.Status, a.url)
			}
		}
	})
	t.Run("a code waits, and a request can be pushed again", func(t *testing.T) {
		p := w.someone(t)
		code := p.code(p.through(p.ask()))
		push := func() page {
			form := request("client_id=pushed", "redirect_uri=https://pushed.test/cb")
			form.Set("client_secret", webSecret)
			return p.send("/oauth/par", form)
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
	if a := p.press(consent, "allow"); !a.q().Has("code") {
		t.Errorf("the consent page: %d %s", a.Status, a.url)
	}
	if a := q.logIn(login); !a.on("allow") {
		t.Errorf("the login page: %d %s", a.Status, a.url)
	}
	w.run(t, "keys", "reseal")
	w.again(t, "SECRET_KEY_PREVIOUS=")
	if a := p.redeem(late, "client_id=spa", "client_secret", "redirect_uri=https://spa.test/cb"); a.Status != 400 {
		t.Errorf("a code of a key that is forgotten: %d %s", a.Status, a.Body)
	}
	if a := p.press(consent, "allow"); !a.has("login") {
		t.Errorf("a page of a key that is forgotten: %d %s", a.Status, a.url)
	}
}

// A client that is removed or changed while its page is open gets nothing that was
// not shown.
func TestClientChangesWhileItsPageIsOpen(t *testing.T) {
	w := newWorld(t, false)
	p, q := w.someone(t), w.someone(t)
	consent, login := p.logIn(p.ask()), q.ask()
	binary.Apply(t, w.dir, w.env, strings.Replace(seed, "name: The Shop", "name: Another Shop", 1))
	if a := p.press(consent, "allow"); !a.q().Has("code") && !a.on("allow") {
		t.Errorf("renamed: %d %s", a.Status, a.url)
	}
	consent = p.ask("prompt=consent")
	w.run(t, "client", "remove", "web")
	for name, a := range map[string]page{
		"allow": p.press(consent, "allow"), "deny": p.press(consent, "deny"), "login": q.logIn(login), "cancel": q.press(login, "cancel"), "request": p.ask(),
	} {
		if a.Status != 400 || a.left() {
			t.Errorf("removed: %s: %d %s", name, a.Status, a.url)
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
			if a := p.open("/account"); a.url.Path != "/account" {
				t.Errorf("logins have ended the browser session: %d %s", a.Status, a.url)
			}
			a, err := http.PostForm(w.issuer+"/oauth/token", url.Values{"grant_type": {"password"}, "client_id": {"app"}, "username": {p.name}, "password": {phrase}})
			if err != nil || a.StatusCode != 200 {
				t.Errorf("a login by password: %v %v", a, err)
			}
		})
	}
}
