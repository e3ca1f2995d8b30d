package doctor

import "context"

func clientChecks() []check {
	conf := []need{token, confidential}
	return []check{
		{"CLI-001", "RFC6749 §2.3.1", "MUST", "a confidential client authenticates with Basic", conf, func(ctx context.Context, s *subject) error {
			return s.opened(s.conf, s.post(ctx, s.metadata.token, basic(s.conf.ID, s.conf.Secret), s.grant(s.conf)...)).answer.is("200")
		}},
		{"CLI-002", "RFC6749 §2.3.1 + App. B", "MUST", "id and secret in Basic are form-encoded", []need{token, oddClient}, func(ctx context.Context, s *subject) error {
			return s.opened(s.odd, s.post(ctx, s.metadata.token, basic(s.odd.ID, s.odd.Secret), s.grant(s.odd)...)).answer.is("200")
		}},
		{"CLI-003", "RFC6749 §2.3.1 (MAY); OAuth2.1 >= -11 (MUST support body credentials)", "MUST (2.1)", "a confidential client authenticates in the body", conf, func(ctx context.Context, s *subject) error {
			pairs := append(s.grant(s.conf), "client_id", s.conf.ID, "client_secret", s.conf.Secret)
			return s.opened(s.conf, s.post(ctx, s.metadata.token, nil, pairs...)).answer.is("200")
		}},
		{"CLI-004", "RFC6749 §2.3, §5.2", "MUST NOT", "a client authenticates in one way at a time", conf, func(ctx context.Context, s *subject) error {
			pairs := append(s.grant(s.conf), "client_id", s.conf.ID, "client_secret", s.conf.Secret)
			return s.opened(s.conf, s.post(ctx, s.metadata.token, basic(s.conf.ID, s.conf.Secret), pairs...)).answer.is("400 invalid_request")
		}},
		{"CLI-005", "RFC6749 §2.3", "MUST", "Basic of one client and client_id of another is neither", conf, func(ctx context.Context, s *subject) error {
			pairs := append(s.grant(s.conf), "client_id", "not-"+s.conf.ID)
			return s.opened(s.conf, s.post(ctx, s.metadata.token, basic(s.conf.ID, s.conf.Secret), pairs...)).answer.is("400 invalid_request", "401 invalid_client")
		}},
		{"CLI-006", "RFC6749 §5.2; RFC9110 §11.6.1", "MUST", "a wrong secret is 401 with a Basic challenge", conf, func(ctx context.Context, s *subject) error {
			a := s.post(ctx, s.metadata.token, basic(s.conf.ID, wrongSecret), s.grant(s.conf)...)
			return first(a.is("401 invalid_client"), a.has("WWW-Authenticate", `Basic realm=`))
		}},
		{"CLI-007", "RFC6749 §5.2", "MUST", "an unknown client looks like a wrong secret", conf, func(ctx context.Context, s *subject) error {
			known := s.post(ctx, s.metadata.token, basic(s.conf.ID, wrongSecret), s.grant(s.conf)...)
			unknown := s.post(ctx, s.metadata.token, basic("no-such-client", wrongSecret), s.grant(s.conf)...)
			return first(known.is("401 invalid_client"), unknown.is("401 invalid_client"), unknown.like(known))
		}},
		{"CLI-008", "RFC6749 §5.2", "MUST", "a confidential client without credentials is 401", conf, func(ctx context.Context, s *subject) error {
			a := s.post(ctx, s.metadata.token, nil, append(s.grant(s.conf), "client_id", s.conf.ID)...)
			return first(a.is("401 invalid_client"), a.has("WWW-Authenticate", ""))
		}},
		{"CLI-010", "RFC6749 §3.2.1", "MUST", "a public client refreshes with its client_id", []need{login, publicClient}, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.pub)
			if err != nil {
				return err
			}
			return s.refresh(ctx, s.pub, l.refresh).is("200")
		}},
		{"CLI-011", "RFC6749 §2.3.1", "MUST", "a public client has no secret but an empty one", []need{login, publicClient}, func(ctx context.Context, s *subject) error {
			return first(
				s.opened(s.pub, s.token(ctx, s.pub, s.password("client_secret", "anything")...)).answer.is("401 invalid_client"),
				s.opened(s.pub, s.post(ctx, s.metadata.token, basic(s.pub.ID, "anything"), s.password()...)).answer.is("401 invalid_client"),
				s.opened(s.pub, s.post(ctx, s.metadata.token, basic(s.pub.ID, ""), s.password()...)).answer.is("200"),
			)
		}},
		{"CLI-014", "ASVS 10.4.10", "L2", "introspection and revocation want authentication", conf, func(ctx context.Context, s *subject) error {
			asked := false
			for _, target := range []string{s.metadata.introspect, s.metadata.revoke} {
				if target == "" {
					continue
				}
				asked = true
				if err := s.post(ctx, target, nil, "client_id", s.conf.ID, "token", "x").is("401 invalid_client"); err != nil {
					return err
				}
			}
			if !asked {
				return &unmet{"the issuer offers neither"}
			}
			return nil
		}},
	}
}

// wrongSecret has the length of a generated one.
const wrongSecret = "not-the-secret-not-the-secret-not-the-secre"

func credentialsChecks() []check {
	service := []need{token, serviceClient}
	return []check{
		{"CCG-001", "RFC6749 §4.4.2", "MUST", "a client asks for itself, and is the token's subject", service, func(ctx context.Context, s *subject) error {
			a := s.token(ctx, s.service, "grant_type", "client_credentials")
			if claims := decode(a.text("access_token"), 1); claims != nil && claims["sub"] != s.service.ID {
				return a.wrong("sub is %q, want the client's id", claims["sub"])
			}
			return a.is("200")
		}},
		{"CCG-002", "RFC6749 §4.4.3", "SHOULD NOT", "a client's own token brings no refresh token", service, func(ctx context.Context, s *subject) error {
			a := s.token(ctx, s.service, "grant_type", "client_credentials")
			if a.object()["refresh_token"] != nil {
				return a.wrong("it has a refresh token")
			}
			return a.is("200")
		}},
		{"CCG-003", "RFC6749 §4.4", "MUST", "a public client cannot ask for itself", []need{token, publicClient}, func(ctx context.Context, s *subject) error {
			return s.token(ctx, s.pub, "grant_type", "client_credentials").is("400 unauthorized_client", "401 invalid_client")
		}},
	}
}
