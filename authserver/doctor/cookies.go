package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func freshCookie(ctx context.Context, s *subject) error {
	b := s.newBrowser()
	if err := b.through(ctx, b.open(ctx, s.ask(s.web))).granted(); err != nil {
		return err
	}
	before := b.cookies()
	planted := s.newBrowser() // as an attacker would, with a session of the attacker's
	planted.plant(b)
	if err := planted.through(ctx, planted.open(ctx, s.ask(s.web, "prompt", "login"))).granted(); err != nil {
		return err
	}
	changed := func(c *http.Cookie) bool {
		return !slices.ContainsFunc(planted.cookies(), func(now *http.Cookie) bool { return now.Name == c.Name && now.Value == c.Value })
	}
	if !slices.ContainsFunc(before, changed) {
		return errors.New("the cookies are the same after a login as before it")
	}
	if s.metadata.logout == "" {
		return &noted{"no logout was tried: the issuer has no end_session_endpoint"}
	}
	thief := s.newBrowser()
	thief.plant(planted)
	page := planted.visit(ctx, http.MethodGet, s.metadata.logout, "")
	if err := first(page.is("200"), planted.press(ctx, page, s.Fixtures.Pages.Logout, nil).err); err != nil {
		return err
	}
	return thief.open(ctx, s.ask(s.web, "prompt", "none")).refused("login_required")
}

// cookieFault is what is wrong with a cookie; empty if nothing is.
func (s *subject) cookieFault(c *http.Cookie) string {
	u, err := url.Parse(s.Issuer)
	if err != nil {
		return "has no issuer"
	}
	path := strings.TrimSuffix(u.Path, "/")
	secure := u.Scheme == "https"
	switch {
	case !c.HttpOnly:
		return "is not HttpOnly"
	case c.SameSite != http.SameSiteLaxMode:
		return "is not SameSite=Lax"
	case c.Domain != "":
		return "has a Domain"
	case secure != c.Secure:
		return fmt.Sprintf("has Secure: %v", c.Secure)
	case !strings.HasPrefix(c.Path, path):
		return "has the Path " + c.Path
	case secure && path == "" && !strings.HasPrefix(c.Name, "__Host-"):
		return "is not called __Host-"
	case secure && path != "" && !strings.HasPrefix(c.Name, "__Secure-"):
		return "is not called __Secure-"
	}
	return ""
}
