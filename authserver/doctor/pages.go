package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/net/html"
)

// pageChecks are about the pages that a person sees on the way.
func pageChecks() []check {
	web := []need{redirect}
	return []check{
		{"AUT-010", "RFC9700 §4.16", "MUST", "pages of an authorization request stand in no frame, and let its answer go anywhere", web, func(ctx context.Context, s *subject) error {
			return s.onPages(ctx, func(a answer) error {
				if policy := a.header.Get("Referrer-Policy"); policy != "same-origin" && policy != "no-referrer" {
					return a.wrong("Referrer-Policy is %q, want same-origin", policy)
				}
				return first(
					a.has("Content-Security-Policy", "frame-ancestors 'none'"), a.lacks("Content-Security-Policy", "form-action"),
					a.has("X-Frame-Options", "DENY"), a.has("Cache-Control", "no-store"), a.lacks("Cross-Origin-Opener-Policy", ""))
			})
		}},
		{"PAG-003", "contract 14", "MUST", "pages load nothing from elsewhere and run nothing that stands in them", web, func(ctx context.Context, s *subject) error {
			return s.onPages(ctx, func(a answer) error {
				return first(a.has("Content-Security-Policy", "frame-ancestors 'none'"), a.lacks("Content-Security-Policy", "'unsafe-"),
					a.has("Cache-Control", "no-store"), s.loads(a))
			})
		}},
		{"PAG-004", "contract 14", "MUST", "forms of other sites and scripts of other pages are refused", web, strangers},
		{"PAG-005", "contract 14", "MUST", "a login page tells a stranger no more than who mistypes", web, func(ctx context.Context, s *subject) error {
			b := s.newBrowser()
			page := b.open(ctx, s.ask(s.web))
			if err := b.wantsLogin(page); err != nil {
				return err
			}
			said := func(username, password string) (answer, string) {
				l := b.logIn(ctx, page, username, password)
				if l.arrived {
					l.err = l.wrong("%s got in", username)
				}
				return l.answer, strings.ReplaceAll(words(l.document()), username, "")
			}
			wrong, want := said(s.user.Username, wrongPassword)
			unknown, got := said("no-such-user", wrongPassword)
			if err := first(wrong.is("400", "401", "200"), unknown.is("400", "401", "200")); err != nil {
				return err
			}
			if unknown.status != wrong.status || got != want {
				return unknown.wrong("an unknown user is told something else than a wrong password")
			}
			if s.disabled == nil {
				return nil
			}
			disabled, got := said(s.disabled.Username, s.disabled.Password)
			if disabled.err != nil || disabled.status != wrong.status || got != want {
				return first(disabled.err, disabled.wrong("a disabled user is told something else than a wrong password"))
			}
			return nil
		}},
		{"PAG-006", "contract 14", "MUST", "what a request brings is text on a page", web, func(ctx context.Context, s *subject) error {
			const script = `"'><script src=x>alert(1)</script>`
			b := s.newBrowser()
			for name, value := range map[string]string{"login_hint": script, "state": script, "client_id": script} {
				l := b.open(ctx, s.ask(s.web, name, value))
				if err := l.shown("200", "400"); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				if strings.Contains(string(l.body), "<script src=x>") {
					return l.wrong("%s is HTML on the page", name)
				}
			}
			return nil
		}},
		{"PAG-008", "contract 14", "SHOULD", "fields say what they are, and an error which field it is about", web, func(ctx context.Context, s *subject) error {
			b := s.newBrowser()
			page := b.open(ctx, s.ask(s.web))
			if err := first(b.wantsLogin(page), s.fieldsSay(page.answer)); err != nil {
				return err
			}
			again := b.logIn(ctx, page, s.user.Username, wrongPassword)
			if err := again.shown("400", "401", "200"); err != nil {
				return err
			}
			return s.described(again.answer)
		}},
	}
}

