package doctor

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
)

func accountChecks() []check {
	return []check{
		{"ACC-001", "seed §register; ASVS 8.2", "MUST", "nobody registers with a role, disabled, or with an id", []need{tutorial}, func(ctx context.Context, s *subject) error {
			for member, value := range map[string]any{"roles": []string{"admin"}, "is_active": false, "id": 1} {
				a := s.register(ctx, strangePassword, member, value)
				if err := a.is("403"); err != nil {
					return fmt.Errorf("%s: %w", member, err)
				}
			}
			return nil
		}},
		{"ACC-002", "ASVS 6.2.1/6.2.4/6.2.12", "L1/L2", "a short or common password is refused, and not repeated", []need{tutorial}, func(ctx context.Context, s *subject) error {
			for _, password := range []string{"Xq7~v!w", "password1"} {
				a := s.register(ctx, password, "full_name", "Doctor")
				if err := a.is("422", "400"); err != nil {
					return err
				}
				if bytes.Contains(a.body, []byte(password)) {
					return a.wrong("the answer repeats the password")
				}
			}
			return nil
		}},
		{"ACC-013", "ASVS 7.5.2, 10.4.9", "L2", "users list and end their own sessions, and no other's", []need{tutorial, login}, func(ctx context.Context, s *subject) error {
			here, err1 := s.login(ctx, s.app)
			there, err2 := s.login(ctx, s.app)
			if err := first(err1, err2); err != nil {
				return err
			}
			list := s.get(ctx, s.Issuer+"/auth/sessions", bearer(here.access))
			if err := list.is("200"); err != nil {
				return err
			}
			sid := text(decode(there.access, 1), "sid")
			found := false
			sessions, _ := list.object()["sessions"].([]any)
			for _, v := range sessions {
				o, _ := v.(map[string]any)
				found = found || sid != "" && o["sid"] == sid
			}
			if !found {
				return list.wrong("the session %q is not listed", sid)
			}
			if s.other != nil {
				a := s.token(ctx, s.app, "grant_type", "password", "username", s.other.Username, "password", s.other.Password)
				others := s.opened(s.app, a)
				if err := first(a.is("200"), s.end(ctx, sid, others.access).is("404")); err != nil {
					return fmt.Errorf("by another user: %w", err)
				}
			}
			if s.service != nil {
				a := s.token(ctx, s.service, "grant_type", "client_credentials")
				if err := s.end(ctx, sid, a.text("access_token")).is("403"); err != nil {
					return fmt.Errorf("by a client's own token: %w", err)
				}
			}
			return first(s.end(ctx, sid, here.access).is("204"), s.refresh(ctx, s.app, there.refresh).is("400 invalid_grant"))
		}},
	}
}

// strangePassword passes any rule for passwords.
const strangePassword = "Xq7~vw-Kd93-ohm-Lrt"

// register tries to make an account that has to be refused for one member.
func (s *subject) register(ctx context.Context, password, member string, value any) answer {
	name := "doctor-" + rand.Text()[:8]
	body, err := json.Marshal(map[string]any{"username": name, "email": name + "@doctor.invalid", "password": password, member: value})
	if err != nil {
		return answer{err: err}
	}
	return s.send(ctx, http.MethodPost, s.Issuer+"/auth/register", http.Header{"Content-Type": {"application/json"}}, string(body))
}

// end asks to end a session.
func (s *subject) end(ctx context.Context, sid, access string) answer {
	return s.send(ctx, http.MethodDelete, s.Issuer+"/auth/sessions/"+sid, bearer(access), "")
}
