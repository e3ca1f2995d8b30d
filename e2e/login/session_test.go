package login

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// sid is the session of an access token, and parent that which opened it.
func (p *person) claims(token string) (c struct {
	Sid      string `json:"sid"`
	Parent   string `json:"parent_sid"`
	AuthTime int64  `json:"auth_time"`
}) {
	p.Helper()
	text := p.run(p.T, "token", "inspect", token)
	for name, to := range map[string]any{"sid": &c.Sid, "parent_sid": &c.Parent, "auth_time": &c.AuthTime} {
		if m := regexp.MustCompile(`"` + name + `": *("[^"]*"|[0-9]+)`).FindStringSubmatch(text); m != nil {
			if err := json.Unmarshal([]byte(m[1]), to); err != nil {
				p.Fatal(err)
			}
		}
	}
	if c.Sid == "" {
		p.Fatalf("no claims in %s", text)
	}
	return c
}

// refusedWithin holds that an access token is refused within a second.
func (p *person) refusedWithin(token, what string) {
	p.Helper()
	for end := time.Now().Add(time.Second); p.api(token) != 401; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.Errorf("%s: the access token is still good", what)
			return
		}
	}
}

// sessionFlows are about who is logged in.
var sessionFlows = []flow{
	{"AUT-020 prompt none shows no page", func(p *person) {
		if a := p.ask("prompt=none"); a.q().Get("error") != "login_required" || a.q().Get("state") != "s" {
			p.Errorf("nobody is there: %d %s", a.Status, a.url)
		}
		p.logIn(p.ask())
		if a := p.ask("prompt=none"); a.q().Get("error") != "consent_required" {
			p.Errorf("without consent: %d %s", a.Status, a.url)
		}
		p.through(p.ask())
		p.code(p.ask("prompt=none"))
		if a := p.ask("prompt=none", "max_age=0"); a.q().Get("error") != "login_required" {
			p.Errorf("too old: %d %s", a.Status, a.url)
		}
		p.header.Set("Sec-Fetch-Dest", "iframe")
		p.code(p.ask("prompt=none"))
		if a := p.ask(); a.Status != 403 {
			p.Errorf("a page in a frame: %d %s", a.Status, a.url)
		}
	}},
	{"AUT-021 AUT-043 who was asked to log in again does it once", func(p *person) {
		before := p.claims(p.tokens().Access).AuthTime
		time.Sleep(2100 * time.Millisecond) // max_age is in seconds
		for _, edits := range [][]string{{"max_age=1"}, {"prompt=login"}, {"max_age=0"}, {"max_age=0", "prompt=login"}, {"prompt=select_account"}} {
			a := p.ask(edits...)
			if !a.on("login") {
				p.Fatalf("%q: no login page, %d %s", edits, a.Status, a.url)
			}
			a = p.logIn(a)
			now := p.claims(p.redeem(p.code(a)).Access).AuthTime
			if before == 0 || now < before+2 {
				p.Errorf("%q: auth_time %d, before it was %d", edits, now, before)
			}
		}
		p.code(p.ask("max_age=60"))
	}},
	{"AUT-029 consent is asked for once, and taken back in the account", func(p *person) {
		if a := p.press(p.logIn(p.ask()), "deny"); a.q().Get("error") != "access_denied" || a.q().Get("state") != "s" || a.q().Get("iss") != p.issuer {
			p.Fatalf("refused: %d %s", a.Status, a.url)
		}
		a := p.ask()
		if !a.on("allow") || !strings.Contains(a.Body, "The Shop") || !strings.Contains(a.Body, "Read your data") {
			p.Fatalf("asked again after a refusal: %d %s", a.Status, a.Body)
		}
		first := p.redeem(p.code(p.press(a, "allow")))
		program.Must(p.T, 200, first, nil)
		p.code(p.ask()) // not asked
		if a := p.ask("prompt=consent"); !a.on("allow") {
			p.Errorf("prompt=consent: %d %s", a.Status, a.url)
		} else {
			p.code(p.press(a, "allow"))
		}
		if a := p.ask("scope=read write"); !a.on("allow") {
			p.Errorf("more than was given: %d %s", a.Status, a.url)
		}
		pending := p.code(p.ask())
		apps := p.open("/account/apps")
		if !strings.Contains(apps.Body, "The Shop") {
			p.Fatalf("the account does not show it: %s", apps.Body)
		}
		if a := p.press(apps, "withdraw"); a.Status != 200 || len(a.forms("withdraw")) > 0 {
			p.Errorf("taken back: %d %s", a.Status, a.Body)
		}
		if a := p.refresh(first.Refresh); a.Status != 400 {
			p.Errorf("the session goes on: %d", a.Status)
		}
		if a := p.redeem(pending); a.Status != 400 {
			p.Errorf("AUT-042: a pending code is redeemed: %d", a.Status)
		}
		p.refusedWithin(first.Access, "taken back")
		if a := p.ask("prompt=none"); a.q().Get("error") != "consent_required" {
			p.Errorf("after it was taken back: %d %s", a.Status, a.url)
		}
		p.code(p.press(p.ask(), "allow"))
		if a := p.press(apps, "withdraw"); a.Status != 200 { // a page that was left open
			p.Errorf("taken back from an old page: %d", a.Status)
		}
		if a := p.press(apps, "withdraw"); a.Status != 200 {
			p.Errorf("taken back twice: %d", a.Status)
		}
	}},
	{"AUT-012 nothing is granted but what was shown", func(p *person) {
		a := p.logIn(p.ask())
		f := p.find(a, "allow")
		for _, edit := range []string{"shown=", "shown=x", "tw=x"} {
			fields := url.Values{"tw": f.fields["tw"], "shown": f.fields["shown"], "act": {"allow"}}
			name, value, _ := strings.Cut(edit, "=")
			fields.Set(name, value)
			if b := p.send(f.action, fields); name == "shown" && !b.on("allow") {
				p.Errorf("%s: %d %s", edit, b.Status, b.url)
			}
		}
		other := p.someone(p.T)
		other.logIn(other.ask("client_id=native", "redirect_uri=http://127.0.0.1/cb"))
		if b := other.send(f.action, f.fields); !b.on("allow") {
			p.Errorf("somebody else's page: %d %s", b.Status, b.url)
		}
		more := strings.Replace(f.action, "scope=read", "scope=read+write", 1)
		if b := p.send(more, f.fields); !b.on("allow") {
			p.Errorf("more scopes than shown: %d %s", b.Status, b.url)
		}
	}},
	{"AUT-012 PAG-004 forms of another site are refused", func(p *person) {
		consent := p.logIn(p.ask())
		p.code(p.through(p.ask("client_id=spa", "redirect_uri=https://spa.test/cb")))
		login := p.elsewhere().ask()
		tries := map[string]form{"allow": p.find(consent, "allow"), "deny": p.find(consent, "deny"), "switch": p.find(consent, "switch"),
			"login": p.find(login, "login"), "cancel": p.find(login, "cancel")}
		for _, path := range []string{"/account/sessions", "/account/apps", "/login", "/register"} {
			tries[path] = form{path, url.Values{"username": {p.name}, "password": {phrase}, "act": {"end_others"}, "client_id": {"spa"}}}
		}
		for from, header := range map[string]http.Header{
			"another site":                      {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.test"}},
			"another site, of an older browser": {"Origin": {"https://evil.test"}},
			"a neighbour":                       {"Sec-Fetch-Site": {"same-site"}},
			"a script on a page of ours":        {"Sec-Fetch-Site": {"same-origin"}, "Sec-Fetch-Dest": {"empty"}},
			"a frame":                           {"Sec-Fetch-Site": {"same-origin"}, "Sec-Fetch-Dest": {"iframe"}},
		} {
			p.header = header
			for name, f := range tries {
				a := p.send(f.action, f.fields)
				if a.Status != 403 || !strings.Contains(a.Body, "<html") {
					p.Errorf("%s from %s: %d %s", name, from, a.Status, a.url)
				}
			}
		}
		p.header = http.Header{"Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Site": {"same-origin"}}
		for _, path := range []string{"/account", "/account/sessions", "/account/apps", "/login", "/logout", "/register", "/oauth/authorize?" + request().Encode()} {
			if a := p.open(path); a.Status != 403 || !strings.Contains(a.Body, "<html") {
				p.Errorf("%s by fetch: %d", path, a.Status)
			}
		}
		p.header = http.Header{}
		if a := p.open("/account/apps"); len(a.forms("withdraw")) != 1 {
			p.Errorf("something has changed: %s", a.Body)
		}
	}},
	{"AUT-044 a request by POST from another site keeps who is logged in", func(p *person) {
		p.through(p.ask())
		stranger := p.browserOf(p.T, p.name) // SameSite=Lax: that POST has no cookie
		for _, path := range []string{"/oauth/authorize", "/logout"} {
			r, _ := http.NewRequest("POST", p.issuer+path, strings.NewReader(request().Encode()))
			r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://web.test"}, "Sec-Fetch-Dest": {"document"}}
			a := stranger.one(r)
			if a.Status != 303 {
				p.Errorf("%s: %d %s", path, a.Status, a.Body)
				continue
			}
			to := p.open(a.Header.Get("Location"))
			if path == "/logout" && !to.on("logout") || path != "/logout" && !to.q().Has("code") {
				p.Errorf("%s: leads to %d %s", path, to.Status, to.url)
			}
		}
	}},
	{"AUT-030 the page of one browser in another, changed, or of another request", func(p *person) {
		a := p.ask()
		f := p.find(a, "login")
		f.fields.Set("username", p.name)
		f.fields.Set("password", phrase)
		other := p.someone(p.T)
		other.through(other.ask())
		// The page of a stranger opened by who is logged in, and its form sent by them.
		if b := other.open(f.action + "&" + url.Values{"tw": f.fields["tw"]}.Encode()); other.claims(other.redeem(other.code(b)).Access).Sid == "" {
			p.Error("no session")
		}
		first := p.code(p.through(p.send(f.action, f.fields)))
		// The tw of p in the other browser opens nothing of p's.
		mine := p.find(p.ask("prompt=consent"), "allow").fields["tw"]
		b := other.open("/oauth/authorize?" + request("prompt=consent", "tw="+mine[0]).Encode())
		if !b.on("allow") || !strings.Contains(b.Body, other.name) || strings.Contains(b.Body, p.name+"<") {
			p.Errorf("p's page in another browser: %d %s", b.Status, b.Body)
		}
		program.Must(p.T, 200, p.redeem(first), nil)
		for name, tw := range map[string]string{
			"changed": mine[0][:20] + "A" + mine[0][21:], "cut": mine[0][:30], "long": strings.Repeat("A", 3000), "of another request": f.fields.Get("tw"),
		} {
			if b := p.open("/oauth/authorize?" + request("prompt=login", "tw="+tw).Encode()); !b.on("login") {
				p.Errorf("%s: %d %s", name, b.Status, b.url)
			}
		}
	}},
	{"AUT-031 the cookie changes at each login and is refused after the logout", func(p *person) {
		p.through(p.ask())
		first := p.cookie()
		p.through(p.ask("prompt=login"))
		second := p.cookie()
		if first == "" || first == second {
			p.Fatalf("the cookie is %q, then %q", first, second)
		}
		replay := func(cookie string) page {
			r, _ := http.NewRequest("GET", p.issuer+"/oauth/authorize?"+request("prompt=none").Encode(), nil)
			r.AddCookie(&http.Cookie{Name: "tw-" + p.port(), Value: cookie})
			return p.browserOf(p.T, p.name).one(r)
		}
		if a := replay(second); !strings.Contains(a.Header.Get("Location"), "code=") {
			p.Fatalf("the cookie opens nothing: %s", a.Header.Get("Location"))
		}
		if a := replay(first); !strings.Contains(a.Header.Get("Location"), "login_required") {
			p.Errorf("the cookie of before is good: %s", a.Header.Get("Location"))
		}
		if a := replay(second); !strings.Contains(a.Header.Get("Location"), "code=") {
			p.Errorf("the old cookie has ended the new one: %s", a.Header.Get("Location"))
		}
		tokens := p.tokens()
		if a := p.press(p.open("/logout"), "logout"); a.Status != 200 || p.cookie() != "" {
			p.Errorf("logout: %d, cookie %q", a.Status, p.cookie())
		}
		if a := replay(second); !strings.Contains(a.Header.Get("Location"), "login_required") {
			p.Errorf("the cookie is good after the logout: %s", a.Header.Get("Location"))
		}
		if a := p.refresh(tokens.Refresh); a.Status != 400 {
			p.Errorf("OUT-008: a session of it goes on: %d", a.Status)
		}
		p.refusedWithin(tokens.Access, "logged out")
	}},
	{"AUT-032 the cookie of a loopback issuer", func(p *person) {
		r, _ := http.NewRequest("POST", p.issuer+"/login", strings.NewReader(url.Values{"username": {p.name}, "password": {phrase}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		a := p.one(r)
		got := a.Header.Get("Set-Cookie")
		if !regexp.MustCompile(`^tw-` + p.port() + `=twb_[\w-]+; Path=/; HttpOnly; SameSite=Lax$`).MatchString(got) {
			p.Errorf("got %q", got)
		}
	}},
	{"a cookie of 8 KiB, and others that are none", func(p *person) {
		for _, value := range []string{strings.Repeat("A", 8<<10), "twb_" + strings.Repeat("A", 8<<10), "", "twb_", `"`} {
			p.header["Cookie"] = []string{"tw-" + p.port() + "=" + value}
			if a := p.ask(); !a.on("login") {
				p.Errorf("%.20q: %d %s", value, a.Status, a.Body)
			}
			if a := p.open("/account"); !a.on("login") {
				p.Errorf("%.20q: the account: %d %s", value, a.Status, a.Body)
			}
		}
	}},
	{"AUT-036 Cancel tells the client, and nobody is logged in", func(p *person) {
		a := p.press(p.ask(), "cancel")
		if a.q().Get("error") != "access_denied" || a.q().Get("state") != "s" || a.q().Get("iss") != p.issuer || p.cookie() != "" {
			p.Errorf("%d %s, cookie %q", a.Status, a.url, p.cookie())
		}
	}},
	{"AUT-025 two tabs for two clients, the back button, the form twice", func(p *person) {
		one, two := p.ask(), p.ask("client_id=spa", "redirect_uri=https://spa.test/cb")
		one, two = p.logIn(one), p.logIn(two)
		first, second := p.press(one, "allow"), p.press(two, "allow")
		mine := p.redeem(p.code(first))
		theirs := p.redeem(p.code(second), "client_id=spa", "client_secret", "redirect_uri=https://spa.test/cb")
		if mine.Status != 200 || theirs.Status != 200 {
			p.Fatalf("%s %s", mine.Body, theirs.Body)
		}
		if a := p.press(one, "allow"); p.redeem(p.code(a)).Status != 200 { // back, after the code was used
			p.Errorf("back: %s", a.url)
		}
		if p.refresh(mine.Refresh).Status != 200 {
			p.Error("going back has ended the session")
		}
		other := p.elsewhere()
		login := other.ask()
		var a, b page
		var both sync.WaitGroup
		both.Go(func() { a = other.logIn(login) })
		both.Go(func() { b = other.logIn(login) })
		both.Wait()
		if other.code(a) != "" && p.redeem(other.code(a)).Status != 200 {
			p.Error("the form sent twice: the first code is refused")
		}
		if len(other.code(b)) == 0 {
			p.Error("the form sent twice: no second code")
		}
	}},
	{"AUT-005 AUT-016 AUT-018 a code used again ends all within a second", func(p *person) {
		code := p.code(p.through(p.ask()))
		got := make([]program.Answer, 8)
		var all sync.WaitGroup
		for i := range got {
			all.Go(func() { got[i] = p.redeem(code) })
		}
		all.Wait()
		won := 0
		for _, a := range got {
			if a.Status == 200 {
				won++
				p.refusedWithin(a.Access, "used again")
				if p.refresh(a.Refresh).Status != 400 {
					p.Error("the session goes on")
				}
			}
		}
		if won != 1 {
			p.Errorf("%d have won", won)
		}
		late := p.tokens()
		if late.Status != 200 {
			p.Errorf("the next login: %s", late.Body)
		}
	}},
	{"AUT-041 the person's address and browser stay", func(p *person) {
		p.header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
		tokens := p.tokens()
		next := p.refresh(tokens.Refresh)
		a, err := program.Get(http.DefaultClient, p.issuer+"/auth/sessions", next.Access)
		program.Must(p.T, 200, a, err)
		if strings.Count(a.Body, "Firefox") != 2 || strings.Contains(a.Body, "Go-http-client") {
			p.Errorf("got %s", a.Body)
		}
		if !strings.Contains(a.Body, `"parent":"`+p.claims(next.Access).Parent) || !strings.Contains(a.Body, `"amr":["pwd"]`) || !strings.Contains(a.Body, `"auth_time":`) {
			p.Errorf("got %s", a.Body)
		}
	}},
	{"audit events of it all", func(p *person) {
		p.press(p.ask(), "cancel")
		p.press(p.ask(), "login", "username="+p.name, "password=wrong")
		consent := p.logIn(p.ask())
		p.press(consent, "deny")
		code := p.code(p.press(p.ask(), "allow"))
		p.redeem(code)
		p.redeem(code)
		p.redeem("twc_x")
		p.press(p.open("/account/apps"), "withdraw")
		p.press(p.open("/logout"), "logout")
		var missing []string
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) { // rows come in batches
			log := p.run(p.T, "audit", "list", "--user", p.name)
			missing = nil
			for _, act := range []string{"login.failure", "login.success", "authorization.denied", "authorization.granted",
				"consent.grant", "code.reuse_detected", "consent.withdraw", "session.logout"} {
				if !strings.Contains(log, act) {
					missing = append(missing, act)
				}
			}
			if missing == nil {
				return
			}
		}
		p.Errorf("the audit log has no %q", missing)
	}},
	{"prompt create leads to the page for a new account, and back with its tw", func(p *person) {
		a := p.ask("prompt=create", "client_id=native", "redirect_uri=http://127.0.0.1/cb")
		if a.url.Path != "/register" {
			p.Fatalf("%d %s", a.Status, a.url)
		}
		name := p.name + "new"
		bad := p.press(a, "create", "username="+p.name, "email="+name+"@example.com", "password="+phrase)
		if bad.Status != 422 || !strings.Contains(bad.Body, `value="`+name+`@example.com"`) || strings.Contains(bad.Body, phrase) {
			p.Fatalf("a name that is taken: %d %s", bad.Status, bad.Body)
		}
		p.code(p.press(bad, "create", "username="+name, "email="+name+"@example.com", "password="+phrase))

		// Who has an account logs in from that page.
		q := p.elsewhere()
		a = q.ask("prompt=create", "client_id=native", "redirect_uri=http://127.0.0.1/cb")
		login := regexp.MustCompile(`class="foot">[^<]*<a href="([^"]*)"`).FindStringSubmatch(a.Body)
		if login == nil {
			p.Fatalf("no way to the login: %s", a.Body)
		}
		a = q.open(strings.ReplaceAll(login[1], "&amp;", "&"))
		if !a.on("login") {
			p.Fatalf("that way leads to %d %s", a.Status, a.url)
		}
		a = q.press(a, "login", "username="+q.name, "password=wrong")
		q.code(q.press(a, "login", "username="+q.name, "password="+phrase))
	}},
	{"the account without a request, and of a session that has ended elsewhere", func(p *person) {
		a := p.open("/account/sessions")
		if !a.on("login") {
			p.Fatalf("%d %s", a.Status, a.url)
		}
		wrong := p.press(a, "login", "username="+p.name, "password=wrong")
		if wrong.Status != 400 || !strings.Contains(wrong.Body, `value="`+p.name+`"`) {
			p.Fatalf("%d %s", wrong.Status, wrong.Body)
		}
		wrong = p.press(wrong, "login", "username="+p.name, "password=wrong again")
		if !strings.Contains(wrong.Body, `value="`+p.name+`"`) {
			p.Errorf("at the second wrong try the name is gone: %s", wrong.Body)
		}
		a = p.press(wrong, "login", "username="+p.name, "password="+phrase)
		if a.url.Path != "/account/sessions" || len(a.forms("end")) != 1 {
			p.Fatalf("%d %s", a.Status, a.url)
		}
		other := p.elsewhere()
		b := other.press(other.open("/login?return=https://evil.test"), "login", "username="+p.name, "password="+phrase)
		if b.url.Path != "/account" {
			p.Errorf("a foreign return leads to %s", b.url)
		}
		list := other.open("/account/sessions")
		if b := other.press(list, "end_others"); b.Status != 200 || len(b.forms("end")) != 1 {
			p.Errorf("end all others: %d %s", b.Status, b.Body)
		}
		for _, button := range []string{"end"} {
			if b := p.press(a, button); !b.on("login") {
				p.Errorf("%s on a page of a session that has ended: %d %s", button, b.Status, b.Body)
			}
		}
		for _, path := range []string{"/account", "/account/sessions", "/account/apps"} {
			if b := p.open(path); !b.on("login") {
				p.Errorf("%s of a session that has ended: %d", path, b.Status)
			}
		}
		mine := other.press(other.open("/account/sessions"), "end")
		if mine.Status != 200 || other.cookie() != "" {
			p.Errorf("one's own: %d, cookie %q", mine.Status, other.cookie())
		}
	}},
	{"AUT-019 AUT-030 what ends while a page is open or a code waits", func(p *person) {
		code := p.code(p.through(p.ask()))
		page := p.ask("prompt=consent")
		p.run(p.T, "user", "disable", p.name)
		if a := p.redeem(code); a.Status != 400 {
			p.Errorf("disabled: the code is redeemed: %d", a.Status)
		}
		if a := p.press(page, "allow"); !a.on("login") {
			p.Errorf("disabled: %d %s", a.Status, a.url)
		}
		if a := p.logIn(p.ask()); a.Status != 400 || !a.has("login") {
			p.Errorf("disabled: login %d %s", a.Status, a.url)
		}
		p.run(p.T, "user", "enable", p.name)
		if a := p.open("/account"); !a.on("login") {
			p.Errorf("enabled again: the cookie is good: %d", a.Status)
		}
	}},
}

func (a page) has(button string) bool { return len(a.forms(button)) > 0 }

func (w *world) port() string { return w.issuer[strings.LastIndex(w.issuer, ":")+1:] }
