package doctor

import (
	"context"
	"fmt"
)

func revokeChecks() []check {
	user := []need{login, revocation}
	return []check{
		{"REV-001", "RFC7009 §2.1", "MUST", "a revoked refresh token is over", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			return first(s.revoke(ctx, s.app, l.refresh).is("200"), s.refresh(ctx, s.app, l.refresh).is("400 invalid_grant"))
		}},
		{"REV-002", "RFC7009 §2.1", "SHOULD", "its access tokens are over too", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			if err := s.revoke(ctx, s.app, l.refresh).is("200"); err != nil {
				return err
			}
			return s.over(ctx, l.access)
		}},
		{"REV-003", "RFC7009 §2.2", "MUST", "what is no token, or none any more, is revoked without complaint", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			return first(
				s.revoke(ctx, s.app, "garbage").is("200"),
				s.revoke(ctx, s.app, l.refresh).is("200"),
				s.revoke(ctx, s.app, l.refresh).is("200"))
		}},
		{"REV-004", "RFC7009 §2.1", "MUST", "revocation without a token is an invalid request", user, func(ctx context.Context, s *subject) error {
			return s.as(ctx, s.app, s.metadata.revoke).is("400 invalid_request")
		}},
		{"REV-005", "RFC7009 §2.1", "MUST", "a client that does not authenticate revokes nothing", []need{login, revocation, ownerClient}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.owner)
			if err != nil {
				return err
			}
			return first(
				s.revoke(ctx, &Client{ID: s.owner.ID}, l.refresh).is("401 invalid_client"),
				s.revoke(ctx, &Client{ID: s.owner.ID, Secret: wrongSecret}, l.refresh).is("401 invalid_client"),
				s.refresh(ctx, s.owner, l.refresh).is("200"))
		}},
		{"REV-006", "RFC7009 §2.1", "MUST", "another client's token is refused and stays", []need{login, revocation, anotherClient}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			a := s.revoke(ctx, s.another, l.refresh)
			if a.status == 400 && a.text("error") == "" {
				return a.wrong("no error code")
			}
			return first(a.is("400"), s.refresh(ctx, s.app, l.refresh).is("200"))
		}},
		{"REV-007", "RFC7009 §2.1", "MUST", "a wrong or unknown hint finds the token all the same", user, func(ctx context.Context, s *subject) error {
			for _, hint := range []string{"access_token", "no_such_kind"} {
				l, err := s.login(ctx, s.app)
				if err != nil {
					return err
				}
				if err := first(
					s.as(ctx, s.app, s.metadata.revoke, "token", l.refresh, "token_type_hint", hint).is("200"),
					s.refresh(ctx, s.app, l.refresh).is("400 invalid_grant"),
				); err != nil {
					return fmt.Errorf("hint %s: %w", hint, err)
				}
			}
			return nil
		}},
		{"REV-008", "RFC7009 §2", "SHOULD", "a revoked access token is over, its session is not", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			if err := s.revoke(ctx, s.app, l.access).is("200"); err != nil {
				return err
			}
			return first(s.over(ctx, l.access), s.refresh(ctx, s.app, l.refresh).is("200"))
		}},
		{"REV-010", "RFC7009 §2", "MUST", "revocation does not take GET", []need{revocation}, func(ctx context.Context, s *subject) error {
			return s.get(ctx, s.metadata.revoke+"?token=x", nil).is("405")
		}},
		{"REV-012", "RFC7009 §2.1", "MUST", "a public client revokes its own token", []need{login, revocation, publicClient}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.pub)
			if err != nil {
				return err
			}
			return first(s.revoke(ctx, s.pub, l.refresh).is("200"), s.refresh(ctx, s.pub, l.refresh).is("400 invalid_grant"))
		}},
		{"REV-014", "RFC7009 §2.1", "MUST", "an older refresh token revokes its session", user, func(ctx context.Context, s *subject) error {
			tokens, err := s.rotate(ctx, s.app, 2)
			if err != nil {
				return err
			}
			return first(s.revoke(ctx, s.app, tokens[0].refresh).is("200"), s.refresh(ctx, s.app, tokens[2].refresh).is("400 invalid_grant"))
		}},
	}
}

func (s *subject) revoke(ctx context.Context, c *Client, token string) answer {
	return s.as(ctx, c, s.metadata.revoke, "token", token)
}

// over wants an access token to have ended: by introspection at once, at the API
// within a second.
func (s *subject) over(ctx context.Context, access string) error {
	asked := false
	if s.lacks(introspection) == "" && s.rs != nil {
		asked = true
		if err := s.inactive(ctx, access); err != nil {
			return err
		}
	}
	if s.Fixtures.API.URL != "" {
		asked = true
		if err := s.refusedSoon(ctx, access); err != nil {
			return err
		}
	}
	if !asked {
		return &unmet{"the fixtures have neither a client that introspects nor api.url"}
	}
	return nil
}
