package doctor

import (
	"context"
	"strings"
)

// answerChecks look at all answers that there have been.
func answerChecks() []check {
	return []check{
		{"TOK-021", "RFC6749 §5.2", "MUST", "each refusal is JSON in the letters it may have, and gives nothing away", []need{token}, func(ctx context.Context, s *subject) error {
			for _, a := range s.seen {
				if a.status < 400 || a.status == 405 || !s.standard(a.url) {
					continue
				}
				if err := a.isJSON(); err != nil {
					return err
				}
				for _, member := range []string{"error", "error_description"} {
					if strings.ContainsFunc(a.text(member), forbidden) {
						return a.wrong("%s has a letter that RFC 6749 §5.2 does not allow", member)
					}
				}
				for _, secret := range s.secrets() {
					if strings.Contains(string(a.body), secret) {
						return a.wrong("a refusal repeats a secret of the request")
					}
				}
				for _, inside := range []string{"goroutine ", "Traceback", "at java.", "SELECT ", "$argon2", "$2b$"} {
					if strings.Contains(string(a.body), inside) {
						return a.wrong("a refusal has %q in it", inside)
					}
				}
			}
			return nil
		}},
		{"ACC-012", "ASVS 3.4; headers", "MUST", "each answer has the headers for safety, and none that tells too much", nil, func(ctx context.Context, s *subject) error {
			for _, a := range s.seen {
				if !strings.HasPrefix(a.url, s.Issuer+"/") || a.err != nil {
					continue
				}
				if err := a.has("X-Content-Type-Options", "nosniff"); err != nil {
					return err
				}
				if strings.ContainsAny(a.header.Get("Server"), "0123456789") {
					return a.wrong("Server is %q, with a version", a.header.Get("Server"))
				}
				if a.header.Get("Strict-Transport-Security") != "" && strings.HasPrefix(a.url, "http:") {
					return a.wrong("Strict-Transport-Security over http")
				}
				if a.header.Get("X-Process-Time") != "" && s.standard(a.url) && a.method == "POST" {
					return a.wrong("X-Process-Time tells how long a secret took to check")
				}
			}
			return nil
		}},
	}
}

// standard says whether an answer is of an endpoint that answers as RFC 6749 §5.2.
func (s *subject) standard(target string) bool {
	address, _, _ := strings.Cut(target, "?")
	m := s.metadata
	return address != "" && (address == m.token || address == m.introspect || address == m.revoke)
}

// secrets are all that no answer may repeat.
func (s *subject) secrets() []string {
	all := []string{wrongSecret, wrongPassword}
	for _, u := range s.Fixtures.Users {
		all = append(all, u.Password)
	}
	for _, c := range s.Fixtures.Clients {
		if !c.IsPublic() {
			all = append(all, c.Secret)
		}
	}
	for _, l := range s.open {
		all = append(all, l.refresh)
	}
	return all
}

// forbidden is a letter that error and error_description may not have.
func forbidden(r rune) bool {
	return r < 0x20 || r > 0x7e || r == '"' || r == '\\'
}
