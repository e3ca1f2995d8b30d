package doctor

import (
	"context"
	"net/http"
	"strings"
)

func refreshChecks() []check {
	user := []need{login}
	return []check{
		{"REF-001", "RFC6749 §6", "MUST", "a refresh brings a new access token and a new refresh token", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			a := s.refresh(ctx, s.app, l.refresh)
			if err := a.is("200"); err != nil {
				return err
			}
			if next := a.text("refresh_token"); next == "" || next == l.refresh || a.text("access_token") == l.access {
				return a.wrong("the tokens are the old ones")
			}
			return nil
		}},
		{"REF-002", "RFC6749 §6", "MUST", "a refresh without its token is an invalid request", user, func(ctx context.Context, s *subject) error {
			return s.token(ctx, s.app, "grant_type", "refresh_token").is("400 invalid_request")
		}},
		{"REF-003", "RFC6749 §5.2", "MUST", "refresh tokens that are none all look alike", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil || len(l.refresh) < 4 {
				return first(err, l.answer.wrong("no refresh token"))
			}
			garbage := s.refresh(ctx, s.app, "garbage")
			cut := s.refresh(ctx, s.app, l.refresh[:len(l.refresh)/2])
			flipped := s.refresh(ctx, s.app, flip(l.refresh, len(l.refresh)/2))
			return first(garbage.is("400 invalid_grant"), cut.is("400 invalid_grant"), flipped.is("400 invalid_grant"), cut.like(garbage), flipped.like(garbage))
		}},
		{"REF-004", "RFC6749 §6", "MUST", "another client cannot refresh, and consumes nothing", []need{login, anotherClient}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			return first(s.refresh(ctx, s.another, l.refresh).is("400 invalid_grant"), s.refresh(ctx, s.app, l.refresh).is("200"))
		}},
		{"REF-005", "RFC6749 §6", "MUST", "a wrong client secret consumes nothing", []need{login, ownerClient}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.owner)
			if err != nil {
				return err
			}
			wrong := *s.owner
			wrong.Secret = wrongSecret
			return first(s.refresh(ctx, &wrong, l.refresh).is("401 invalid_client"), s.refresh(ctx, s.owner, l.refresh).is("200"))
		}},
		{"REF-006", "RFC6749 §6", "MUST", "a confidential client authenticates to refresh", []need{login, ownerClient}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.owner)
			if err != nil {
				return err
			}
			return s.refresh(ctx, &Client{ID: s.owner.ID}, l.refresh).is("401 invalid_client")
		}},
		{"REF-007", "RFC6749 §6; RFC9700 §4.14", "MUST NOT", "a refresh does not widen the scope, and consumes nothing then", []need{login, twoScopes}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app, "scope", s.granted[0])
			if err != nil {
				return err
			}
			return first(
				s.refresh(ctx, s.app, l.refresh, "scope", s.granted[0]+" "+s.granted[1]).is("400 invalid_scope"),
				s.refresh(ctx, s.app, l.refresh).is("200"))
		}},
		{"REF-008", "RFC6749 §6", "MUST", "a refresh may ask for less", []need{login, twoScopes}, func(ctx context.Context, s *subject) error {
			narrow, err := s.narrowed(ctx)
			if err != nil {
				return err
			}
			claims := decode(narrow.text("access_token"), 1)
			if got := narrow.text("scope"); got != s.granted[0] || claims != nil && claims["scope"] != got {
				return narrow.wrong("scope is %q, and the token's is %q, want %q", got, text(claims, "scope"), s.granted[0])
			}
			return nil
		}},
		{"REF-009", "RFC6749 §6", "MUST", "what a refresh did not ask for comes back with the next", []need{login, twoScopes}, func(ctx context.Context, s *subject) error {
			narrow, err := s.narrowed(ctx)
			if err != nil {
				return err
			}
			a := s.refresh(ctx, s.app, narrow.text("refresh_token"))
			if got := strings.Fields(a.text("scope")); a.status == 200 && len(got) != 2 {
				return a.wrong("scope is %q, want both", got)
			}
			return a.is("200")
		}},
		{"REF-027", "RFC6749 §1.5", "MUST NOT", "a refresh token opens no API", []need{login, api}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			a := s.get(ctx, s.Fixtures.API.URL, bearer(l.refresh))
			return first(a.is("401"), a.has("WWW-Authenticate", `error="invalid_token"`))
		}},
		{"REF-028", "RFC6749 §6", "MUST NOT", "a refresh token in the query is not read", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			return first(
				s.as(ctx, s.app, s.metadata.token+"?"+form("refresh_token", l.refresh), "grant_type", "refresh_token").is("400 invalid_request"),
				s.refresh(ctx, s.app, l.refresh).is("200"))
		}},
		{"REF-033", "RFC6749 §6", "MUST", "/auth/refresh does not refresh for confidential clients", []need{login, ownerClient, tutorial}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.owner)
			if err != nil {
				return err
			}
			return first(
				s.post(ctx, s.Issuer+"/auth/refresh", http.Header{}, "refresh_token", l.refresh).is("401"),
				s.refresh(ctx, s.owner, l.refresh).is("200"))
		}},
	}
}

// narrowed opens a session with two scopes and refreshes with one.
func (s *subject) narrowed(ctx context.Context) (answer, error) {
	l, err := s.login(ctx, s.app, "scope", s.granted[0]+" "+s.granted[1])
	if err != nil {
		return answer{}, err
	}
	a := s.refresh(ctx, s.app, l.refresh, "scope", s.granted[0])
	return a, a.is("200")
}

// flip changes one letter for another of the same alphabet.
func flip(token string, at int) string {
	b := []byte(token)
	if b[at] == 'A' {
		b[at] = 'B'
	} else {
		b[at] = 'A'
	}
	return string(b)
}
