package web

import (
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// A host that is let through is one of those that are allowed, whatever stands
// around its name.
func FuzzHost(f *testing.F) {
	for _, host := range []string{
		"localhost", "LOCALHOST:8000", "a.example.com", ".example.com", "example.com", "evilexample.com", "[::1]:8000", "::1",
		"localhost:evil.example", "localhost@evil.example", "[localhost]", "", ":", "a.example.com.", "a.example.com\x00",
	} {
		f.Add(host)
	}
	s := &Site{hosts: hostPatterns([]string{"localhost", "[::1]", "*.example.com"})}
	f.Fuzz(func(t *testing.T, host string) {
		if !s.allowsHost(host) {
			return
		}
		name := strings.NewReplacer("[", "", "]", "").Replace(strings.ToLower(host))
		if i := strings.LastIndexByte(name, ':'); i >= 0 && name != "::1" {
			name = name[:i]
		}
		if name != "localhost" && name != "::1" && !strings.HasSuffix(name, ".example.com") {
			t.Errorf("%q is let through", host)
		}
	})
}

// A stranger's address is its peer's; behind a trusted proxy it is an address
// that the header has, and never anything else that stands there.
func FuzzForwarded(f *testing.F) {
	for _, header := range []string{
		"203.0.113.7", "203.0.113.7, 10.0.0.1", "1.1.1.1,203.0.113.7 ,10.0.0.9", "::ffff:203.0.113.7", "fe80::1%eth0", "[::1]:80",
		"unknown", "203.0.113.7:80", ",,,", "10.0.0.1", "\x00", "1.2.3.4.5",
	} {
		f.Add(header, "https")
	}
	s := &Site{settings: Settings{
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Logger:         slog.New(slog.DiscardHandler),
	}}
	f.Fuzz(func(t *testing.T, forwarded, proto string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-Forwarded-For", forwarded)
		r.Header.Set("X-Forwarded-Proto", proto)

		r.RemoteAddr = "198.51.100.1:4444"
		if got := s.callerIP(r); got != "198.51.100.1" || s.overTLS(r) {
			t.Errorf("a stranger is taken for %q", got)
		}
		r.RemoteAddr = "10.0.0.1:4444"
		got := s.callerIP(r)
		addr, err := netip.ParseAddr(got)
		if err != nil || addr.Is4In6() || addr.Zone() != "" {
			t.Errorf("%q behind a proxy is %q", forwarded, got)
		}
		if !s.trusts(addr) && !strings.Contains(forwarded, ",") {
			text := strings.TrimSpace(forwarded)
			stated, err := netip.ParseAddr(strings.Trim(text, "[]"))
			if err != nil {
				with, _ := netip.ParseAddrPort(text)
				stated = with.Addr()
			}
			if stated.Unmap().WithZone("") != addr {
				t.Errorf("%q behind a proxy is %q", forwarded, got)
			}
		}
	})
}
