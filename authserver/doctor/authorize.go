package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// authorizeChecks are about which requests the authorization endpoint takes. A
// refusal comes before anybody has to log in.
func authorizeChecks() []check {
	web := []need{redirect}
	return []check{
		{"AUT-001", "RFC9700 §4.1.3; ASVS 10.4.1", "MUST", "a redirect URI that is not the client's is answered with a page, and with no redirect", web, func(ctx context.Context, s *subject) error {
			for _, uri := range strangeURIs(s.web.RedirectURIs[0]) {
				l := s.newBrowser().open(ctx, s.ask(s.web, "redirect_uri", uri))
				if err := first(l.lacks("Location", ""), l.shown("400")); err != nil {
					return fmt.Errorf("%s: %w", uri, err)
				}
			}
			return nil
		}},
		{"AUT-002", "RFC9700 §4.1.3; RFC8252 §7.3", "MUST", "of a loopback redirect URI the port is free, and nothing else", []need{redirect, nativeWeb}, func(ctx context.Context, s *subject) error {
			u, err := url.Parse(s.webNative.RedirectURIs[0])
			if err != nil {
				return err
			}
			host := u.Hostname()
			if strings.Contains(host, ":") {
				host = "[" + host + "]"
			}
			u.Host = host + ":51234"
			b := s.newBrowser()
			if err := b.wantsLogin(b.open(ctx, s.ask(s.webNative, "redirect_uri", u.String()))); err != nil {
				return fmt.Errorf("%s: %w", u, err)
			}
			u.Host = "localhost.evil.test:51234"
			l := b.open(ctx, s.ask(s.webNative, "redirect_uri", u.String()))
			return first(l.lacks("Location", ""), l.shown("400"))
		}},
		{"AUT-003", "RFC9700 §2.1.1", "MUST", "without a challenge of S256 there is no code", web, func(ctx context.Context, s *subject) error {
			for how, pairs := range map[string][]string{
				"without code_challenge": {"code_challenge", "", "code_challenge_method", ""},
				"plain":                  {"code_challenge_method", "plain"},
				"without a method":       {"code_challenge_method", ""},
				"42 letters":             {"code_challenge", strings.Repeat("a", 42)},
			} {
				if how == "without code_challenge" && !s.web.IsPublic() && s.web == s.webPlain {
					continue
				}
				l := s.newBrowser().open(ctx, s.ask(s.web, pairs...))
				if err := first(l.refused("invalid_request"), s.namedIn(l)); err != nil {
					return fmt.Errorf("%s: %w", how, err)
				}
			}
			return nil
		}},
		{"AUT-009", "RFC9700 §2.6", "MUST NOT", "no script of another origin reads the authorization endpoint", web, func(ctx context.Context, s *subject) error {
			for _, origin := range []string{"https://spa.test", s.Fixtures.Origin} {
				a := s.get(ctx, s.address(s.ask(s.web)), http.Header{"Origin": {origin}})
				if err := first(a.err, a.lacks("Access-Control-Allow-Origin", "")); err != nil {
					return err
				}
				if a.status >= 500 {
					return a.is("200")
				}
			}
			return nil
		}},
		{"AUT-011", "RFC9700 §2.1.2; ASVS 10.6.1", "SHOULD NOT", "tokens do not come out of the authorization endpoint", web, func(ctx context.Context, s *subject) error {
			for _, kind := range []string{"token", "id_token token"} {
				l := s.newBrowser().open(ctx, s.ask(s.web, "response_type", kind))
				if err := first(l.refused("unsupported_response_type"), s.namedIn(l)); err != nil {
					return fmt.Errorf("%s: %w", kind, err)
				}
			}
			return nil
		}},
		{"AUT-013", "RFC6749 §3.1", "MUST", "GET and POST are one, an empty parameter is none, an unknown one nothing, and none stands twice", web, sameParameters},
		{"AUT-022", "OIDC Core §3.1.2.1", "MUST", "what a request asks for and is not offered is said to the client", web, func(ctx context.Context, s *subject) error {
			for _, tc := range []struct{ name, value, want string }{
				{"prompt", "none login", "invalid_request"},
				{"response_type", "unknown", "unsupported_response_type"},
				{"response_mode", "unknown", "invalid_request"},
				{"response_mode", "fragment", "invalid_request"},
			} {
				l := s.newBrowser().open(ctx, s.ask(s.web, tc.name, tc.value))
				if err := first(l.refused(tc.want), s.namedIn(l)); err != nil {
					return fmt.Errorf("%s %s: %w", tc.name, tc.value, err)
				}
			}
			return nil
		}},
		{"AUT-027", "RFC8707 §2", "MUST", "a code is for the resources that were asked for, and for no other", []need{redirect, roamingWeb, identifier}, func(ctx context.Context, s *subject) error {
			c := s.webRoamer
			own, other := s.Fixtures.API.Identifier, c.Resources[0]
			r := s.ask(c)
			r.params["resource"] = []string{own, other}
			b, err := s.known(ctx)
			if err != nil {
				return err
			}
			l := b.through(ctx, b.open(ctx, r))
			if err := first(l.granted(), s.redeem(ctx, l, "resource", "https://evil.test").is("400 invalid_target")); err != nil {
				return err
			}
			a := s.redeem(ctx, l, "resource", other)
			if got := audience(a.text("access_token")); a.status == 200 && got != nil && !slices.Equal(got, []string{other}) {
				return a.wrong("aud is %q, want %q", got, other)
			}
			return a.is("200")
		}},
		{"AUT-028", "contract 10", "MUST", "a scope that the client does not have is refused, and one that the user may not have left out", web, webScopes},
	}
}

