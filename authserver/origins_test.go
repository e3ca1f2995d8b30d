package authserver

import (
	"slices"
	"testing"
)

func TestOrigins(t *testing.T) {
	for _, tc := range []struct {
		name, uri, want string
	}{
		{"https", "https://spa.example.test/cb", "https://spa.example.test"},
		{"a port", "https://spa.example.test:8443/cb?x=1", "https://spa.example.test:8443"},
		{"the port of https", "https://spa.example.test:443/cb", "https://spa.example.test"},
		{"large letters", "https://SPA.example.test/CB", "https://spa.example.test"},
		{"no path", "https://spa.example.test", "https://spa.example.test"},
		{"loopback", "http://localhost:3000/cb", "http://localhost:3000"},
		{"loopback without a port", "http://127.0.0.1/cb", "http://127.0.0.1"},
		{"the port of http", "http://[::1]:80/cb", "http://[::1]"},
		{"a private-use scheme", "com.example.app:/cb", ""},
		{"a private-use scheme with a host", "com.example.app://cb/x", ""},
		{"nonsense", "https://%zz/", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var want []string
			if tc.want != "" {
				want = []string{tc.want}
			}
			if got := (Client{Public: true, RedirectURIs: []string{tc.uri}}).Origins(); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if got := (Client{RedirectURIs: []string{tc.uri}}).Origins(); got != nil {
				t.Errorf("a confidential client has %q", got)
			}
		})
	}
}
