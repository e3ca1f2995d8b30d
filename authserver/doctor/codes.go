package doctor

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// codeLife is how long a code may live (ASVS 10.4.3).
const codeLife = 60 * time.Second

// codeChecks are about what a code is good for.
func codeChecks() []check {
	web := []need{redirect}
	return []check{
		{"AUT-004", "RFC9700 §4.8.2", "MUST", "a challenge and its verifier come together or not at all", web, func(ctx context.Context, s *subject) error {
			l, err := s.code(ctx, s.web)
			if err := first(err, s.redeem(ctx, l, "code_verifier", "").is("400 invalid_grant", "400 invalid_request")); err != nil {
				return fmt.Errorf("a challenge alone: %w", err)
			}
			if s.webPlain == nil {
				return &noted{"a verifier alone was not tried: the fixtures have no client with require_pkce: false"}
			}
			l, err = s.code(ctx, s.webPlain, "code_challenge", "", "code_challenge_method", "")
			return first(err, s.redeem(ctx, l, "code_verifier", strings.Repeat("v", 43)).is("400 invalid_grant", "400 invalid_request"))
		}},
		{"AUT-005", "RFC6749 §4.1.2; ASVS 10.4.2", "MUST", "a code used twice ends what it had opened", web, func(ctx context.Context, s *subject) error {
			l, err := s.code(ctx, s.web)
			if err != nil {
				return err
			}
			a := s.redeem(ctx, l)
			if err := first(a.is("200"), s.redeem(ctx, l).is("400 invalid_grant")); err != nil {
				return err
			}
			return s.dead(ctx, brought(s.web, a))
		}},
		{"AUT-006", "RFC6749 §4.1.3", "MUST", "a code is for its client and its redirect URI", []need{redirect, otherWeb}, func(ctx context.Context, s *subject) error {
			l, err := s.code(ctx, s.web)
			return first(err,
				s.redeemBy(ctx, s.webOther, l).is("400 invalid_grant"),
				s.redeem(ctx, l, "redirect_uri", s.web.RedirectURIs[0]+"x").is("400 invalid_grant"))
		}},
		{"AUT-007", "ASVS 10.4.3", "L1", "a code is good for a minute at most", []need{redirect, slowly}, func(ctx context.Context, s *subject) error {
			l, err := s.code(ctx, s.web)
			return first(err, wait(ctx, codeLife+time.Second), s.redeem(ctx, l).is("400 invalid_grant"))
		}},
		{"AUT-015", "RFC9700 §2.1.1; RFC7636 §4.2", "MUST", "only the right verifier redeems a code, and a wrong one uses nothing up", web, func(ctx context.Context, s *subject) error {
			l, err := s.code(ctx, s.web)
			if err != nil {
				return err
			}
			for _, verifier := range []string{"", strings.Repeat("v", 43), strings.Repeat("v", 42), strings.Repeat("v", 129), strings.Repeat("ä", 43)} {
				if err := s.redeem(ctx, l, "code_verifier", verifier).is("400 invalid_grant", "400 invalid_request"); err != nil {
					return fmt.Errorf("a verifier of %d bytes: %w", len(verifier), err)
				}
			}
			return s.redeem(ctx, l).is("200")
		}},
		{"AUT-016", "contract 10", "MUST", "of two redemptions at once one wins, and its session ends", web, func(ctx context.Context, s *subject) error {
			for range 32 {
				if err := s.race(ctx); err != nil {
					return err
				}
			}
			return nil
		}},
		{"AUT-017", "contract 10", "MUST NOT", "a redemption that is refused changes nothing", web, func(ctx context.Context, s *subject) error {
			l, err := s.code(ctx, s.web)
			if err != nil {
				return err
			}
			if s.webOther != nil {
				if err := s.redeemBy(ctx, s.webOther, l).is("400 invalid_grant"); err != nil {
					return fmt.Errorf("another client: %w", err)
				}
			}
			return first(
				s.redeem(ctx, l, "redirect_uri", s.web.RedirectURIs[0]+"x").is("400"),
				s.redeem(ctx, l, "code_verifier", strings.Repeat("v", 43)).is("400"),
				s.redeem(ctx, l).is("200"))
		}},
		{"AUT-018", "RFC6749 §4.1.2; OIDC suite", "MUST", "a code that comes again after refreshes ends its session", web, func(ctx context.Context, s *subject) error {
			l, err := s.code(ctx, s.web)
			if err != nil {
				return err
			}
			a := s.redeem(ctx, l)
			if err := a.is("200"); err != nil {
				return err
			}
			if a.text("refresh_token") == "" {
				return &unmet{"the client gets no refresh token"}
			}
			for range 2 {
				if a = s.refresh(ctx, s.web, a.text("refresh_token")); a.is("200") != nil {
					return a.is("200")
				}
			}
			if s.Timing {
				if err := wait(ctx, codeLife/2); err != nil {
					return err
				}
			}
			return first(s.redeem(ctx, l).is("400 invalid_grant"), s.dead(ctx, brought(s.web, a)))
		}},
		{"AUT-037", "contract 10", "MUST", "a code is no refresh token, a refresh token no code, and both have one spelling", web, spelling},
	}
}

