package doctor

import (
	"net/http"
	"slices"
	"strings"
)

// granted wants a code for the request, and nothing lost on the way.
func (l landing) granted() error {
	if err := l.told(); err != nil {
		return err
	}
	if l.params.Get("code") == "" {
		return l.wrong("the client is told %q, want a code", l.params.Get("error"))
	}
	return nil
}

// refused wants the client to be told one of the errors.
func (l landing) refused(want ...string) error {
	if err := l.told(); err != nil {
		return err
	}
	if got := l.params.Get("error"); l.params.Has("code") || !slices.Contains(want, got) {
		return l.wrong("the client is told %q, want %s", got, strings.Join(want, " or "))
	}
	return nil
}

// told wants an answer at the client, with the state that it gave.
func (l landing) told() error {
	if l.err != nil {
		return l.err
	}
	if !l.arrived {
		if l.status == http.StatusTooManyRequests {
			return l.is("200")
		}
		return l.wrong("got a page with %d, want an answer for the client", l.status)
	}
	state := l.request.sent()["state"]
	if len(state) < 2 && !slices.Equal(l.params["state"], state) {
		return l.wrong("state is %q, want %q", l.params["state"], state)
	}
	return nil
}

// shown wants a page, with one of the statuses.
func (l landing) shown(want ...string) error {
	if l.err == nil && l.arrived {
		return l.wrong("the client is answered, want a page")
	}
	return l.is(want...)
}

// wantsLogin wants l to be a login page.
func (b *browser) wantsLogin(l landing) error {
	if err := l.shown("200"); err != nil {
		return err
	}
	if !b.asksLogin(l) {
		return l.wrong("no login page: no form has the field %q", b.Fixtures.Pages.Password)
	}
	return nil
}

func (b *browser) wantsConsent(l landing) error {
	if err := l.shown("200"); err != nil {
		return err
	}
	if !b.asksConsent(l) {
		return l.wrong("no consent page: no form has the button %q", b.Fixtures.Pages.Allow)
	}
	return nil
}

// namedIn wants the answer to name the issuer, where the metadata says so (RFC 9207).
func (s *subject) namedIn(l landing) error {
	if s.metadata.named && !slices.Equal(l.params["iss"], []string{s.Issuer}) {
		return l.wrong("iss is %q, want %q", l.params["iss"], s.Issuer)
	}
	return nil
}
