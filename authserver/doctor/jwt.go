package doctor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// decode is a part of a JWT: 0 its header, 1 its claims; nil if the token is none.
func decode(token string, part int) map[string]any {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	written, err := base64.RawURLEncoding.DecodeString(parts[part])
	var o map[string]any
	if err != nil || json.Unmarshal(written, &o) != nil {
		return nil
	}
	return o
}

// audience is the claim aud, which may be one or many (RFC 7519 §4.1.3).
func audience(token string) []string {
	claims := decode(token, 1)
	if one := text(claims, "aud"); one != "" {
		return []string{one}
	}
	return texts(claims["aud"])
}

func jwtChecks() []check {
	user := []need{login, readable}
	return []check{
		{"JWT-001", "RFC9068 §2.1", "MUST", "the header says what the token is, and with which key it is signed", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			header := decode(l.access, 0)
			kind, alg, kid := text(header, "typ"), text(header, "alg"), text(header, "kid")
			switch {
			case !strings.EqualFold(kind, "at+jwt") && !strings.EqualFold(kind, "application/at+jwt"):
				return fmt.Errorf("typ is %q, want at+jwt", kind)
			case alg == "" || strings.EqualFold(alg, "none"):
				return fmt.Errorf("alg is %q", alg)
			case kid == "":
				return fmt.Errorf("kid is missing")
			case strings.HasPrefix(alg, "HS"):
				return nil
			case s.metadata.jwks == "":
				return fmt.Errorf("there is no jwks_uri to find kid %q at", kid)
			}
			keys := keysOf(s.get(ctx, s.metadata.jwks, nil))
			if !slices.ContainsFunc(keys, func(k map[string]any) bool { return k["kid"] == kid }) {
				return fmt.Errorf("kid %q is not in the key set", kid)
			}
			return nil
		}},
		{"JWT-003", "RFC9068 §2.2", "MUST", "the required claims are there, times as integers", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			claims := decode(l.access, 1)
			for _, name := range []string{"iss", "sub", "client_id", "jti"} {
				if text(claims, name) == "" {
					return fmt.Errorf("%s is missing or no string", name)
				}
			}
			for _, name := range []string{"exp", "iat"} {
				if n, ok := claims[name].(float64); !ok || n != math.Trunc(n) {
					return fmt.Errorf("%s is missing or no integer", name)
				}
			}
			if len(audience(l.access)) == 0 {
				return fmt.Errorf("aud is missing")
			}
			return nil
		}},
		{"JWT-004", "RFC9068 §2.2", "MUST", "iss is the metadata's issuer", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if iss := decode(l.access, 1)["iss"]; err == nil && iss != s.metadata.document["issuer"] {
				return fmt.Errorf("iss is %q, want %q", iss, s.metadata.document["issuer"])
			}
			return err
		}},
		{"JWT-005", "RFC9068 §3; RFC8707", "MUST", "without a resource the audience is the API, not the client", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			aud, want := audience(l.access), s.Fixtures.API.Identifier
			if slices.Contains(aud, s.app.ID) || want != "" && !slices.Equal(aud, []string{want}) {
				return fmt.Errorf("aud is %q, want %q", aud, want)
			}
			return nil
		}},
		{"JWT-006", "RFC9068 §2.2.3", "SHOULD", "the claim scope is the response's", []need{login, readable, oneScope}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app, "scope", s.granted[0])
			if scope := decode(l.access, 1)["scope"]; err == nil && scope != l.scope {
				return fmt.Errorf("scope is %q in the token and %q in the response", scope, l.scope)
			}
			return err
		}},
		{"JWT-007", "RFC9068 §2.2.3.1; RFC7643 §4.1.2", "SHOULD", "the token tells of its user no more than roles and name", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			claims := decode(l.access, 1)
			for name, value := range claims {
				for _, personal := range []string{"email", "mail", "phone", "password", "hash", "address", "birth"} {
					if strings.Contains(strings.ToLower(name), personal) {
						return fmt.Errorf("the claim %s is in the token", name)
					}
				}
				if v, ok := value.(string); ok && strings.Contains(v, "@") && name != "username" && name != "name" {
					return fmt.Errorf("the claim %s looks like an e-mail address", name)
				}
			}
			if _, ok := claims["roles"].([]any); claims["roles"] != nil && !ok {
				return fmt.Errorf("roles is no list")
			}
			if claims["name"] != nil && !slices.Contains(strings.Fields(l.scope), "profile") {
				return fmt.Errorf("name is there without the scope profile")
			}
			return nil
		}},
		{"JWT-008", "RFC9068 §4; RFC7519 §4.1.7", "MUST", "no two tokens are the same, in one second either", user, func(ctx context.Context, s *subject) error {
			tokens, err := s.rotate(ctx, s.app, 2)
			if err != nil {
				return err
			}
			seen := map[any]bool{}
			for _, l := range tokens {
				id := decode(l.access, 1)["jti"]
				if id == nil || seen[id] || seen[l.access] {
					return l.answer.wrong("jti %v is missing or was there before", id)
				}
				seen[id], seen[l.access] = true, true
			}
			return s.refresh(ctx, s.app, tokens[2].refresh).is("200")
		}},
	}
}
