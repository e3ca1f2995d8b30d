package web_test

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver/web"
)

func TestCaller(t *testing.T) {
	serve := func(f *fixture, peer string, headers map[string]string) *httptest.ResponseRecorder {
		req := httptest.NewRequest("GET", "http://auth.example.test/route", nil)
		req.RemoteAddr = peer
		for name, value := range headers {
			req.Header.Set(name, value)
		}
		return f.serve(req)
	}
	proxies := func(s *web.Settings) {
		s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	}
	for _, tc := range []struct{ name, peer, forwarded, want string }{
		{"nobody forwards", "203.0.113.9:1", "", "203.0.113.9"},
		{"a stranger forwards", "203.0.113.9:1", "198.51.100.1", "203.0.113.9"},
		{"a proxy forwards", "10.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{"what the caller made up is left of it", "10.0.0.1:1", "192.0.2.66, 198.51.100.1", "198.51.100.1"},
		{"two proxies", "10.0.0.1:1", "198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{"an IPv6 proxy and caller", "[fd00::1]:1", "2001:db8::7", "2001:db8::7"},
		{"what is no address ends the walk", "10.0.0.1:1", "198.51.100.1, junk, 10.0.0.2", "10.0.0.2"},
		{"with a port", "10.0.0.1:1", "198.51.100.1:4711", "198.51.100.1"},
		{"IPv6 in brackets", "10.0.0.1:1", "[2001:db8::7]", "2001:db8::7"},
		{"IPv6 in brackets with a port", "10.0.0.1:1", "[2001:db8::7]:4711, [fd00::2]:80", "2001:db8::7"},
		{"half a bracket is no address", "10.0.0.1:1", "198.51.100.1, [2001:db8::7", "10.0.0.1"},
		{"IPv4 in brackets is none", "10.0.0.1:1", "[198.51.100.1]", "10.0.0.1"},
		{"an IPv4 address in IPv6", "[::ffff:10.0.0.1]:1", "::ffff:198.51.100.1", "198.51.100.1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t, proxies)
			h := map[string]string{}
			if tc.forwarded != "" {
				h["X-Forwarded-For"] = tc.forwarded
			}
			serve(f, tc.peer, h)
			if got := f.line()["ip"]; got != tc.want {
				t.Errorf("ip %v, want %s", got, tc.want)
			}
		})
	}
	t.Run("a stranger's forwarding headers give one warning", func(t *testing.T) {
		f := newFixture(t, proxies)
		for range 3 {
			serve(f, "203.0.113.9:1", map[string]string{"X-Forwarded-For": "198.51.100.1"})
		}
		if n := strings.Count(f.log.String(), "TRUSTED_PROXIES"); n != 1 {
			t.Errorf("%d warnings", n)
		}
	})
	t.Run("ACC-012 HSTS goes out over https only, as a trusted proxy has it", func(t *testing.T) {
		f := newFixture(t, proxies)
		https := map[string]string{"X-Forwarded-Proto": "https"}
		if got := serve(f, "10.0.0.1:1", https).Header().Get("Strict-Transport-Security"); got == "" {
			t.Error("missing behind a proxy that speaks https")
		}
		for _, w := range []*httptest.ResponseRecorder{
			serve(f, "203.0.113.9:1", https), serve(f, "10.0.0.1:1", nil), serve(f, "10.0.0.1:1", map[string]string{"X-Forwarded-Proto": "https, http"}),
		} {
			if w.Header().Get("Strict-Transport-Security") != "" {
				t.Error("sent over http")
			}
		}
	})
}
