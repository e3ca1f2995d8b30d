package doctor

import (
	"context"
	"fmt"
)

func introspectChecks() []check {
	rs := []need{introspection, introspecter}
	both := []need{login, introspection, introspecter}
	return []check{
		{"INT-001", "RFC7662 §2.1", "MUST", "introspection wants a client", []need{login, introspection}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			return s.post(ctx, s.metadata.introspect, nil, "token", l.access).is("401 invalid_client")
		}},
		{"INT-002", "RFC7662 §2.1", "MUST", "introspection without a token is an invalid request", rs, func(ctx context.Context, s *subject) error {
			return s.as(ctx, s.rs, s.metadata.introspect).is("400 invalid_request")
		}},
		{"INT-003", "RFC7662 §2.2", "MUST", "a good token is active, with what it says", both, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			a := s.as(ctx, s.rs, s.metadata.introspect, "token", l.access)
			if err := first(a.is("200"), a.isJSON()); err != nil {
				return err
			}
			if a.object()["active"] != true {
				return a.wrong("active is %v, want true", a.object()["active"])
			}
			for _, member := range []string{"scope", "client_id", "username", "token_type", "exp", "iat", "sub", "aud", "iss", "jti"} {
				if a.object()[member] == nil {
					return a.wrong("%s is missing", member)
				}
			}
			return nil
		}},
		{"INT-004", "RFC7662 §2.2", "MUST", "any other token is inactive, and no more is said", both, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			if s.metadata.revoke != "" {
				if err := s.as(ctx, s.app, s.metadata.revoke, "token", l.refresh).is("200"); err != nil {
					return err
				}
				if err := s.inactive(ctx, l.access); err != nil {
					return fmt.Errorf("a revoked session's: %w", err)
				}
			}
			return first(s.inactive(ctx, "unknown"), s.inactive(ctx, "a.b.c"), s.inactive(ctx, flip(l.access, len(l.access)-8)))
		}},
		{"INT-005", "RFC7662 §2.1", "MUST", "a wrong hint finds the token all the same", both, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			a := s.as(ctx, s.rs, s.metadata.introspect, "token", l.access, "token_type_hint", "refresh_token")
			if a.status == 200 && a.object()["active"] != true {
				return a.wrong("active is %v, want true", a.object()["active"])
			}
			return a.is("200")
		}},
		{"INT-007", "RFC7662 §4", "MUST/SHOULD", "a token of another API is inactive", []need{login, introspection, introspecterElsewhere}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			return s.inactiveFor(ctx, s.rs2, l.access)
		}},
		{"INT-009", "RFC7662 §2.1", "MUST", "introspection does not take GET", []need{introspection}, func(ctx context.Context, s *subject) error {
			return s.get(ctx, s.metadata.introspect+"?token=x", nil).is("405")
		}},
		{"INT-010", "RFC7662 §4", "MUST", "a resource server learns nothing of refresh tokens", both, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			if s.rs == s.app {
				return &unmet{"the client that introspects is the tokens' own"}
			}
			return s.inactive(ctx, l.refresh)
		}},
		{"INT-012", "RFC7662 §5", "SHOULD", "introspection is not stored", rs, func(ctx context.Context, s *subject) error {
			a := s.as(ctx, s.rs, s.metadata.introspect, "token", "unknown")
			return first(a.is("200"), a.has("Cache-Control", "no-store"))
		}},
	}
}

// inactive wants a resource server to be told that a token is none, and nothing
// else.
func (s *subject) inactive(ctx context.Context, token string) error {
	return s.inactiveFor(ctx, s.rs, token)
}

func (s *subject) inactiveFor(ctx context.Context, c *Client, token string) error {
	a := s.as(ctx, c, s.metadata.introspect, "token", token)
	if err := a.is("200"); err != nil {
		return err
	}
	if o := a.object(); o["active"] != false {
		return a.wrong("active is %v, want false", o["active"])
	} else if len(o) != 1 {
		return a.wrong("more is said than that it is not active")
	}
	return nil
}
