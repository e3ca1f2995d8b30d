package web

import (
	"crypto/rand"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver"
)

const headerRequestID = "X-Request-Id"

// identify says who asks: it gives the request its id and puts the caller into
// its context.
func (s *Site) identify(c *gin.Context) {
	id := c.Request.Header.Get(headerRequestID)
	if !validRequestID(id) {
		id = rand.Text()
	}
	c.Writer.Header()[headerRequestID] = []string{id}
	c.Request = c.Request.WithContext(authserver.WithCaller(c.Request.Context(), authserver.Caller{
		IP:        s.callerIP(c.Request),
		UserAgent: c.Request.UserAgent(),
		RequestID: id,
	}))
}

// validRequestID keeps what ends up in logs short and plain.
func validRequestID(id string) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	for _, b := range []byte(id) {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '.', b == '_', b == '-':
		default:
			return false
		}
	}
	return true
}

// callerIP is the peer's address or, behind trusted proxies, the last address in
// X-Forwarded-For that is none of theirs. Each proxy appends whom it serves, so
// that everything left of that address is hearsay.
func (s *Site) callerIP(r *http.Request) string {
	peer, ok := peerAddr(r)
	if !ok {
		return ""
	}
	forwarded := r.Header.Values("X-Forwarded-For")
	if len(forwarded) == 0 {
		return peer.String()
	}
	if !s.trusts(peer) {
		s.warnOnce.Do(func() {
			s.settings.Logger.WarnContext(r.Context(), "forwarding headers ignored; list the proxy in TRUSTED_PROXIES if it is yours", "ip", peer.String())
		})
		return peer.String()
	}
	caller := peer
	for _, text := range slices.Backward(strings.Split(strings.Join(forwarded, ","), ",")) {
		addr, ok := forwardedAddr(strings.TrimSpace(text))
		if !ok {
			break
		}
		caller = addr
		if !s.trusts(caller) {
			break
		}
	}
	return caller.String()
}

// forwardedAddr reads an address as proxies write it: alone, in brackets, with a
// port.
func forwardedAddr(text string) (netip.Addr, bool) {
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
		text = strings.TrimSuffix(inner, "]")
		if !strings.Contains(text, ":") {
			return netip.Addr{}, false // only IPv6 is bracketed
		}
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		var port netip.AddrPort
		port, err = netip.ParseAddrPort(text)
		addr = port.Addr()
	}
	return addr.Unmap().WithZone(""), err == nil
}

// overTLS reports whether the caller's connection is encrypted, here or at a
// trusted proxy.
func (s *Site) overTLS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	proto := r.Header.Values("X-Forwarded-Proto")
	if len(proto) == 0 {
		return false
	}
	peer, ok := peerAddr(r)
	last := proto[len(proto)-1]
	return ok && s.trusts(peer) && strings.EqualFold(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:]), "https")
}

func peerAddr(r *http.Request) (netip.Addr, bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return peer.Addr().Unmap().WithZone(""), err == nil
}

func (s *Site) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(s.settings.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}