// dead wants a session's tokens to be refused, wherever they can be shown.
func (s *subject) dead(ctx context.Context, l session) error {
	if l.refresh != "" {
		if err := s.refresh(ctx, l.client, l.refresh).is("400 invalid_grant"); err != nil {
			return fmt.Errorf("the refresh token: %w", err)
		}
	}
	if s.Fixtures.API.URL != "" {
		return s.refusedSoon(ctx, l.access)
	}
	if s.rs != nil && s.metadata.introspect != "" {
		return s.inactive(ctx, l.access)
	}
	return nil
}

// race redeems a code twice at once.
func (s *subject) race(ctx context.Context) error {
	l, err := s.code(ctx, s.web)
	if err != nil {
		return err
	}
	var answers [2]answer
	var both sync.WaitGroup
	for i := range answers {
		both.Go(func() { answers[i] = s.token(ctx, s.web, redemption(l)...) })
	}
	both.Wait()
	one, two := answers[0], answers[1]
	if one.status != 200 {
		one, two = two, one
	}
	if err := first(one.is("200"), two.is("400 invalid_grant")); err != nil {
		return err
	}
	won := s.opened(s.web, one)
	if won.refresh != "" {
		if err := s.refresh(ctx, s.web, won.refresh).is("400 invalid_grant"); err != nil {
			return fmt.Errorf("the refresh token of the one that won: %w", err)
		}
	}
	if s.rs != nil && s.metadata.introspect != "" {
		return s.inactive(ctx, won.access)
	}
	return nil
}

func spelling(ctx context.Context, s *subject) error {
	l, err := s.code(ctx, s.web)
	if err != nil {
		return err
	}
	code := l.params.Get("code")
	respelt := l
	respelt.params = map[string][]string{"code": {respell(code)}}
	err = first(
		s.redeem(ctx, respelt).is("400 invalid_grant"),
		s.refresh(ctx, s.web, code).is("400 invalid_grant", "400 unauthorized_client"))
	if err != nil {
		return err
	}
	a := s.redeem(ctx, l)
	refresh := a.text("refresh_token")
	if err := a.is("200"); err != nil || refresh == "" {
		return err
	}
	swapped := prefix(refresh) + strings.TrimPrefix(code, prefix(code))
	respelt.params = map[string][]string{"code": {refresh}}
	return first(
		s.refresh(ctx, s.web, swapped).is("400 invalid_grant"),
		s.redeem(ctx, respelt).is("400 invalid_grant"),
		s.refresh(ctx, s.web, refresh).is("200"))
}

// respell changes the last bit of what base64url writes; mostly nothing reads it.
func respell(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1
	i := strings.IndexByte(alphabet, token[last])
	if i < 0 {
		return flip(token, last)
	}
	return token[:last] + string(alphabet[i^1])
}

// prefix is what a token begins with up to its first underscore within a few
// letters, as many issuers mark what it is.
func prefix(token string) string {
	if i := strings.IndexByte(token, '_'); i > 0 && i < 8 {
		return token[:i+1]
	}
	return ""
}
