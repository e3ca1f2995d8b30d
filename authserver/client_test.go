package authserver

import "testing"

func TestClientRedirectURI(t *testing.T) {
	c := Client{RedirectURIs: []string{"http://127.0.0.1/cb", "http://[::1]:80/cb", "http://localhost/cb?x", "com.example.app:/cb", "https://a.test:443/cb"}}
	for uri, want := range map[string]bool{
		"http://127.0.0.1/cb":          true,
		"http://127.0.0.1:51234/cb":    true,
		"http://[::1]:9/cb":            true,
		"http://[::1]/cb":              true,
		"http://localhost:8080/cb?x":   true,
		"com.example.app:/cb":          true,
		"https://a.test:443/cb":        true,
		"":                             false, // five are registered
		"https://a.test/cb":            false,
		"https://a.test:444/cb":        false,
		"http://127.0.0.1:/cb":         false,
		"http://127.0.0.1:0/cb":        false,
		"http://127.0.0.1:65536/cb":    false,
		"http://127.0.0.1:1x/cb":       false,
		"http://127.0.0.1:1":           false,
		"http://127.0.0.1:1@e.test/cb": false,
		"http://127.0.0.10/cb":         false,
		"http://localhost.e.test/cb":   false,
		"http://localhost:1/cb":        false, // without the query
		"https://127.0.0.1/cb":         false,
		"http://127.0.0.1:1\\@e/cb":    false,
		"HTTP://127.0.0.1/cb":          false,
		"http://127.0.0.1:1/cb/":       false,
		"http://127.0.0.1:1/cb#f":      false,
	} {
		if _, ok := c.RedirectURI(uri); ok != want {
			t.Errorf("AUT-001, AUT-002: %q is taken: %v", uri, ok)
		}
	}
}
