package login

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/e2e/chromium"
)

// AUT-024: a whole login in a popup, whose callback goes on elsewhere.
func TestPopup(t *testing.T) {
	w := newWorld(t, false)
	o := newOrigins(t, w.issuer)
	p := w.someone(t)
	b := newTab(t)

	t.Run("what would be held to a form-action is heard of", func(t *testing.T) {
		b := b.of(t)
		b.open(o.at("localhost", "/held"))
		b.click("#go")
		for end := time.Now().Add(10 * time.Second); len(b.violations()) == 0; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("no violation is logged where there is one")
			}
		}
	})
	for _, where := range []string{"third", "loopback", "scheme"} {
		t.Run("AUT-024 to "+where, func(t *testing.T) {
			b := b.of(t)
			b.open(to(o.at("localhost", "/opener"), browse(w, o.callback(), where, "prompt=login consent")))
			popup := b.popup(func() { b.click("#go") })
			popup.logIn(p.name, phrase)
			// A window that leaves for another program may never say that it was clicked.
			popup.wait("#allow")
			popup.eval(`(setTimeout(() => document.getElementById("allow").click()), "")`)
			if got := o.next(t); got.Get("code") == "" || got.Get("iss") != w.issuer {
				t.Errorf("the client gets %v", got)
			}
			if where != "scheme" {
				if err := popup.until(`document.getElementById("landed") ? "yes" : ""`, "yes"); err != "" {
					t.Errorf("the popup is at %s", err)
				}
				if got := b.until(`said.textContent.slice(0, 9)`, "landed at"); got != "" {
					t.Errorf("window.opener has not survived: %q", got)
				}
			}
			if v := popup.violations(); len(v) > 0 {
				t.Errorf("the log has %q", v)
			}
		})
	}
}

// until waits for a script's text to be want, and returns what it is if it is not.
// While the tab is on its way to another page there is none.
func (b *tab) until(script, want string) string {
	b.Helper()
	var (
		got string
		err error
	)
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if got, err = b.try(script); err == nil && got == want {
			return ""
		}
	}
	return fmt.Sprint(got, " ", err) + " " + b.eval(`location.href + "\n" + document.body.innerText`)
}

// of is the tab in another test.
func (b *tab) of(t *testing.T) *tab { return &tab{b.Context, t, b.heard} }

// AUT-012, PAG-004, AUT-044: what other sites, frames and scripts may not.
func TestOtherSites(t *testing.T) {
	w := newWorld(t, false)
	o := newOrigins(t, w.issuer)
	p := w.someone(t)
	b := newTab(t)
	b.open(browse(w, o.callback(), "x"))
	b.logIn(p.name, phrase)
	b.wait("#allow")
	address := b.eval(`location.href`)
	tw, shown := b.eval(`document.querySelector("[name=tw]").value`), b.eval(`document.querySelector("[name=shown]").value`)

	for target, fields := range map[string][]string{
		address:                        {"act=allow", "tw=" + tw, "shown=" + shown},
		w.issuer + "/account/sessions": {"act=end_others"},
		w.issuer + "/account/apps":     {"act=withdraw", "client_id=page"},
		w.issuer + "/login":            {"username=" + p.name, "password=" + phrase},
		w.issuer + "/register":         {"username=evil"},
	} {
		for _, host := range []string{"localhost", "127.0.0.1"} { // another site, another origin of the same
			b.open(to(o.at(host, "/form"), target, fields...))
			b.click("#go")
			if got := b.until(`document.title.slice(0, 26)`, "This form came from anothe"); got != "" {
				t.Errorf("a form from %s to %s: %s", host, target, got)
			}
		}
	}
	b.open(to(o.at("localhost", "/form"), w.issuer+"/logout", "act=logout"))
	b.click("#go")
	b.wait("#logout") // asked, by who is logged in
	b.open(to(o.at("localhost", "/form"), w.issuer+"/oauth/authorize", fieldsOf(browse(w, o.callback(), "x"))...))
	b.click("#go")
	b.wait("#allow") // no password
	b.click("#allow")
	o.next(t)

	b.open(w.issuer + "/docs")
	for _, path := range []string{"/account", "/account/sessions", "/account/apps", "/login", "/logout", "/oauth/authorize"} {
		for _, script := range []string{`fetch(%).then(r => String(r.status))`, `fetch(%, {method: "POST", body: new URLSearchParams({act: "end"})}).then(r => String(r.status))`} {
			if got := b.eval(strings.ReplaceAll(script, "%", `"`+path+`"`)); got != "403" && !(got == "405" && path == "/account") {
				t.Errorf("%s %s: %s", path, script, got)
			}
		}
	}
	for _, path := range []string{"/account", "/login"} {
		b.open(to(o.at("127.0.0.1", "/frame"), w.issuer+path))
		if got := b.eval(`new Promise(r => setTimeout(() => r(String(document.querySelector("iframe").contentWindow.length)), 300))`); got != "0" || b.answered(w.issuer+path) != 403 {
			t.Errorf("%s in a frame: %d", path, b.answered(w.issuer+path))
		}
	}
	// What shows nothing may stand in a frame of the same site.
	b.open(to(o.at("127.0.0.1", "/frame"), browse(w, o.callback(), "x", "prompt=none")))
	if got := o.next(t); got.Get("code") == "" {
		t.Errorf("prompt=none in a frame: %v", got)
	}
}

// fieldsOf are the parameters of an address.
func fieldsOf(address string) (all []string) {
	_, query, _ := strings.Cut(address, "?")
	for _, pair := range strings.Split(query, "&") {
		if text, err := url.QueryUnescape(pair); err == nil {
			all = append(all, text)
		}
	}
	return all
}

// PAG-002: the live pages, in each state of the account's.
func TestAxeOfLivePages(t *testing.T) {
	w := newWorld(t, false)
	o := newOrigins(t, w.issuer)
	p := w.someone(t)
	b := newTab(t)
	at := func(path, name string) { b.open(w.issuer + path); b.wait("main h1"); chromium.Axe(t, b.Context, name) }
	at("/login", "login")
	b.logIn(p.name, "wrong")
	b.wait("#problem")
	chromium.Axe(t, b.Context, "wrong password")
	at("/register", "register")
	b.open(browse(w, o.callback(), "x"))
	b.wait("#cancel")
	chromium.Axe(t, b.Context, "login of a request")
	b.logIn(p.name, phrase)
	b.wait("#allow")
	chromium.Axe(t, b.Context, "consent")
	at("/account/apps", "no applications")
	b.open(browse(w, o.callback(), "x"))
	b.click("#allow")
	b.wait("#at-client")
	p.redeem(o.next(t).Get("code"), "client_id=page", "client_secret", "redirect_uri="+o.callback())
	p.elsewhere().logIn(p.Open("/login"))
	at("/account", "account")
	at("/account/sessions", "sessions")
	b.click("#end-others")
	b.wait("[role=status]")
	chromium.Axe(t, b.Context, "others ended")
	at("/account/apps", "applications")
	b.click("[value=withdraw]")
	b.wait("[role=status]")
	chromium.Axe(t, b.Context, "taken back")
	at("/logout", "logout")
	b.click("#logout")
	b.wait("main h1")
	chromium.Axe(t, b.Context, "logged out")
	b.open(w.issuer + "/oauth/authorize?client_id=nobody")
	b.wait("main h1")
	chromium.Axe(t, b.Context, "error")
}
