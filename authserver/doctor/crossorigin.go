package doctor

import (
	"context"
	"net/http"
)

func crossOriginChecks() []check {
	return []check{
		{"TOK-025", "RFC9110 §9.3.7; WHATWG CORS", "SHOULD", "a preflight is answered for an allowed origin alone", []need{token}, func(ctx context.Context, s *subject) error {
			preflight := func(origin string) answer {
				return s.send(ctx, http.MethodOptions, s.metadata.token, http.Header{
					"Origin": {origin}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"authorization,content-type"},
				}, "")
			}
			if err := preflight("https://evil.test").lacks("Access-Control-Allow-Origin", ""); err != nil {
				return err
			}
			if s.Fixtures.Origin == "" {
				return &noted{"the fixtures have no origin: seen for a strange one alone"}
			}
			a := preflight(s.Fixtures.Origin)
			if got := a.header.Get("Access-Control-Allow-Origin"); a.err == nil && got != s.Fixtures.Origin {
				return a.wrong("Access-Control-Allow-Origin is %q, want %q", got, s.Fixtures.Origin)
			}
			return first(a.is("200", "204"), a.has("Access-Control-Allow-Headers", "authorization"), a.has("Access-Control-Allow-Headers", "content-type"))
		}},
		{"TOK-026", "RFC9700 §2.6; ASVS 3.4.2", "MUST", "a strange origin may not read a token response", []need{login}, func(ctx context.Context, s *subject) error {
			header := http.Header{}
			pairs := s.password()
			if s.app.IsPublic() {
				pairs = append(pairs, "client_id", s.app.ID)
			} else {
				header = basic(s.app.ID, s.app.Secret)
			}
			header.Set("Origin", "https://evil.test")
			a := s.post(ctx, s.metadata.token, header, pairs...)
			s.opened(s.app, a)
			return first(a.is("200"), a.lacks("Access-Control-Allow-Origin", ""), a.has("Vary", "Origin"))
		}},
	}
}
