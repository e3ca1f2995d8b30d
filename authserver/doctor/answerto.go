package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// answerToChecks are about what a client is told, and how.
func answerToChecks() []check {
	web := []need{redirect}
	return []check{
		{"MET-010", "RFC9207 §3", "MUST", "answers name the issuer, and the metadata says so", web, func(ctx context.Context, s *subject) error {
			l, err := s.code(ctx, s.web)
			refusal := s.newBrowser().open(ctx, s.ask(s.web, "response_type", "unknown"))
			if err := first(err, refusal.refused("unsupported_response_type")); err != nil {
				return err
			}
			if !s.metadata.named {
				if l.params.Has("iss") || refusal.params.Has("iss") {
					return fmt.Errorf("authorization_response_iss_parameter_supported is not true, and iss is there")
				}
				return &unmet{"the issuer does not say that its answers name it"}
			}
			return first(s.namedIn(l), s.namedIn(refusal))
		}},
		{"AUT-014", "RFC9207 §2; RFC6749 §4.1.2", "MUST", "state comes back as it was, and iss with it", web, func(ctx context.Context, s *subject) error {
			for _, state := range []string{"", strings.Repeat("s", 512), "%41%zz&a=b;+ +#", `"><b>'\`, "käse 密码"} {
				l, err := s.code(ctx, s.web, "state", state)
				refusal := s.newBrowser().open(ctx, s.ask(s.web, "state", state, "response_type", "unknown"))
				if err := first(err, s.namedIn(l), refusal.refused("unsupported_response_type"), s.namedIn(refusal)); err != nil {
					return fmt.Errorf("state %.20q: %w", state, err)
				}
			}
			return nil
		}},
		{"AUT-033", "OAuth 2.0 form_post §2", "MUST", "form_post is a form with a button, its values escaped", []need{redirect, formPost}, func(ctx context.Context, s *subject) error {
			l, err := s.code(ctx, s.web, "response_mode", "form_post", "state", `"><b>&'<script>`)
			if err != nil {
				return err
			}
			if !l.posted {
				return l.wrong("the answer comes by redirect")
			}
			i := slices.IndexFunc(l.forms(), func(f htmlForm) bool { return f.action == l.request.uri })
			if f := l.forms()[i]; f.method != "POST" || len(f.buttons) == 0 {
				return l.wrong("the form is sent by %q and has %d buttons, want POST and one", f.method, len(f.buttons))
			}
			return first(s.namedIn(l), s.redeem(ctx, l).is("200"))
		}},
	}
}
