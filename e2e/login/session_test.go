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
		if a := p.ask("prompt=none"); a.Query().Get("error") != "login_required" || a.Query().Get("state") != "s" {
			p.Errorf("nobody is there: %d %s", a.Status, a.URL)
		}
		p.logIn(p.ask())
		if a := p.ask("prompt=none"); a.Query().Get("error") != "consent_required" {
			p.Errorf("without consent: %d %s", a.Status, a.URL)
		}
		p.through(p.ask())
		p.code(p.ask("prompt=none"))
		if a := p.ask("prompt=none", "max_age=0"); a.Query().Get("error") != "login_required" {
			p.Errorf("too old: %d %s", a.Status, a.URL)
		}
		p.Header.Set("Sec-Fetch-Dest", "iframe")
		p.code(p.ask("prompt=none"))
		if a := p.ask(); a.Status != 403 {
			p.Errorf("a page in a frame: %d %s", a.Status, a.URL)
		}
	}},
	{"AUT-021 AUT-043 who was asked to log in again does it once", func(p *person) {
		before := p.claims(p.tokens().Access).AuthTime
		time.Sleep(2100 * time.Millisecond) // max_age is in seconds
		for _, edits := range [][]string{{"max_age=1"}, {"prompt=login"}, {"max_age=0"}, {"max_age=0", "prompt=login"}, {"prompt=select_account"}} {
			a := p.ask(edits...)
			if !a.On("login") {
				p.Fatalf("%q: no login page, %d %s", edits, a.Status, a.URL)
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
		if a := p.Press(p.logIn(p.ask()), "deny"); a.Query().Get("error") != "access_denied" || a.Query().Get("state") != "s" || a.Query().Get("iss") != p.issuer {
			p.Fatalf("refused: %d %s", a.Status, a.URL)
		}
		a := p.ask()
		if !a.On("allow") || !strings.Contains(a.Body, "The Shop") || !strings.Contains(a.Body, "Read your data") {
			p.Fatalf("asked again after a refusal: %d %s", a.Status, a.Body)
		}
		first := p.redeem(p.code(p.Press(a, "allow")))
		program.Must(p.T, 200, first, nil)
		p.code(p.ask()) // not asked
		if a := p.ask("prompt=consent"); !a.On("allow") {
			p.Errorf("prompt=consent: %d %s", a.Status, a.URL)
		} else {
			p.code(p.Press(a, "allow"))
		}
		if a := p.ask("scope=read write"); !a.On("allow") {
			p.Errorf("more than was given: %d %s", a.Status, a.URL)
		}
		pending := p.code(p.ask())
		apps := p.Open("/account/apps")
		if !strings.Contains(apps.Body, "The Shop") {
			p.Fatalf("the account does not show it: %s", apps.Body)
		}
		if a := p.Press(apps, "withdraw"); a.Status != 200 || len(a.Forms("withdraw")) > 0 {
			p.Errorf("taken back: %d %s", a.Status, a.Body)
		}
		if a := p.refresh(first.Refresh); a.Status != 400 {
			p.Errorf("the session goes on: %d", a.Status)
		}
		if a := p.redeem(pending); a.Status != 400 {
			p.Errorf("AUT-042: a pending code is redeemed: %d", a.Status)
		}
		p.refusedWithin(first.Access, "taken back")
		if a := p.ask("prompt=none"); a.Query().Get("error") != "consent_required" {
			p.Errorf("after it was taken back: %d %s", a.Status, a.URL)
		}
		p.code(p.Press(p.ask(), "allow"))
		if a := p.Press(apps, "withdraw"); a.Status != 200 { // a page that was left open
			p.Errorf("taken back from an old page: %d", a.Status)
		}
		if a := p.Press(apps, "withdraw"); a.Status != 200 {
			p.Errorf("taken back twice: %d", a.Status)
		}
	}},
	{"AUT-012 nothing is granted but what was shown", func(p *person) {
		a := p.logIn(p.ask())
		f := p.Find(a, "allow")
		for _, edit := range []string{"shown=", "shown=x", "tw=x"} {
			fields := url.Values{"tw": f.Fields["tw"], "shown": f.Fields["shown"], "act": {"allow"}}
			name, value, _ := strings.Cut(edit, "=")
			fields.Set(name, value)
			if b := p.Send(f.Action, fields); name == "shown" && !b.On("allow") {
				p.Errorf("%s: %d %s", edit, b.Status, b.URL)
			}
		}
		other := p.someone(p.T)
		other.logIn(other.ask("client_id=native", "redirect_uri=http://127.0.0.1/cb"))
		if b := other.Send(f.Action, f.Fields); !b.On("allow") {
			p.Errorf("somebody else's page: %d %s", b.Status, b.URL)
		}
		more := strings.Replace(f.Action, "scope=read", "scope=read+write", 1)
		if b := p.Send(more, f.Fields); !b.On("allow") {
			p.Errorf("more scopes than shown: %d %s", b.Status, b.URL)
		}
	}},
	{"AUT-012 PAG-004 forms of another site are refused", func(p *person) {
		consent := p.logIn(p.ask())
		p.code(p.through(p.ask("client_id=spa", "redirect_uri=https://spa.test/cb")))
		login := p.elsewhere().ask()
		tries := map[string]program.Form{"allow": p.Find(consent, "allow"), "deny": p.Find(consent, "deny"), "switch": p.Find(consent, "switch"),
			"login": p.Find(login, "login"), "cancel": p.Find(login, "cancel")}
		for _, path := range []string{"/account/sessions", "/account/apps", "/login", "/register"} {
			tries[path] = program.Form{Action: path, Fields: url.Values{"username": {p.name}, "password": {phrase}, "act": {"end_others"}, "client_id": {"spa"}}}
		}
		for from, header := range map[string]http.Header{
			"another site":                      {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.test"}},
			"another site, of an older browser": {"Origin": {"https://evil.test"}},
			"a neighbour":                       {"Sec-Fetch-Site": {"same-site"}},
			"a script on a page of ours":        {"Sec-Fetch-Site": {"same-origin"}, "Sec-Fetch-Dest": {"empty"}},
			"a frame":                           {"Sec-Fetch-Site": {"same-origin"}, "Sec-Fetch-Dest": {"iframe"}},
		} {
			p.Header = header
			for name, f := range tries {
				a := p.Send(f.Action, f.Fields)
				if a.Status != 403 || !strings.Contains(a.Body, "<html") {
					p.Errorf("%s from %s: %d %s", name, from, a.Status, a.URL)
				}
			}
		}
		p.Header = http.Header{"Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Site": {"same-origin"}}
		for _, path := range []string{"/account", "/account/sessions", "/account/apps", "/login", "/logout", "/register", "/oauth/authorize?" + request().Encode()} {
			if a := p.Open(path); a.Status != 403 || !strings.Contains(a.Body, "<html") {
				p.Errorf("%s by fetch: %d", path, a.Status)
			}
		}
		p.Header = http.Header{}
		if a := p.Open("/account/apps"); len(a.Forms("withdraw")) != 1 {
			p.Errorf("something has changed: %s", a.Body)
		}
	}},
	{"AUT-044 a request by POST from another site keeps who is logged in", func(p *person) {
		p.through(p.ask())
		stranger := p.browserOf(p.T, p.name) // SameSite=Lax: that POST has no cookie
		for _, path := range []string{"/oauth/authorize", "/logout"} {
			r, _ := http.NewRequest("POST", p.issuer+path, strings.NewReader(request().Encode()))
			r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://web.test"}, "Sec-Fetch-Dest": {"document"}}
			a := stranger.One(r)
			if a.Status != 303 {
				p.Errorf("%s: %d %s", path, a.Status, a.Body)
				continue
			}
			to := p.Open(a.Header.Get("Location"))
			if path == "/logout" && !to.On("logout") || path != "/logout" && !to.Query().Has("code") {
				p.Errorf("%s: leads to %d %s", path, to.Status, to.URL)
			}
		}
	}},
	{"AUT-030 the page of one browser in another, changed, or of another request", func(p *person) {
		a := p.ask()
		f := p.Find(a, "login")
		f.Fields.Set("username", p.name)
		f.Fields.Set("password", phrase)
		other := p.someone(p.T)
		other.through(other.ask())
		// The page of a stranger opened by who is logged in, and its form sent by them.
		if b := other.Open(f.Action + "&" + url.Values{"tw": f.Fields["tw"]}.Encode()); other.claims(other.redeem(other.code(b)).Access).Sid == "" {
			p.Error("no session")
		}
		first := p.code(p.through(p.Send(f.Action, f.Fields)))
		// The tw of p in the other browser opens nothing of p's.
		mine := p.Find(p.ask("prompt=consent"), "allow").Fields["tw"]
		b := other.Open("/oauth/authorize?" + request("prompt=consent", "tw="+mine[0]).Encode())
		if !b.On("allow") || !strings.Contains(b.Body, other.name) || strings.Contains(b.Body, p.name+"<") {
			p.Errorf("p's page in another browser: %d %s", b.Status, b.Body)
		}
		program.Must(p.T, 200, p.redeem(first), nil)
		for name, tw := range map[string]string{
			"changed": mine[0][:20] + "A" + mine[0][21:], "cut": mine[0][:30], "long": strings.Repeat("A", 3000), "of another request": f.Fields.Get("tw"),
		} {
			if b := p.Open("/oauth/authorize?" + request("prompt=login", "tw="+tw).Encode()); !b.On("login") {
				p.Errorf("%s: %d %s", name, b.Status, b.URL)
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
		replay := func(cookie string) program.Page {
			r, _ := http.NewRequest("GET", p.issuer+"/oauth/authorize?"+request("prompt=none").Encode(), nil)
			r.AddCookie(&http.Cookie{Name: "tw-" + p.port(), Value: cookie})
			return p.browserOf(p.T, p.name).One(r)
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
		if a := p.Press(p.Open("/logout"), "logout"); a.Status != 200 || p.cookie() != "" {
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
		a := p.One(r)
		got := a.Header.Get("Set-Cookie")
		if !regexp.MustCompile(`^tw-` + p.port() + `=twb_[\w-]+; Path=/; HttpOnly; SameSite=Lax$`).MatchString(got) {
			p.Errorf("got %q", got)
		}
	}},
	{"a cookie of 8 KiB, and others that are none", func(p *person) {
		for _, value := range []string{strings.Repeat("A", 8<<10), "twb_" + strings.Repeat("A", 8<<10), "", "twb_", `"`} {
			p.Header["Cookie"] = []string{"tw-" + p.port() + "=" + value}
			if a := p.ask(); !a.On("login") {
				p.Errorf("%.20q: %d %s", value, a.Status, a.Body)
			}
			if a := p.Open("/account"); !a.On("login") {
				p.Errorf("%.20q: the account: %d %s", value, a.Status, a.Body)
			}
		}
	}},
	{"AUT-036 Cancel tells the client, and nobody is logged in", func(p *person) {
		a := p.Press(p.ask(), "cancel")
		if a.Query().Get("error") != "access_denied" || a.Query().Get("state") != "s" || a.Query().Get("iss") != p.issuer || p.cookie() != "" {
			p.Errorf("%d %s, cookie %q", a.Status, a.URL, p.cookie())
		}
	}},
	{"AUT-025 two tabs for two clients, the back button, the form twice", func(p *person) {
		one, two := p.ask(), p.ask("client_id=spa", "redirect_uri=https://spa.test/cb")
		one, two = p.logIn(one), p.logIn(two)
		first, second := p.Press(one, "allow"), p.Press(two, "allow")
		mine := p.redeem(p.code(first))
		theirs := p.redeem(p.code(second), "client_id=spa", "client_secret", "redirect_uri=https://spa.test/cb")
		if mine.Status != 200 || theirs.Status != 200 {
			p.Fatalf("%s %s", mine.Body, theirs.Body)
		}
		if a := p.Press(one, "allow"); p.redeem(p.code(a)).Status != 200 { // back, after the code was used
			p.Errorf("back: %s", a.URL)
		}
		if p.refresh(mine.Refresh).Status != 200 {
			p.Error("going back has ended the session")
		}
		other := p.elsewhere()
		login := other.ask()
		var a, b program.Page
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
		p.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
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
		p.Press(p.ask(), "cancel")
		p.Press(p.ask(), "login", "username="+p.name, "password=wrong")
		consent := p.logIn(p.ask())
		p.Press(consent, "deny")
		code := p.code(p.Press(p.ask(), "allow"))
		p.redeem(code)
		p.redeem(code)
		p.redeem("twc_x")
		p.Press(p.Open("/account/apps"), "withdraw")
		p.Press(p.Open("/logout"), "logout")
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
		if a.URL.Path != "/register" {
			p.Fatalf("%d %s", a.Status, a.URL)
		}
		name := p.name + "new"
		bad := p.Press(a, "create", "username="+p.name, "email="+name+"@example.com", "password="+phrase)
		if bad.Status != 422 || !strings.Contains(bad.Body, `value="`+name+`@example.com"`) || strings.Contains(bad.Body, phrase) {
			p.Fatalf("a name that is taken: %d %s", bad.Status, bad.Body)
		}
		p.code(p.Press(bad, "create", "username="+name, "email="+name+"@example.com", "password="+phrase))

		// Who has an account logs in from that page.
		q := p.elsewhere()
		a = q.ask("prompt=create", "client_id=native", "redirect_uri=http://127.0.0.1/cb")
		login := regexp.MustCompile(`class="foot">[^<]*<a href="([^"]*)"`).FindStringSubmatch(a.Body)
		if login == nil {
			p.Fatalf("no way to the login: %s", a.Body)
		}
		a = q.Open(strings.ReplaceAll(login[1], "&amp;", "&"))
		if !a.On("login") {
			p.Fatalf("that way leads to %d %s", a.Status, a.URL)
		}
		a = q.Press(a, "login", "username="+q.name, "password=wrong")
		q.code(q.Press(a, "login", "username="+q.name, "password="+phrase))
	}},
	{"the account without a request, and of a session that has ended elsewhere", func(p *person) {
		a := p.Open("/account/sessions")
		if !a.On("login") {
			p.Fatalf("%d %s", a.Status, a.URL)
		}
		wrong := p.Press(a, "login", "username="+p.name, "password=wrong")
		if wrong.Status != 400 || !strings.Contains(wrong.Body, `value="`+p.name+`"`) {
			p.Fatalf("%d %s", wrong.Status, wrong.Body)
		}
		wrong = p.Press(wrong, "login", "username="+p.name, "password=wrong again")
		if !strings.Contains(wrong.Body, `value="`+p.name+`"`) {
			p.Errorf("at the second wrong try the name is gone: %s", wrong.Body)
		}
		a = p.Press(wrong, "login", "username="+p.name, "password="+phrase)
		if a.URL.Path != "/account/sessions" || len(a.Forms("end")) != 1 {
			p.Fatalf("%d %s", a.Status, a.URL)
		}
		other := p.elsewhere()
		b := other.Press(other.Open("/login?return=https://evil.test"), "login", "username="+p.name, "password="+phrase)
		if b.URL.Path != "/account" {
			p.Errorf("a foreign return leads to %s", b.URL)
		}
		list := other.Open("/account/sessions")
		if b := other.Press(list, "end_others"); b.Status != 200 || len(b.Forms("end")) != 1 {
			p.Errorf("end all others: %d %s", b.Status, b.Body)
		}
		for _, button := range []string{"end"} {
			if b := p.Press(a, button); !b.On("login") {
				p.Errorf("%s on a page of a session that has ended: %d %s", button, b.Status, b.Body)
			}
		}
		for _, path := range []string{"/account", "/account/sessions", "/account/apps"} {
			if b := p.Open(path); !b.On("login") {
				p.Errorf("%s of a session that has ended: %d", path, b.Status)
			}
		}
		mine := other.Press(other.Open("/account/sessions"), "end")
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
		if a := p.Press(page, "allow"); !a.On("login") {
			p.Errorf("disabled: %d %s", a.Status, a.URL)
		}
		if a := p.logIn(p.ask()); a.Status != 400 || !has(a, "login") {
			p.Errorf("disabled: login %d %s", a.Status, a.URL)
		}
		p.run(p.T, "user", "enable", p.name)
		if a := p.Open("/account"); !a.On("login") {
			p.Errorf("enabled again: the cookie is good: %d", a.Status)
		}
	}},
}

func has(a program.Page, button string) bool { return len(a.Forms(button)) > 0 }

func (w *world) port() string { return w.issuer[strings.LastIndex(w.issuer, ":")+1:] }