// strangeURIs look like a registered one.
func strangeURIs(uri string) []string {
	u, err := url.Parse(uri)
	if err != nil {
		return nil
	}
	change := func(f func(*url.URL)) string {
		v := *u
		f(&v)
		return v.String()
	}
	return []string{
		"https://evil.test/",
		change(func(v *url.URL) { v.Host = v.Hostname() + ".evil.test" }),
		change(func(v *url.URL) { v.Path += "/extra" }),
		change(func(v *url.URL) { v.User = url.User("evil.test") }),
		change(func(v *url.URL) { v.Fragment = "x" }),
		change(func(v *url.URL) { v.RawQuery = "x=" + url.QueryEscape(uri) }),
	}
}

func sameParameters(ctx context.Context, s *subject) error {
	b, err := s.known(ctx)
	if err != nil {
		return err
	}
	empty := s.ask(s.web, "no_such_parameter", "x")
	empty.params["prompt"] = []string{""}
	if err := b.through(ctx, b.open(ctx, empty)).granted(); err != nil {
		return fmt.Errorf("an unknown and an empty parameter: %w", err)
	}
	r := s.ask(s.web)
	l := b.follow(ctx, r, b.visit(ctx, http.MethodPost, s.metadata.authorize, r.params.Encode()))
	if err := b.through(ctx, l).granted(); err != nil {
		return fmt.Errorf("by POST: %w", err)
	}
	for _, name := range []string{"client_id", "redirect_uri"} {
		r := s.ask(s.web)
		r.params.Add(name, r.params.Get(name))
		if l := b.open(ctx, r); l.shown("400") != nil {
			return fmt.Errorf("%s twice: %w", name, l.shown("400"))
		}
	}
	for _, name := range []string{"state", "code_challenge", "response_type", "nonce"} {
		r := s.ask(s.web, "nonce", "one")
		r.params.Add(name, r.params.Get(name))
		if err := b.open(ctx, r).refused("invalid_request"); err != nil {
			return fmt.Errorf("%s twice: %w", name, err)
		}
	}
	return nil
}

func webScopes(ctx context.Context, s *subject) error {
	if err := s.newBrowser().open(ctx, s.ask(s.web, "scope", "no-such-scope")).refused("invalid_scope"); err != nil {
		return err
	}
	if slices.Contains(s.web.Scopes, "openid") {
		l, err := s.code(ctx, s.web, "scope", "openid no-such-scope")
		a := s.redeem(ctx, l)
		if got := strings.Fields(a.text("scope")); a.status == 200 && !slices.Equal(got, []string{"openid"}) {
			return a.wrong("scope is %q, want openid", got)
		}
		if err := first(err, a.is("200")); err != nil {
			return fmt.Errorf("with openid: %w", err)
		}
	}
	if s.lacks(deniedScope) != "" || len(s.granted) == 0 || !slices.Contains(s.web.Scopes, s.denied()) {
		return &noted{"the fixtures have no scope that the user may not have"}
	}
	l, err := s.code(ctx, s.web, "scope", s.granted[0]+" "+s.denied())
	if err != nil {
		return err
	}
	a := s.redeem(ctx, l)
	if got := strings.Fields(a.text("scope")); a.status == 200 && !slices.Equal(got, s.granted[:1]) {
		return a.wrong("scope is %q, want %q", got, s.granted[0])
	}
	return a.is("200")
}
