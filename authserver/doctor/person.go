package doctor

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// personChecks are about who is logged in, and in which browser.
func personChecks() []check {
	web := []need{redirect}
	return []check{
		{"AUT-008", "RFC9700 §4.12", "MUST NOT", "no redirect makes a browser send the password on", web, func(ctx context.Context, s *subject) error {
			return s.loginAnswer(ctx, 302, 303)
		}},
		{"AUT-023", "RFC9700 §4.12; contract 10", "MUST", "a login is answered by 303, not stored, and leads to the client", web, func(ctx context.Context, s *subject) error {
			return s.loginAnswer(ctx, 303)
		}},
		{"AUT-020", "OIDC Core §3.1.2.1", "MUST", "prompt=none shows nothing, and says what is missing", web, func(ctx context.Context, s *subject) error {
			if err := s.newBrowser().open(ctx, s.ask(s.web, "prompt", "none")).refused("login_required"); err != nil {
				return err
			}
			b, err := s.known(ctx)
			if err := first(err, b.open(ctx, s.ask(s.web, "prompt", "none")).granted()); err != nil {
				return err
			}
			if s.webAsks == nil || s.webAsks == s.web {
				return &noted{"consent_required was not tried: the fixtures have no second client that asks"}
			}
			l := b.open(ctx, s.ask(s.webAsks, "prompt", "none"))
			if l.granted() == nil {
				return &noted{"consent_required was not seen: the user has consented before"}
			}
			return l.refused("consent_required")
		}},
		{"AUT-021", "OIDC Core §3.1.2.1", "MUST", "who is to log in again does, and that is what the token says", web, loginAgain},
		{"AUT-043", "OIDC Core §3.1.2.1", "MUST", "one login answers max_age=0 and prompt=login", web, func(ctx context.Context, s *subject) error {
			b := s.newBrowser()
			l := b.open(ctx, s.ask(s.web, "max_age", "0", "prompt", "login"))
			return first(b.wantsLogin(l), b.through(ctx, l).granted())
		}},
		{"AUT-025", "contract 10", "MUST", "two tabs, the way back and a form that is sent twice all lead on", web, tabs},
		{"AUT-030", "RFC9700 §4.7; RFC6749 §10.12", "MUST", "nobody goes on as somebody else, from whatever page", web, elsewhere},
		{"AUT-031", "contract 10", "MUST", "a login makes a new cookie, and after a logout the old one is nobody's", web, freshCookie},
		{"AUT-032", "RFC6265bis §4.1.3", "MUST", "the login's cookie is kept from scripts, other sites and other hosts", web, func(ctx context.Context, s *subject) error {
			b, err := s.known(ctx)
			if err != nil {
				return err
			}
			if len(b.set) == 0 {
				return fmt.Errorf("a login sets no cookie")
			}
			for _, c := range b.set {
				if fault := s.cookieFault(c); fault != "" {
					return fmt.Errorf("the cookie %s %s", c.Name, fault)
				}
			}
			return nil
		}},
		{"AUT-036", "contract 14; FAPI 2.0", "MUST", "a login page can be left", web, func(ctx context.Context, s *subject) error {
			b := s.newBrowser()
			l := b.open(ctx, s.ask(s.web))
			if err := b.wantsLogin(l); err != nil {
				return err
			}
			l = b.decide(ctx, l, s.Fixtures.Pages.Cancel)
			return first(l.refused("access_denied"), s.namedIn(l), b.open(ctx, s.ask(s.web, "prompt", "none")).refused("login_required"))
		}},
		{"AUT-041", "contract 10", "MUST", "a session is listed with the person's browser, not the client's back end", []need{redirect, tutorial}, listedAs},
		{"AUT-044", "RFC6265bis §5.8.2", "MUST", "a request that another site posts asks nobody for a password again", web, func(ctx context.Context, s *subject) error {
			b, err := s.known(ctx)
			if err != nil {
				return err
			}
			// Browsers leave SameSite cookies out of such a request.
			r := s.ask(s.web)
			stranger := s.newBrowser()
			a := stranger.visit(ctx, http.MethodPost, s.metadata.authorize, r.params.Encode(), "Origin", "https://app.example", "Sec-Fetch-Site", "cross-site")
			if err := a.is("303"); err != nil {
				return err
			}
			return b.follow(ctx, r, a).granted()
		}},
	}
}

func elsewhere(ctx context.Context, s *subject) error {
	b, err := s.known(ctx)
	if err != nil {
		return err
	}
	stranger := s.newBrowser()
	page := b.open(ctx, s.ask(s.web, "prompt", "login"))
	if err := b.wantsLogin(page); err != nil {
		return err
	}
	reopened := stranger.follow(ctx, page.request, stranger.visit(ctx, http.MethodGet, page.url, ""))
	if err := stranger.wantsLogin(reopened); err != nil {
		return fmt.Errorf("a login page in another browser: %w", err)
	}
	if s.webAsks != nil {
		page := b.open(ctx, s.ask(s.webAsks, "prompt", "consent"))
		if err := b.wantsConsent(page); err != nil {
			return err
		}
		if l := stranger.decide(ctx, page, s.Fixtures.Pages.Allow); l.params.Has("code") {
			return l.wrong("a consent page that was sent in another browser brings a code")
		}
	}
	// A page whose hidden fields were changed begins afresh.
	p := s.Fixtures.Pages
	for _, f := range page.forms() {
		if f.button(p.Login) == nil {
			continue
		}
		sent := f.hidden()
		for i := 1; i < len(sent); i += 2 {
			if sent[i] != "" {
				sent[i] = flip(sent[i], len(sent[i])/2)
			}
		}
		name, value, _ := strings.Cut(p.Login, "=")
		sent = append(sent, p.Username, s.user.Username, p.Password, s.user.Password, name, value)
		l := stranger.follow(ctx, page.request, stranger.submit(ctx, page.answer, f, sent))
		if l.err != nil || l.status >= 500 || !l.arrived && !stranger.asksLogin(l) && !stranger.asksConsent(l) && l.status < 400 {
			return first(l.err, l.wrong("a changed form: got %d", l.status))
		}
	}
	return nil
}

func listedAs(ctx context.Context, s *subject) error {
	c := s.web
	if s.webSecret != nil {
		c = s.webSecret
	}
	l, err := s.code(ctx, c)
	if err != nil {
		return err
	}
	const backEnd = "doctor-back-end/1"
	header := http.Header{}
	sent := redemption(l)
	if c.IsPublic() {
		sent = append(sent, "client_id", c.ID)
	} else {
		header = basic(c.ID, c.Secret)
	}
	header.Set("User-Agent", backEnd)
	a := s.post(ctx, s.metadata.token, header, sent...)
	if err := a.is("200"); err != nil {
		return err
	}
	opened := s.opened(c, a)
	sid := text(decode(opened.access, 1), "sid")
	list := s.get(ctx, s.Issuer+"/auth/sessions", bearer(opened.access))
	sessions, _ := list.object()["sessions"].([]any)
	for _, v := range sessions {
		if o, _ := v.(map[string]any); sid != "" && o["sid"] == sid {
			if named, _ := o["user_agent"].(string); named == "" || strings.Contains(named, "doctor") {
				return list.wrong("user_agent is %q, want the browser's", named)
			}
			return nil
		}
	}
	return first(list.is("200"), list.wrong("the session %q is not listed", sid))
}
