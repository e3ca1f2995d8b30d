package login

import (
	"net/url"
	"strings"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// requestFlows are about what a request to the authorization endpoint says.
var requestFlows = []flow{
	{"AUT-001 a redirect URI that is not the client's is a page", func(p *person) {
		for _, uri := range []string{
			"https://evil.test/cb", "https://web.test.evil.test/cb?a=b", "https://web.test/cb?a=b/x", "https://web.test/cb?a=b&c=d",
			"https://user@web.test/cb?a=b", "https://web.test/cb?a=b#f", "https://WEB.test/cb?a=b", "javascript:alert(1)", "",
		} {
			if a := p.ask("redirect_uri=" + uri); a.Status != 400 || !strings.Contains(a.Header.Get("Content-Type"), "text/html") {
				p.Errorf("%q: %d %s", uri, a.Status, a.URL)
			}
		}
		for _, edit := range []string{"client_id=nobody", "client_id", "+client_id=spa", "+redirect_uri=" + webCB} {
			if a := p.ask(edit); a.Status != 400 || a.Header.Get("Location") != "" {
				p.Errorf("AUT-013 %s: %d %s", edit, a.Status, a.URL)
			}
		}
	}},
	{"AUT-002 the port is free with loopback", func(p *person) {
		a := p.through(p.ask("client_id=native", "redirect_uri=http://127.0.0.1:51234/cb"))
		if a.URL.Host != "127.0.0.1:51234" || a.Query().Get("code") == "" {
			p.Errorf("got %s", a.URL)
		}
		for _, uri := range []string{"http://localhost.evil.test/cb", "http://127.0.0.1:1@evil.test/cb", "http://127.0.0.2/cb", "http://127.0.0.1:51234/cb/"} {
			if a := p.ask("client_id=native", "redirect_uri="+uri); a.Status != 400 {
				p.Errorf("%q: %d %s", uri, a.Status, a.URL)
			}
		}
	}},
	{"AUT-003 AUT-011 AUT-013 AUT-022 AUT-027 AUT-028 PAR-004 faults that the client hears of", func(p *person) {
		for want, all := range map[string][][]string{
			"invalid_request": {
				{"code_challenge", "code_challenge_method"}, {"code_challenge_method=plain"}, {"code_challenge_method"},
				{"code_challenge=" + challenge[:42]}, {"response_type"}, {"response_mode=fragment"}, {"response_mode=x"}, {"+scope=read"},
				{"x=1", "+x=2"}, {"prompt=none login"}, {"max_age=x"},
				{"client_id=pushed", "redirect_uri=https://pushed.test/cb"},
				{"client_id=spa", "redirect_uri=https://spa.test/cb", "code_challenge", "code_challenge_method"},
			},
			"unsupported_response_type": {{"response_type=token"}, {"response_type=id_token token"}, {"response_type=x"}},
			"invalid_scope":             {{"scope=read nothing"}},
			"invalid_target":            {{"resource=https://others.test"}},
			"request_not_supported":     {{"request=e30.e30."}},
			"request_uri_not_supported": {{"request_uri=https://web.test/r"}},
		} {
			for _, edits := range all {
				a := p.ask(edits...)
				if !a.Left() || a.Query().Get("error") != want || a.Query().Get("state") != "s" || a.Query().Get("iss") != p.issuer || a.Query().Has("code") {
					p.Errorf("%q: %d %s, want %s", edits, a.Status, a.URL, want)
				}
			}
		}
		if a := p.ask("+state=t"); a.Query().Get("error") != "invalid_request" || a.Query().Has("state") {
			p.Errorf("two states: %s", a.URL)
		}
	}},
	{"AUT-013 a request by POST is one by GET", func(p *person) {
		form := request("unknown=x", "nonce=")
		a := p.Send("/oauth/authorize", form)
		if !a.On("login") || a.URL.Query().Get("client_id") != "web" {
			p.Fatalf("%d %s", a.Status, a.URL)
		}
		p.code(p.through(a))
		if a := p.Send("/oauth/authorize", request("redirect_uri=https://evil.test/")); a.Status != 400 {
			p.Errorf("another redirect URI: %d %s", a.Status, a.URL)
		}
		if a := p.Send("/oauth/authorize", request("response_type=x")); a.Query().Get("error") != "unsupported_response_type" {
			p.Errorf("%d %s", a.Status, a.URL)
		}
	}},
	{"AUT-014 the state comes back byte for byte, and iss with it", func(p *person) {
		for _, state := range []string{
			strings.Repeat("s", 512), "%25 %zz+ &=#;", "ü\u202e\U0001F600", `"'<script>`, "a\r\nSet-Cookie: x=y", " ",
		} {
			for name, a := range map[string]program.Page{
				"code": p.through(p.ask("state=" + state)), "error": p.ask("state="+state, "response_type=token"),
			} {
				if a.Query().Get("state") != state || a.Query().Get("iss") != p.issuer || a.Query().Get("a") != "b" || !a.Query().Has(name) {
					p.Errorf("state %q: %s", state, a.URL)
				}
			}
		}
		for _, edit := range []string{"state", "state="} {
			if a := p.through(p.ask(edit)); a.Query().Has("state") || a.Query().Get("iss") != p.issuer {
				p.Errorf("without a state: %s", a.URL)
			}
		}
	}},
	{"AUT-009 no page of another origin reads it", func(p *person) {
		p.Header.Set("Origin", "https://spa.test") // whose pages may read the token endpoint
		a := p.ask("client_id=spa", "redirect_uri=https://spa.test/cb")
		for name := range a.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				p.Errorf("%s: %s", name, a.Header.Get(name))
			}
		}
	}},
	{"AUT-010 the pages' headers", func(p *person) {
		check := func(a program.Page, inRequest bool) {
			p.Helper()
			csp := a.Header.Get("Content-Security-Policy")
			for name, want := range map[string]string{"X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store", "Cross-Origin-Opener-Policy": ""} {
				if got := a.Header.Get(name); got != want {
					p.Errorf("%s: %s: %q", a.URL.Path, name, got)
				}
			}
			if !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "form-action") == inRequest {
				p.Errorf("%s: %s", a.URL.Path, csp)
			}
		}
		login := p.ask()
		check(login, true)
		check(p.Press(login, "login", "username="+p.name, "password=wrong"), true)
		consent := p.logIn(login)
		if !consent.On("allow") {
			p.Fatalf("no consent page: %s", consent.Body)
		}
		check(consent, true)
		check(p.ask("client_id=nobody"), true)
		for _, path := range []string{"/account", "/account/sessions", "/account/apps", "/logout"} {
			check(p.Open(path), false)
		}
		check(p.elsewhere().Open("/login"), false)
	}},
	{"AUT-028 what the roles do not allow is left out", func(p *person) {
		got := p.tokens("scope=read write admin")
		if !strings.Contains(got.Body, `"scope":"read write"`) {
			p.Errorf("got %s", got.Body)
		}
		if a := p.through(p.ask("scope=admin")); a.Query().Get("error") != "invalid_scope" {
			p.Errorf("nothing left: %s", a.URL)
		}
	}},
	{"AUT-027 two resources, and then one of them", func(p *person) {
		code := p.code(p.through(p.ask("resource="+orders, "+resource="+p.issuer+"/api")))
		if a := p.redeem(code, "resource=https://others.test"); a.Status != 400 || !strings.Contains(a.Body, "invalid_target") {
			p.Errorf("another: %d %s", a.Status, a.Body)
		}
		a := p.redeem(code, "resource="+orders)
		if a.Status != 200 || p.api(a.Access) != 401 {
			p.Errorf("%d %s", a.Status, a.Body)
		}
	}},
	{"a redirect URI of 2 KiB", func(p *person) {
		if a := p.ask("redirect_uri=https://web.test/" + strings.Repeat("x", 2<<10)); a.Status != 400 {
			p.Errorf("%d", a.Status)
		}
	}},
	{"requests over 4 KiB, by GET and by POST, are a page", func(p *person) {
		for n, want := range map[int]int{3 << 10: 200, 4 << 10: 400, 20 << 10: 400} {
			if a := p.Send("/oauth/authorize", request("state="+strings.Repeat("%", n))); a.Status != want {
				p.Errorf("POST of %d: %d %s", n, a.Status, a.Body)
			}
		}
		if a := p.ask("state=" + strings.Repeat("%", 4<<10)); a.Status != 400 || !strings.Contains(a.Body, "Too much at once") {
			p.Errorf("GET: %d %s", a.Status, a.Body)
		}
	}},
	{"AUT-033 form_post", func(p *person) {
		const state = `"><script>alert(1)</script>`
		a := p.logIn(p.ask("response_mode=form_post", "state="+state))
		a = p.Press(a, "allow")
		if a.Status != 200 || strings.Contains(a.Body, "<script>alert") || strings.Contains(a.Header.Get("Content-Security-Policy"), "form-action") {
			p.Fatalf("%d %s", a.Status, a.Body)
		}
		f := p.Find(a, "continue")
		if f.Action != webCB || f.Fields.Get("state") != state || f.Fields.Get("iss") != p.issuer {
			p.Errorf("%+v", f)
		}
		if a := p.redeem(f.Fields.Get("code")); a.Status != 200 {
			p.Errorf("%d %s", a.Status, a.Body)
		}
		a = p.ask("response_mode=form_post", "response_type=token")
		if f := p.Find(a, "continue"); f.Fields.Get("error") != "unsupported_response_type" || f.Fields.Get("state") != "s" {
			p.Errorf("%+v", f)
		}
	}},
	{"PAR-001 PAR-002 PAR-003 a pushed request", func(p *person) {
		push := func(status int, form url.Values) program.Page {
			p.Helper()
			form.Set("client_secret", webSecret)
			a := p.Send("/oauth/par", form)
			if a.Status != status || a.Header.Get("Cache-Control") != "no-store" {
				p.Fatalf("%d %s, want %d", a.Status, a.Body, status)
			}
			return a
		}
		uri := func(a program.Page) string {
			_, rest, _ := strings.Cut(a.Body, `"request_uri":"`)
			uri, _, _ := strings.Cut(rest, `"`)
			return uri
		}
		pushed := push(201, request("client_id=pushed", "redirect_uri=https://pushed.test/cb"))
		if !strings.Contains(pushed.Body, `"expires_in":90`) {
			p.Errorf("got %s", pushed.Body)
		}
		if a := p.Send("/oauth/par", request()); a.Status != 401 {
			p.Errorf("without authentication: %d %s", a.Status, a.Body)
		}
		push(400, request("response_type=token"))
		push(400, request("redirect_uri=https://evil.test/"))
		push(400, request("request_uri="+uri(pushed)))
		address := "/oauth/authorize?" + url.Values{"client_id": {"pushed"}, "request_uri": {uri(pushed)}}.Encode()
		if a := p.Open(strings.Replace(address, "client_id=pushed", "client_id=web", 1)); a.Status != 400 {
			p.Errorf("another client: %d %s", a.Status, a.URL)
		}
		p.elsewhere().Open(address) // spends nothing
		a := p.through(p.Open(address))
		got := p.redeem(p.code(a), "client_id=pushed", "redirect_uri=https://pushed.test/cb")
		if got.Status != 200 || a.Query().Get("state") != "s" {
			p.Fatalf("%d %s", got.Status, got.Body)
		}
		if a := p.Open(address); a.Status != 400 || a.Left() {
			p.Errorf("twice: %d %s", a.Status, a.URL)
		}
	}},
}
