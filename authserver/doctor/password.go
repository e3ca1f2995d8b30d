package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

func passwordChecks() []check {
	user := []need{login}
	return []check{
		{"PWD-001", "RFC6749 §4.3.2", "MUST", "a right password brings tokens, their life and scope", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			for _, member := range []string{"access_token", "refresh_token", "expires_in", "scope"} {
				if l.answer.object()[member] == nil {
					return l.answer.wrong("%s is missing", member)
				}
			}
			return nil
		}},
		{"PWD-002", "RFC6749 §5.2", "MUST", "a wrong password is an invalid grant, without a challenge", user, func(ctx context.Context, s *subject) error {
			a := s.guess(ctx, s.user.Username, wrongPassword)
			return first(a.is("400 invalid_grant"), a.lacks("WWW-Authenticate", ""))
		}},
		{"PWD-003", "ASVS 6.3.8; RFC6749 §5.2", "MUST", "an unknown user looks like a wrong password", user, func(ctx context.Context, s *subject) error {
			known := s.guess(ctx, s.user.Username, wrongPassword)
			unknown := s.guess(ctx, "no-such-user", wrongPassword)
			return first(known.is("400 invalid_grant"), unknown.is("400 invalid_grant"), unknown.like(known))
		}},
		{"PWD-005", "RFC6749 §5.2; ASVS 7.4.2", "MUST", "a disabled user's right password looks like a wrong one", []need{login, disabledUser}, func(ctx context.Context, s *subject) error {
			known := s.guess(ctx, s.user.Username, wrongPassword)
			disabled := s.guess(ctx, s.disabled.Username, s.disabled.Password)
			return first(known.is("400 invalid_grant"), disabled.is("400 invalid_grant"), disabled.like(known))
		}},
		{"PWD-006", "ASVS 6.2.8", "L1", "a password is compared whole, as it was typed", user, wholePassword},
		{"PWD-008", "RFC6749 §4.3.2", "MUST", "the client is checked before the password", []need{login, confidential}, func(ctx context.Context, s *subject) error {
			return s.post(ctx, s.metadata.token, basic(s.conf.ID, wrongSecret), s.password()...).is("401 invalid_client")
		}},
		{"PWD-015", "RFC9700 §2.4; ASVS 10.4.4", "MUST NOT (BCP)", "the password grant is off, or each client's to be allowed", []need{token}, func(ctx context.Context, s *subject) error {
			if !slices.Contains(s.metadata.grants, "password") {
				return s.post(ctx, s.metadata.token, nil, "grant_type", "password", "client_id", "x").is("400 unsupported_grant_type", "401 invalid_client", "400 invalid_request")
			}
			if s.nobody != nil && s.user != nil {
				if err := s.token(ctx, s.nobody, s.password()...).is("400 unauthorized_client"); err != nil {
					return err
				}
			}
			return &noted{"deviates from RFC 9700 §2.4: the password grant is on"}
		}},
		{"PWD-020", "ASVS 7.2.4", "L1", "two logins are two sessions", user, func(ctx context.Context, s *subject) error {
			one, err1 := s.login(ctx, s.app)
			two, err2 := s.login(ctx, s.app)
			if err := first(err1, err2); err != nil {
				return err
			}
			if one.refresh == two.refresh || one.access == two.access {
				return one.answer.wrong("two logins brought the same token")
			}
			a, b := decode(one.access, 1), decode(two.access, 1)
			if a["jti"] != nil && a["jti"] == b["jti"] || a["sid"] != nil && a["sid"] == b["sid"] {
				return one.answer.wrong("two logins share jti or sid")
			}
			return s.refresh(ctx, s.app, one.refresh).is("200")
		}},
	}
}

const wrongPassword = "not the password"

// guess is a login that ought to fail.
func (s *subject) guess(ctx context.Context, username, password string) answer {
	a := s.token(ctx, s.app, "grant_type", "password", "username", username, "password", password)
	s.opened(s.app, a)
	return a
}

func wholePassword(ctx context.Context, s *subject) error {
	right := s.user.Password
	guesses := map[string]string{"with a space behind it": right + " ", "with a NUL behind it": right + "\x00"}
	swap := func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}
	if other := strings.Map(swap, right); other != right {
		guesses["in another case"] = other
	}
	if len(right) > 72 { // where bcrypt stops reading
		changed := []byte(right)
		changed[72] ^= 1
		guesses["with another 73rd byte"] = string(changed)
	}
	for how, guess := range guesses {
		if err := s.guess(ctx, s.user.Username, guess).is("400 invalid_grant"); err != nil {
			return fmt.Errorf("the password %s: %w", how, err)
		}
	}
	return nil
}
