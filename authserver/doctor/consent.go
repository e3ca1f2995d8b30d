package doctor

import (
	"context"
	"fmt"
)

// consentChecks are about what a person is asked before a client gets anything.
func consentChecks() []check {
	return []check{
		{"AUT-012", "RFC6749 §10.12", "MUST", "another site cannot consent for a person", []need{redirect, askingWeb}, func(ctx context.Context, s *subject) error {
			b, err := s.known(ctx)
			if err != nil {
				return err
			}
			page := b.open(ctx, s.ask(s.webAsks, "prompt", "consent"))
			if err := b.wantsConsent(page); err != nil {
				return err
			}
			allow := s.Fixtures.Pages.Allow
			if err := b.decide(ctx, page, allow, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.test").shown("403"); err != nil {
				return fmt.Errorf("from another site: %w", err)
			}
			for _, f := range page.forms() {
				button := f.button(allow)
				if button == nil {
					continue
				}
				bare := []string{attribute(button, "name"), attribute(button, "value")}
				if l := b.follow(ctx, page.request, b.submit(ctx, page.answer, f, bare)); l.err != nil || l.params.Has("code") {
					return first(l.err, l.wrong("a form without its hidden fields brings a code"))
				}
			}
			return nil
		}},
		{"AUT-029", "contract 10", "MUST", "who does not consent gives nothing, and who does is not asked again", []need{redirect, askingWeb}, func(ctx context.Context, s *subject) error {
			b, err := s.known(ctx)
			if err != nil {
				return err
			}
			page := b.open(ctx, s.ask(s.webAsks, "prompt", "consent"))
			if err := b.wantsConsent(page); err != nil {
				return err
			}
			l := b.decide(ctx, page, s.Fixtures.Pages.Deny)
			if err := first(l.refused("access_denied"), s.namedIn(l)); err != nil {
				return err
			}
			page = b.open(ctx, s.ask(s.webAsks, "prompt", "consent"))
			if err := first(b.wantsConsent(page), b.decide(ctx, page, s.Fixtures.Pages.Allow).granted()); err != nil {
				return err
			}
			if err := b.open(ctx, s.ask(s.webAsks)).granted(); err != nil {
				return fmt.Errorf("the same again: %w", err)
			}
			return nil
		}},
	}
}
