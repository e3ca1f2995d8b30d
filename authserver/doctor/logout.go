package doctor

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// logoutChecks are about logouts that relying parties ask for.
func logoutChecks() []check {
	ending := []need{redirect, relying, returning}
	return []check{
		{"OUT-001", "OIDC RP-Initiated §2", "MUST", "a logout with a hint leads back, and ends what the browser opened within a second", ending, func(ctx context.Context, s *subject) error {
			b := s.newBrowser()
			one, err := s.identify(ctx, b)
			two, err2 := s.identify(ctx, b)
			if err := first(err, err2); err != nil {
				return err
			}
			if err := s.back(b.leaving(ctx, "id_token_hint", one.token, "post_logout_redirect_uri", s.rp.PostLogoutRedirectURIs[0], "state", "a b&c")); err != nil {
				return err
			}
			return first(s.gone(ctx, one.access, two.access), b.open(ctx, s.ask(s.rp, "scope", "openid", "prompt", "none")).refused("login_required"))
		}},
		{"OUT-002", "OIDC RP-Initiated §3", "MUST NOT", "nobody is sent to an address that was not promised", ending, func(ctx context.Context, s *subject) error {
			b := s.newBrowser()
			id, err := s.identify(ctx, b)
			if err != nil {
				return err
			}
			to := s.rp.PostLogoutRedirectURIs[0]
			parts := strings.Split(id.token, ".")
			none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
			for name, pairs := range map[string][]string{
				"another address":     {"id_token_hint", id.token, "post_logout_redirect_uri", "https://evil.test/"},
				"a query added":       {"id_token_hint", id.token, "post_logout_redirect_uri", added(to)},
				"no hint":             {"post_logout_redirect_uri", to},
				"a hint of alg none":  {"id_token_hint", none, "post_logout_redirect_uri", to},
				"a changed signature": {"id_token_hint", parts[0] + "." + parts[1] + "." + flip(parts[2], 9), "post_logout_redirect_uri", to},
			} {
				if a := b.leaving(ctx, pairs...); a.err != nil || a.header.Get("Location") != "" || a.status >= 500 {
					return fmt.Errorf("%s: %w", name, first(a.err, a.wrong("got %d, want a page", a.status)))
				}
			}
			return nil
		}},
		{"OUT-003", "contract 13", "MUST", "a logout without a hint asks, and ends nothing before the answer", []need{redirect, relying, ends}, func(ctx context.Context, s *subject) error {
			b := s.newBrowser()
			id, err := s.identify(ctx, b)
			if err != nil {
				return err
			}
			page := b.visit(ctx, http.MethodGet, s.metadata.logout, "", "Sec-Fetch-Site", "cross-site", "Referer", "https://evil.test/")
			if err := first(page.is("200"), s.there(ctx, id.access)); err != nil {
				return err
			}
			if err := b.open(ctx, s.ask(s.rp, "scope", "openid", "prompt", "none")).granted(); err != nil {
				return fmt.Errorf("before the answer: %w", err)
			}
			if a := b.press(ctx, page, s.Fixtures.Pages.Logout, nil); a.err != nil {
				return a.err
			}
			return s.gone(ctx, id.access)
		}},
		{"OUT-004", "OIDC Core §11; contract 13", "MUST", "a session with offline_access goes on after a logout", ending, func(ctx context.Context, s *subject) error {
			b := s.newBrowser()
			id, err := s.identify(ctx, b, "scope", "openid offline_access", "prompt", "consent")
			if err != nil {
				return err
			}
			if id.refresh == "" || !strings.Contains(" "+id.scope+" ", " offline_access ") {
				return &unmet{"the client gets no offline_access"}
			}
			if err := s.back(b.leaving(ctx, "id_token_hint", id.token, "post_logout_redirect_uri", s.rp.PostLogoutRedirectURIs[0], "state", "a b&c")); err != nil {
				return err
			}
			if err := wait(ctx, pushed); err != nil {
				return err
			}
			next := s.refresh(ctx, s.rp, id.refresh)
			return first(s.there(ctx, id.access), next.is("200"))
		}},
	}
}

// back wants an answer to a logout to lead to the first registered address, with
// the state "a b&c".
func (s *subject) back(a answer) error {
	if err := a.is("302", "303"); err != nil {
		return err
	}
	got, err := url.Parse(a.header.Get("Location"))
	if err != nil {
		return a.wrong("Location is no address")
	}
	want, err := url.Parse(s.rp.PostLogoutRedirectURIs[0])
	if err != nil {
		return fmt.Errorf("read post_logout_redirect_uris: %w", err)
	}
	if got.Host != want.Host || got.Path != want.Path {
		return a.wrong("it leads to %s, want %s", got.Host+got.Path, want.Host+want.Path)
	}
	if state := got.Query().Get("state"); state != "a b&c" {
		return a.wrong("state is %q, want what was sent", state)
	}
	return nil
}

// added is an address with more in its query.
func added(address string) string {
	if strings.Contains(address, "?") {
		return address + "&doctor=1"
	}
	return address + "?doctor=1"
}
