package doctor

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func resourceChecks() []check {
	user := []need{login, api}
	published := []need{identifier}
	return []check{
		{"RSV-003", "RFC9110 §11.1", "MUST", "the scheme Bearer is read in any case", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			return first(err,
				s.api(ctx, l.access).is("200"),
				s.header(ctx, "bearer "+l.access).is("200"),
				s.header(ctx, "BEARER "+l.access).is("200"))
		}},
		{"RSV-006", "RFC6750 §2.3; RFC9700 §4.3.2; OAuth2.1 §5.1", "MUST NOT", "a token in the query is not read", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			u, err := url.Parse(s.Fixtures.API.URL)
			if err != nil {
				return err
			}
			query := u.Query()
			query.Set("access_token", l.access)
			u.RawQuery = query.Encode()
			return s.get(ctx, u.String(), nil).is("401")
		}},
		{"RSV-012", "RFC9068 §4; RFC8725 §3.9", "MUST", "a token of another API is refused", []need{login, api, roamingClient}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.roamer, "resource", s.roamer.Resources[0])
			if err != nil {
				return err
			}
			a := s.api(ctx, l.access)
			return first(a.is("401"), a.has("WWW-Authenticate", `error="invalid_token"`))
		}},
		{"RSV-028", "RFC9728 §3", "MUST", "the API's metadata names itself and its issuer", published, func(ctx context.Context, s *subject) error {
			a := s.resourceMetadata(ctx)
			if a.status == http.StatusNotFound {
				return &unmet{"the API publishes no metadata"}
			}
			if err := first(a.is("200"), a.isJSON()); err != nil {
				return err
			}
			o := a.object()
			switch {
			case o["resource"] != s.Fixtures.API.Identifier:
				return a.wrong("resource is %q, want %q", o["resource"], s.Fixtures.API.Identifier)
			case !slices.Contains(texts(o["authorization_servers"]), s.Issuer):
				return a.wrong("authorization_servers lacks %s", s.Issuer)
			case !slices.Equal(texts(o["bearer_methods_supported"]), []string{"header"}):
				return a.wrong("bearer_methods_supported is %v, want header alone", o["bearer_methods_supported"])
			}
			return full(o)
		}},
		{"RSV-029", "RFC9728 §2", "MUST NOT", "the API signs with something", published, func(ctx context.Context, s *subject) error {
			a := s.resourceMetadata(ctx)
			if a.status == http.StatusNotFound {
				return &unmet{"the API publishes no metadata"}
			}
			if slices.Contains(texts(a.object()["resource_signing_alg_values_supported"]), "none") {
				return a.wrong("resource_signing_alg_values_supported has none")
			}
			return a.is("200")
		}},
		{"RSV-031", "RFC9700 §4.9.3; RFC6750 §5.3", "SHOULD", "no shared cache keeps what a token opened", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			a := s.api(ctx, l.access)
			if a.has("Cache-Control", "no-store") == nil {
				return first(err, a.is("200"), a.has("Vary", "Authorization"))
			}
			return first(err, a.is("200"), a.has("Cache-Control", "private"), a.has("Vary", "Authorization"))
		}},
		{"RSV-035", "ASVS 7.4.1", "MUST", "an API refuses a revoked access token within a second", []need{login, api, revocation}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			err = first(err, s.api(ctx, l.access).is("200"), s.revoke(ctx, s.app, l.access).is("200"))
			if err != nil {
				return err
			}
			return s.refusedSoon(ctx, l.access)
		}},
		{"RSV-037", "RFC6750 §2.1", "MUST", "two Authorization headers are refused", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			twice := http.Header{"Authorization": {"Bearer " + l.access, "Bearer " + l.access}}
			return first(err, s.get(ctx, s.Fixtures.API.URL, twice).is("400", "401"))
		}},
	}
}

// resourceMetadata asks where RFC 9728 §3.1 puts it: between host and path.
func (s *subject) resourceMetadata(ctx context.Context) answer {
	u, err := url.Parse(s.Fixtures.API.Identifier)
	if err != nil {
		return answer{err: plain(err)}
	}
	u.Path = "/.well-known/oauth-protected-resource" + strings.TrimSuffix(u.Path, "/")
	return s.get(ctx, u.String(), nil)
}

// header asks the API with an Authorization header as it is.
func (s *subject) header(ctx context.Context, value string) answer {
	return s.get(ctx, s.Fixtures.API.URL, http.Header{"Authorization": {value}})
}

func challengeChecks() []check {
	return []check{
		{"RSV-001", "RFC6750 §3", "MUST", "without a token there is a challenge, and no error in it", []need{api}, func(ctx context.Context, s *subject) error {
			a := s.get(ctx, s.Fixtures.API.URL, nil)
			return first(a.is("401"), a.has("WWW-Authenticate", "Bearer"), a.lacks("WWW-Authenticate", "error="))
		}},
		{"RSV-002", "RFC6750 §3.1", "MUST", "garbage is an invalid token", []need{api}, func(ctx context.Context, s *subject) error {
			a := s.header(ctx, "Bearer garbage")
			return first(a.is("401"), a.has("WWW-Authenticate", "Bearer"), a.has("WWW-Authenticate", `error="invalid_token"`))
		}},
		{"RSV-004", "RFC6750 §3.1", "SHOULD", "a header without a token, or with two, is refused", []need{login, api}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			return first(err,
				s.header(ctx, "Bearer").is("400", "401"),
				s.header(ctx, "Bearer "+l.access+" "+l.access).is("400", "401"),
				s.header(ctx, "Bearer a b").is("400", "401"))
		}},
		{"RSV-008", "RFC6750 §3.1", "SHOULD", "a user without the role is forbidden, not unknown", []need{login, adminAPI}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			a := s.get(ctx, s.Fixtures.API.AdminURL, bearer(l.access))
			return first(err, a.is("403"), a.has("WWW-Authenticate", `error="insufficient_scope"`))
		}},
		{"RSV-027", "RFC9728 §5.1", "MUST (when PRM published)", "the challenge says where the API's metadata is", []need{api, identifier}, func(ctx context.Context, s *subject) error {
			document := s.resourceMetadata(ctx)
			if document.status == http.StatusNotFound {
				return &unmet{"the API publishes no metadata"}
			}
			return s.get(ctx, s.Fixtures.API.URL, nil).has("WWW-Authenticate", `resource_metadata="`+document.url+`"`)
		}},
	}
}
