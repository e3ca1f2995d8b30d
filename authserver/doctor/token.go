package doctor

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// first is the first failure of several.
func first(errs ...error) error { return cmp.Or(errs...) }

func tokenChecks() []check {
	user := []need{login}
	return []check{
		{"TOK-001", "RFC6749 §3.2", "MUST", "the token endpoint does not take GET", user, func(ctx context.Context, s *subject) error {
			a := s.get(ctx, s.metadata.token+"?"+form(s.password("client_id", s.app.ID)...), nil)
			if a.text("access_token") != "" {
				return a.wrong("it answers with a token")
			}
			return a.is("405", "400 invalid_request")
		}},
		{"TOK-002", "RFC6749 §2.3.1; §4.3.2; ASVS 14.2.1", "MUST", "a grant in the query is not read", user, func(ctx context.Context, s *subject) error {
			return s.as(ctx, s.app, s.metadata.token+"?"+form(s.password()...)).is("400 invalid_request")
		}},
		{"TOK-003", "RFC6749 §2.3.1", "MUST", "a secret in the query is not read", []need{token, serviceClient}, func(ctx context.Context, s *subject) error {
			query := form("client_id", s.service.ID, "client_secret", s.service.Secret)
			return s.post(ctx, s.metadata.token+"?"+query, nil, "grant_type", "client_credentials").is("401 invalid_client")
		}},
		{"TOK-004", "RFC6749 §4.3.2, App. B", "MUST", "a grant as JSON is not read", user, func(ctx context.Context, s *subject) error {
			a := s.send(ctx, http.MethodPost, s.metadata.token, http.Header{"Content-Type": {"application/json"}}, `{"grant_type":"password"}`)
			return first(a.is("400 invalid_request", "415"), a.isJSON())
		}},
		{"TOK-005", "RFC6749 §3.2", "MUST NOT", "grant_type is not given twice", user, func(ctx context.Context, s *subject) error {
			return s.token(ctx, s.app, s.password("grant_type", "password")...).is("400 invalid_request")
		}},
		{"TOK-006", "RFC6749 §3.2", "MUST NOT", "username is not given twice", user, func(ctx context.Context, s *subject) error {
			return s.token(ctx, s.app, s.password("username", "root")...).is("400 invalid_request")
		}},
		{"TOK-007", "RFC6749 §3.2", "MUST NOT", "scope, refresh_token and client_id are not given twice", user, func(ctx context.Context, s *subject) error {
			return first(
				s.token(ctx, s.app, s.password("scope", "", "scope", "")...).is("400 invalid_request"),
				s.refresh(ctx, s.app, "one", "refresh_token", "two").is("400 invalid_request"),
				s.token(ctx, s.app, s.password("client_id", s.app.ID, "client_id", s.app.ID)...).is("400 invalid_request"),
			)
		}},
		{"TOK-009", "RFC6749 §3.2", "MUST", "an unknown parameter is ignored", user, func(ctx context.Context, s *subject) error {
			_, err := s.login(ctx, s.app, "foo", "bar")
			return err
		}},
		{"TOK-010", "RFC6749 §5.2", "MUST", "no grant_type is an invalid request", user, func(ctx context.Context, s *subject) error {
			return s.token(ctx, s.app, s.password()[2:]...).is("400 invalid_request")
		}},
		{"TOK-011", "RFC6749 §5.2", "MUST", "an unknown grant_type is unsupported", user, func(ctx context.Context, s *subject) error {
			return s.token(ctx, s.app, "grant_type", "urn:example:unknown").is("400 unsupported_grant_type")
		}},
		{"TOK-012", "RFC6749 §5.2", "MUST", "a client without the password grant may not use it", []need{login, noPassword}, func(ctx context.Context, s *subject) error {
			return s.token(ctx, s.nobody, s.password()...).is("400 unauthorized_client")
		}},
		{"TOK-013", "RFC6749 §4.3.2", "MUST", "username and password are both needed", user, func(ctx context.Context, s *subject) error {
			return first(
				s.token(ctx, s.app, "grant_type", "password", "password", s.user.Password).is("400 invalid_request"),
				s.token(ctx, s.app, "grant_type", "password", "username", s.user.Username).is("400 invalid_request"),
			)
		}},
		{"TOK-014", "RFC6749 §5.1", "MUST", "a token response is JSON that is not stored, with its required members", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err == nil && (l.access == "" || l.answer.text("token_type") == "") {
				err = l.answer.wrong("access_token or token_type is missing")
			}
			return first(err, l.answer.isJSON(), l.answer.has("Cache-Control", "no-store"))
		}},
		{"TOK-015", "RFC6749 §5.1 (Pragma), RFC9111 §5.4", "SHOULD", "good and bad token responses forbid caches, old ones too", user, func(ctx context.Context, s *subject) error {
			good, err := s.login(ctx, s.app)
			bad := s.token(ctx, s.app)
			return first(err,
				good.answer.has("Cache-Control", "no-store"), good.answer.has("Pragma", "no-cache"),
				bad.has("Cache-Control", "no-store"), bad.has("Pragma", "no-cache"))
		}},
		{"TOK-016", "RFC6749 §5.1", "RECOMMENDED", "expires_in is a number and the token's life", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			seconds, ok := l.answer.object()["expires_in"].(float64)
			if !ok {
				return l.answer.wrong("expires_in is no number")
			}
			claims := decode(l.access, 1)
			exp, _ := claims["exp"].(float64)
			iat, _ := claims["iat"].(float64)
			if life := exp - iat; claims != nil && (seconds < life-1 || seconds > life+1) {
				return l.answer.wrong("expires_in is %v and the token lives for %v s", seconds, life)
			}
			return nil
		}},
		{"TOK-017", "RFC6749 §7.1/§5.1", "MUST", "token_type is Bearer", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if kind := l.answer.text("token_type"); err == nil && !strings.EqualFold(kind, "Bearer") {
				return l.answer.wrong("token_type is %q", kind)
			}
			return err
		}},
		{"TOK-022", "RFC6749 §5.2; §4.3.3", "MUST", "a body of a megabyte is refused", user, func(ctx context.Context, s *subject) error {
			long := []string{"grant_type", "password", "username", s.user.Username, "password", strings.Repeat("a", 1<<20)}
			return s.token(ctx, s.app, long...).is("413", "400 invalid_request")
		}},
		{"TOK-023", "RFC6749 App. A/B", "MUST", "letters that a form has to encode arrive as they are", []need{login, speltUser}, func(ctx context.Context, s *subject) error {
			return s.opened(s.app, s.token(ctx, s.app, "grant_type", "password", "username", s.spelt.Username, "password", s.spelt.Password)).answer.is("200")
		}},
		{"TOK-024", "RFC6749 App. B", "MUST", "a form that is none is an invalid request", user, func(ctx context.Context, s *subject) error {
			for _, value := range []string{"%zz", "%ff%fe"} {
				body := form("grant_type", "password", "client_id", s.app.ID, "username", s.user.Username) + "&password=" + value
				header := http.Header{}
				if !s.app.IsPublic() {
					header = basic(s.app.ID, s.app.Secret)
				}
				header.Set("Content-Type", "application/x-www-form-urlencoded")
				if err := s.send(ctx, http.MethodPost, s.metadata.token, header, body).is("400 invalid_request"); err != nil {
					return fmt.Errorf("%s: %w", value, err)
				}
			}
			return nil
		}},
	}
}

