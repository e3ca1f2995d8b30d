package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// loginAnswer wants redirects of these statuses from the login form to the client.
func (s *subject) loginAnswer(ctx context.Context, statuses ...int) error {
	b := s.newBrowser()
	l := b.open(ctx, s.ask(s.web))
	if err := b.wantsLogin(l); err != nil {
		return err
	}
	p := s.Fixtures.Pages
	a := b.press(ctx, l.answer, p.Login, []string{p.Username, s.user.Username, p.Password, s.user.Password})
	if a.err != nil {
		return a.err
	}
	if a.status != http.StatusOK && !slices.Contains(statuses, a.status) { // 200 is a consent page
		return a.wrong("got %d, want %d", a.status, statuses)
	}
	if err := a.has("Cache-Control", "no-store"); err != nil {
		return err
	}
	l = b.through(ctx, b.follow(ctx, l.request, a))
	if l.arrived && !l.posted && !slices.Contains(statuses, l.status) && l.method == http.MethodPost {
		return l.wrong("got %d, want %d", l.status, statuses)
	}
	return first(l.granted(), l.has("Cache-Control", "no-store"))
}

func loginAgain(ctx context.Context, s *subject) error {
	b := s.newBrowser()
	l := b.through(ctx, b.open(ctx, s.ask(s.web)))
	a := s.redeem(ctx, l)
	if err := first(l.granted(), a.is("200")); err != nil {
		return err
	}
	before, _ := decode(a.text("access_token"), 1)["auth_time"].(float64)
	if err := wait(ctx, 2*time.Second); err != nil {
		return err
	}
	for _, pair := range [][2]string{{"max_age", "1"}, {"max_age", "0"}, {"prompt", "login"}} {
		l = b.open(ctx, s.ask(s.web, pair[0], pair[1]))
		if err := b.wantsLogin(l); err != nil {
			return fmt.Errorf("%s=%s: %w", pair[0], pair[1], err)
		}
	}
	l = b.through(ctx, l)
	a = s.redeem(ctx, l)
	if err := first(l.granted(), a.is("200")); err != nil {
		return err
	}
	after, ok := decode(a.text("access_token"), 1)["auth_time"].(float64)
	if !ok {
		return &noted{"access tokens do not say when the user logged in"}
	}
	if after <= before {
		return a.wrong("auth_time is %v, as before the second login", after)
	}
	return nil
}

func tabs(ctx context.Context, s *subject) error {
	b, other := s.newBrowser(), s.web
	if s.webOther != nil {
		other = s.webOther
	}
	one, two := b.open(ctx, s.ask(s.web)), b.open(ctx, s.ask(other))
	if err := first(b.wantsLogin(one), b.wantsLogin(two)); err != nil {
		return err
	}
	in, too := b.through(ctx, one), b.through(ctx, two)
	if err := first(in.granted(), too.granted()); err != nil {
		return fmt.Errorf("two tabs: %w", err)
	}
	if err := b.through(ctx, b.follow(ctx, one.request, b.visit(ctx, http.MethodGet, one.url, ""))).granted(); err != nil {
		return fmt.Errorf("the way back: %w", err)
	}
	if err := b.through(ctx, one).granted(); err != nil {
		return fmt.Errorf("the form again: %w", err)
	}
	return s.redeem(ctx, too).is("200")
}
