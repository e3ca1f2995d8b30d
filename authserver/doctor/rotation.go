package doctor

import (
	"context"
	"fmt"
	"time"
)

// pushed is how soon an ending has to have reached the resource servers.
const pushed = time.Second

func rotationChecks() []check {
	return []check{
		{"REF-010", "RFC9700 §4.14.2; ASVS 10.4.5", "MUST", "a refresh token used twice ends its session", []need{login, strictClient}, func(ctx context.Context, s *subject) error {
			tokens, err := s.rotate(ctx, s.strict, 1)
			if err != nil {
				return err
			}
			return s.ended(ctx, s.strict, tokens)
		}},
		{"REF-011", "RFC9700 §4.14.2; ASVS 7.4.1", "MUST", "an API refuses what reuse has ended within a second", []need{login, api}, func(ctx context.Context, s *subject) error {
			c := s.strict
			if c == nil {
				c = s.lenient
			}
			if c == nil {
				return &unmet{"the fixtures have no client with refresh_grace_seconds"}
			}
			tokens, err := s.rotate(ctx, c, 2)
			if err != nil {
				return err
			}
			if err := first(s.api(ctx, tokens[2].access).is("200"), s.refresh(ctx, c, tokens[0].refresh).is("400 invalid_grant")); err != nil {
				return err
			}
			return s.refusedSoon(ctx, tokens[2].access)
		}},
		{"REF-012", "RFC9700 §4.14", "SHOULD", "a refresh that is asked again at once has the same answer", []need{login, lenientClient}, func(ctx context.Context, s *subject) error {
			tokens, err := s.rotate(ctx, s.lenient, 1)
			if err != nil {
				return err
			}
			again := s.refresh(ctx, s.lenient, tokens[0].refresh)
			if again.status == 200 && again.text("refresh_token") != tokens[1].refresh {
				return again.wrong("the repeat has another refresh token")
			}
			return first(again.is("200"), s.refresh(ctx, s.lenient, tokens[1].refresh).is("200"))
		}},
		{"REF-013", "RFC9700 §4.14", "MUST", "a refresh token whose successor was used ends its session, grace or not", []need{login, lenientClient}, func(ctx context.Context, s *subject) error {
			tokens, err := s.rotate(ctx, s.lenient, 2)
			if err != nil {
				return err
			}
			return s.ended(ctx, s.lenient, tokens)
		}},
		{"REF-014", "RFC9700 §4.14", "MUST", "a refresh token ends its session when its grace is over", []need{login, lenientClient, slowly}, func(ctx context.Context, s *subject) error {
			tokens, err := s.rotate(ctx, s.lenient, 1)
			if err != nil {
				return err
			}
			if err := wait(ctx, time.Duration(*s.lenient.RefreshGrace+1)*time.Second); err != nil {
				return err
			}
			return s.ended(ctx, s.lenient, tokens)
		}},
	}
}

// rotate opens a session and refreshes it so many times; all its tokens, the
// oldest first.
func (s *subject) rotate(ctx context.Context, c *Client, times int) ([]session, error) {
	l, err := s.login(ctx, c)
	if err != nil {
		return nil, err
	}
	all := []session{l}
	for range times {
		a := s.refresh(ctx, c, all[len(all)-1].refresh)
		if err := a.is("200"); err != nil {
			return nil, err
		}
		all = append(all, brought(c, a))
	}
	return all, nil
}

// ended presents the oldest token of a session and wants that to end it.
func (s *subject) ended(ctx context.Context, c *Client, tokens []session) error {
	last := tokens[len(tokens)-1]
	if err := s.refresh(ctx, c, tokens[0].refresh).is("400 invalid_grant"); err != nil {
		return fmt.Errorf("the old refresh token: %w", err)
	}
	if err := s.refresh(ctx, c, last.refresh).is("400 invalid_grant"); err != nil {
		return fmt.Errorf("the current refresh token, after the old one: %w", err)
	}
	if s.lacks(introspection) == "" && s.rs != nil {
		return s.inactive(ctx, last.access)
	}
	return nil
}

// refusedSoon wants the API to refuse a token within the time that an ending may
// take to get there.
func (s *subject) refusedSoon(ctx context.Context, token string) error {
	if err := wait(ctx, pushed); err != nil {
		return err
	}
	a := s.api(ctx, token)
	return first(a.is("401"), a.has("WWW-Authenticate", `error="invalid_token"`))
}

// api asks the resource server with a token.
func (s *subject) api(ctx context.Context, token string) answer {
	return s.get(ctx, s.Fixtures.API.URL, bearer(token))
}