func scopeChecks() []check {
	return []check{
		{"TOK-008", "RFC6749 §3.2", "MUST", "an empty scope is none", []need{login}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app, "scope", "")
			if err == nil && len(s.granted) > 0 && l.scope == "" {
				err = l.answer.wrong("scope is missing")
			}
			return err
		}},
		{"TOK-018", "RFC6749 §3.3, §5.1", "MUST", "the scope that was asked for is granted", []need{login, oneScope}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app, "scope", s.granted[0])
			if err == nil && l.scope != "" && l.scope != s.granted[0] {
				err = l.answer.wrong("scope is %q, want %q", l.scope, s.granted[0])
			}
			return err
		}},
		{"TOK-019", "RFC6749 §3.3", "MUST", "a scope that is granted in part is refused or named", []need{login, oneScope, deniedScope}, func(ctx context.Context, s *subject) error {
			a := s.token(ctx, s.app, s.password("scope", s.granted[0]+" "+s.denied())...)
			s.opened(s.app, a)
			if a.status == 200 && a.text("scope") != s.granted[0] {
				return a.wrong("scope is %q, want %q", a.text("scope"), s.granted[0])
			}
			return a.is("200", "400 invalid_scope")
		}},
		{"TOK-020", "RFC6749 §3.3 ABNF", "MUST", "a scope with letters that none may have is invalid", []need{login}, func(ctx context.Context, s *subject) error {
			for _, scope := range []string{`re"ad`, `re\ad`, "réad"} {
				if err := s.token(ctx, s.app, s.password("scope", scope)...).is("400 invalid_scope"); err != nil {
					return fmt.Errorf("scope %s: %w", scope, err)
				}
			}
			return nil
		}},
		{"PWD-021", "RFC6749 §3.3", "MUST", "a user gets no scope that it may not have", []need{login, deniedScope}, func(ctx context.Context, s *subject) error {
			a := s.token(ctx, s.app, s.password("scope", s.denied())...)
			l := s.opened(s.app, a)
			claims := decode(l.access, 1)
			if slices.Contains(strings.Fields(l.scope+" "+text(claims, "scope")), s.denied()) {
				return a.wrong("the user was given %s", s.denied())
			}
			return a.is("200", "400 invalid_scope")
		}},
		{"PWD-022", "RFC8707 §2.2", "MUST", "a resource becomes the audience, and a strange one is refused", []need{login, identifier}, func(ctx context.Context, s *subject) error {
			a := s.token(ctx, s.app, s.password("resource", "https://evil.test")...)
			s.opened(s.app, a)
			if err := a.is("400 invalid_target"); err != nil {
				return err
			}
			l, err := s.login(ctx, s.app, "resource", s.Fixtures.API.Identifier)
			if err == nil && s.jwt && !slices.Equal(audience(l.access), []string{s.Fixtures.API.Identifier}) {
				err = l.answer.wrong("aud is %q, want %q", audience(l.access), s.Fixtures.API.Identifier)
			}
			return err
		}},
	}
}