// onPages looks at the pages that there are: of a login, of a consent if somebody
// is asked, and of an error.
func (s *subject) onPages(ctx context.Context, look func(answer) error) error {
	b := s.newBrowser()
	login := b.open(ctx, s.ask(s.web))
	fault := b.open(ctx, s.ask(s.web, "redirect_uri", "https://evil.test/"))
	if err := first(b.wantsLogin(login), look(login.answer), fault.shown("400"), look(fault.answer)); err != nil {
		return err
	}
	if s.webAsks == nil {
		return &noted{"no consent page was seen: the fixtures have no client that asks"}
	}
	known, err := s.known(ctx)
	if err != nil {
		return err
	}
	consent := known.open(ctx, s.ask(s.webAsks, "prompt", "consent"))
	return first(known.wantsConsent(consent), look(consent.answer))
}

// loads wants a page to load nothing from another origin.
func (s *subject) loads(page answer) error {
	for n := range page.document().Descendants() {
		if n.Type != html.ElementNode || n.Data == "a" || n.Data == "form" {
			continue
		}
		for _, name := range []string{"src", "href", "srcset", "data", "poster"} {
			if to := attribute(n, name); to != "" && !strings.HasPrefix(to, "data:") && !s.own(resolve(page.url, to)) {
				return page.wrong("it loads %s", to)
			}
		}
		if n.Data == "script" && !has(n, "src") {
			return page.wrong("a script stands in the page")
		}
	}
	return nil
}

func strangers(ctx context.Context, s *subject) error {
	known, err := s.known(ctx)
	if err != nil {
		return err
	}
	b := s.newBrowser()
	page := b.open(ctx, s.ask(s.web))
	if err := b.wantsLogin(page); err != nil {
		return err
	}
	for how, header := range map[string][]string{
		"a form of another site":            {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.test"},
		"a form of an older browser's site": {"Sec-Fetch-Site", "", "Origin", "https://evil.test"},
	} {
		if err := b.logIn(ctx, page, s.user.Username, s.user.Password, header...).shown("403"); err != nil {
			return fmt.Errorf("%s: %w", how, err)
		}
	}
	if b.open(ctx, s.ask(s.web, "prompt", "none")).granted() == nil {
		return errors.New("another site has logged somebody in")
	}
	for _, dest := range []string{"empty", "iframe"} {
		a := known.visit(ctx, http.MethodGet, s.address(s.ask(s.web)), "", "Sec-Fetch-Dest", dest, "Sec-Fetch-Mode", "cors")
		if err := a.is("403"); err != nil {
			return fmt.Errorf("with Sec-Fetch-Dest: %s: %w", dest, err)
		}
	}
	return nil
}

// loginFields are the two fields of a login page.
func (s *subject) loginFields(page answer) (username, password *html.Node, err error) {
	p := s.Fixtures.Pages
	for _, f := range page.forms() {
		if username, password = f.field(p.Username), f.field(p.Password); username != nil && password != nil {
			return username, password, nil
		}
	}
	return nil, nil, page.wrong("no form has the fields %s and %s", p.Username, p.Password)
}

func (s *subject) fieldsSay(page answer) error {
	username, password, err := s.loginFields(page)
	if err != nil {
		return err
	}
	labelled := map[string]bool{}
	for n := range page.document().Descendants() {
		if n.Type == html.ElementNode && n.Data == "label" && words(n) != "" {
			labelled[attribute(n, "for")] = true
		}
	}
	for token, field := range map[string]*html.Node{"username": username, "current-password": password} {
		if !strings.Contains(attribute(field, "autocomplete"), token) {
			return page.wrong("the field %s has autocomplete %q, want %s", attribute(field, "name"), attribute(field, "autocomplete"), token)
		}
		if !labelled[attribute(field, "id")] && attribute(field, "aria-label") == "" {
			return page.wrong("the field %s has no label", attribute(field, "name"))
		}
	}
	if !has(username, "autofocus") && !has(password, "autofocus") {
		return page.wrong("no field has the focus")
	}
	return nil
}

// described wants a page with an error to tie it to a field.
func (s *subject) described(page answer) error {
	username, password, err := s.loginFields(page)
	if err != nil {
		return err
	}
	for n := range page.document().Descendants() {
		id := attribute(n, "id")
		if id != "" && words(n) != "" && (id == attribute(username, "aria-describedby") || id == attribute(password, "aria-describedby")) {
			if !has(username, "autofocus") && !has(password, "autofocus") {
				return page.wrong("no field has the focus")
			}
			return nil
		}
	}
	return page.wrong("no field is described by the error")
}
