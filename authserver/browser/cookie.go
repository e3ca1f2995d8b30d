// Package browser owns what a browser keeps of a person's login: the cookie.
// Its value is written and read here, and names a session of the store without
// asking it: a forged one is known by its MAC.
//
//	t, ok := cookies.Read(r)            // nobody is asked
//	ask := authserver.Ask{Subject: t.Sub(), SessionID: t.SID()}
//	http.SetCookie(w, cookies.Write(t)) // at each authentication, not at each request
//	http.SetCookie(w, cookies.Clear())  // at logout
package browser

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tokenwright/tokenwright/authserver"
)

// Prefix starts the value of every cookie, as authserver.RefreshTokenPrefix does
// a refresh token.
const Prefix = "twb_"

// maxTries is how many cookies of the name are looked at: a page of another path
// or a neighbour on the machine may have set some.
const maxTries = 4

// Cookies writes and reads the cookies of one issuer.
type Cookies struct {
	name, path string
	secure     bool
	keys       []authserver.RefreshKey
}

// NewCookies names the cookie after the issuer, so that no other host, path or
// port can set it where a browser prevents that (RFC 6265bis §4.1.3). The first
// of keys writes, all read; they are of no other use.
func NewCookies(issuer string, keys []authserver.RefreshKey) (*Cookies, error) {
	u, err := url.Parse(issuer)
	if err != nil {
		return nil, fmt.Errorf("parse issuer: %w", err)
	}
	c := &Cookies{path: "/", secure: u.Scheme == "https", keys: keys}
	if u.EscapedPath() != "" {
		c.path = u.EscapedPath()
	}
	switch {
	case c.secure && c.path == "/":
		c.name = "__Host-tw"
	case c.secure:
		c.name = "__Secure-tw"
	case u.Port() == "":
		c.name = "tw-80"
	default: // cookies do not tell ports apart (RFC 6265 §8.5)
		c.name = "tw-" + u.Port()
	}
	return c, nil
}

// Read returns what the request's cookie says, and false without one of ours.
// Whether that session is alive is for the stores to say.
func (c *Cookies) Read(r *http.Request) (authserver.RefreshToken, bool) {
	for i, cookie := range r.CookiesNamed(c.name) {
		if i == maxTries {
			break
		}
		text, ok := strings.CutPrefix(cookie.Value, Prefix)
		if !ok {
			continue
		}
		// A refresh token but for its prefix and its key.
		if t, err := authserver.ParseRefreshToken(authserver.RefreshTokenPrefix+text, c.keys); err == nil {
			return t, true
		}
	}
	return authserver.RefreshToken{}, false
}

// Write is the cookie that says t. It lasts as long as the browser runs; its
// session ends by its own deadlines.
func (c *Cookies) Write(t authserver.RefreshToken) *http.Cookie {
	return c.cookie(Prefix + strings.TrimPrefix(t.Encode(c.keys[0]), authserver.RefreshTokenPrefix))
}

// Clear is the cookie that takes it out of the browser.
func (c *Cookies) Clear() *http.Cookie {
	cookie := c.cookie("")
	cookie.MaxAge = -1
	return cookie
}

func (c *Cookies) cookie(value string) *http.Cookie {
	return &http.Cookie{
		Name: c.name, Value: value, Path: c.path, Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}
