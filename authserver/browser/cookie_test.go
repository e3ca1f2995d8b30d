package browser

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
)

var (
	token = authserver.RefreshToken{SessionID: [16]byte{1}, Subject: [16]byte{2}, Secret: [16]byte{3}, SessionEpoch: 4, Counter: 1}
	key   = authserver.RefreshKey{ID: [4]byte{1}, Key: []byte("the cookies' key")}
)

func cookies(t *testing.T, issuer string, keys ...authserver.RefreshKey) *Cookies {
	t.Helper()
	c, err := NewCookies(issuer, keys)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func with(cookies ...*http.Cookie) *http.Request {
	r := httptest.NewRequest("GET", "/oauth/authorize", nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r
}

func TestCookieAttributes(t *testing.T) {
	for issuer, want := range map[string]string{
		"https://a.test":             "__Host-tw=V; Path=/; HttpOnly; Secure; SameSite=Lax",
		"https://a.test:8443":        "__Host-tw=V; Path=/; HttpOnly; Secure; SameSite=Lax",
		"https://a.test/auth":        "__Secure-tw=V; Path=/auth; HttpOnly; Secure; SameSite=Lax",
		"http://127.0.0.1:8000":      "tw-8000=V; Path=/; HttpOnly; SameSite=Lax",
		"http://127.0.0.1:8000/auth": "tw-8000=V; Path=/auth; HttpOnly; SameSite=Lax",
		"http://localhost":           "tw-80=V; Path=/; HttpOnly; SameSite=Lax",
	} {
		c := cookies(t, issuer, key)
		written := c.Write(token)
		if got := strings.Replace(written.String(), written.Value, "V", 1); got != want {
			t.Errorf("AUT-032: under %s: %s, want %s", issuer, got, want)
		}
		if got, want := c.Clear().String(), strings.Replace(strings.Replace(want, "V", "", 1), "; HttpOnly", "; Max-Age=0; HttpOnly", 1); got != want {
			t.Errorf("cleared under %s: %s, want %s", issuer, got, want)
		}
	}
}

func TestCookieIsReadAsItWasWritten(t *testing.T) {
	next := authserver.RefreshKey{ID: [4]byte{9}, Key: []byte("the key after it")}
	written := cookies(t, "https://a.test", key).Write(token)
	for name, c := range map[string]*Cookies{
		"under its key":               cookies(t, "https://a.test", key),
		"after SECRET_KEY was turned": cookies(t, "https://a.test", next, key),
	} {
		if got, ok := c.Read(with(&http.Cookie{Name: "__Host-tw", Value: "twb_x"}, written)); !ok || got != token {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
	if _, ok := cookies(t, "https://a.test", next).Read(with(written)); ok {
		t.Error("read under another key")
	}
}

func TestForgedCookiesAreNobodys(t *testing.T) {
	c := cookies(t, "https://a.test", key)
	good := c.Write(token).Value
	refuse := func(name, value string) {
		t.Helper()
		if _, ok := c.Read(with(&http.Cookie{Name: "__Host-tw", Value: value})); ok {
			t.Errorf("AUT-035: %s is taken", name)
		}
	}
	refuse("nothing", "")
	refuse("8 KiB", Prefix+strings.Repeat("A", 8<<10))
	refuse("a refresh token", token.Encode(key))
	refuse("a refresh token of another key under the cookie's prefix",
		Prefix+strings.TrimPrefix(token.Encode(authserver.RefreshKey{ID: key.ID, Key: []byte("the refresh key")}), authserver.RefreshTokenPrefix))
	if _, ok := c.Read(with(&http.Cookie{Name: "tw", Value: good})); ok {
		t.Error("a cookie of another name is taken")
	}
	b := []byte(good)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for range 10_000 {
		var random [2]byte
		rand.Read(random[:])
		i := (int(random[0])<<8 | int(random[1])) % len(b)
		was := b[i]
		b[i] = alphabet[random[1]&63]
		if b[i] != was {
			refuse("one changed byte", string(b))
		}
		b[i] = was
	}
	if _, ok := c.Read(with(&http.Cookie{Name: "__Host-tw", Value: good})); !ok {
		t.Error("the good one is refused")
	}
}
