package doctor

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// request is an authorization request that is good, but for what a check changes.
type request struct {
	client   *Client
	params   url.Values
	uri      string // where its answer goes
	verifier string
	// pushed has the parameters of one that params only name.
	pushed url.Values
}

// sent are the parameters of the request itself.
func (r request) sent() url.Values {
	if r.pushed != nil {
		return r.pushed
	}
	return r.params
}

// ask makes a request of c. Pairs replace its parameters; an empty value takes one
// out.
func (s *subject) ask(c *Client, pairs ...string) request {
	r := request{client: c, uri: c.RedirectURIs[0], verifier: rand.Text() + rand.Text()}
	sum := sha256.Sum256([]byte(r.verifier))
	r.params = url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {r.uri}, "state": {rand.Text()},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	if len(c.Scopes) > 0 {
		r.params.Set("scope", c.Scopes[0])
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if r.params.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			r.params.Del(pairs[i])
		}
	}
	return r
}

// address is r as a link.
func (s *subject) address(r request) string {
	separator := "?"
	if strings.Contains(s.metadata.authorize, "?") {
		separator = "&"
	}
	return s.metadata.authorize + separator + r.params.Encode()
}

// landing is where a request has led: to the client, or to a page.
type landing struct {
	answer
	request request
	arrived bool       // at the client's redirect URI
	params  url.Values // what came with it
	posted  bool       // by form_post
}

// open asks for r by a link and follows the issuer's redirects.
func (b *browser) open(ctx context.Context, r request, header ...string) landing {
	return b.follow(ctx, r, b.visit(ctx, http.MethodGet, b.address(r), "", header...))
}

// follow goes on from an answer until there is a page, or the client.
func (b *browser) follow(ctx context.Context, r request, a answer) landing {
	for range 10 {
		to := a.header.Get("Location")
		if a.err != nil || a.status < 300 || a.status > 399 || to == "" {
			break
		}
		to = resolve(a.url, to)
		if rest, ok := strings.CutPrefix(to, r.uri); ok && (rest == "" || strings.ContainsAny(rest[:1], "?&#")) {
			u, err := url.Parse(to)
			if err != nil {
				a.err = a.wrong("Location is no address")
				break
			}
			if u.Fragment != "" {
				a.err = a.wrong("the answer stands in a fragment")
			}
			return landing{answer: a, request: r, arrived: true, params: u.Query()}
		}
		if !b.own(to) {
			a.err = a.wrong("redirected to %s, which is neither the issuer's nor the client's", strings.SplitN(to, "?", 2)[0])
			break
		}
		a = b.visit(ctx, http.MethodGet, to, "")
	}
	l := landing{answer: a, request: r}
	for _, f := range a.forms() {
		if f.action == r.uri && a.err == nil {
			l.arrived, l.posted, l.params = true, true, url.Values{}
			for pairs := f.hidden(); len(pairs) > 1; pairs = pairs[2:] {
				l.params.Add(pairs[0], pairs[1])
			}
		}
	}
	return l
}

// own says whether an address is of the authorization endpoint's origin.
func (s *subject) own(address string) bool {
	u, err1 := url.Parse(address)
	own, err2 := url.Parse(s.metadata.authorize)
	return err1 == nil && err2 == nil && u.Scheme == own.Scheme && u.Host == own.Host
}

// asksLogin says whether l is a login page, and asksConsent a consent page.
func (b *browser) asksLogin(l landing) bool {
	return slices.ContainsFunc(l.forms(), func(f htmlForm) bool { return f.field(b.Fixtures.Pages.Password) != nil })
}

func (b *browser) asksConsent(l landing) bool {
	return !l.arrived && slices.ContainsFunc(l.forms(), func(f htmlForm) bool { return f.button(b.Fixtures.Pages.Allow) != nil })
}

// logIn fills in a login page.
func (b *browser) logIn(ctx context.Context, l landing, username, password string, header ...string) landing {
	p := b.Fixtures.Pages
	return b.follow(ctx, l.request, b.press(ctx, l.answer, p.Login, []string{p.Username, username, p.Password, password}, header...))
}

// decide presses a button of the consent page, or another.
func (b *browser) decide(ctx context.Context, l landing, called string, header ...string) landing {
	return b.follow(ctx, l.request, b.press(ctx, l.answer, called, nil, header...))
}

// through does what the user would, once each: log in, and consent.
func (b *browser) through(ctx context.Context, l landing) landing {
	if b.asksLogin(l) {
		l = b.logIn(ctx, l, b.user.Username, b.user.Password)
	}
	if b.asksConsent(l) {
		l = b.decide(ctx, l, b.Fixtures.Pages.Allow)
	}
	return l
}
