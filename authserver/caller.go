package authserver

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Caller is where a request came from.
type Caller struct {
	// IP is the client's address, behind trusted proxies the forwarded one.
	IP string
	// UserAgent is at most MaxUserAgent bytes of valid UTF-8 without control
	// characters: WithCaller sees to that.
	UserAgent string
	RequestID string
}

type callerKey struct{}

// WithCaller returns ctx with c in it.
func WithCaller(ctx context.Context, c Caller) context.Context {
	c.UserAgent = printable(c.UserAgent, MaxUserAgent)
	return context.WithValue(ctx, callerKey{}, c)
}

// printable is the beginning of s that fits into most bytes, without what no
// database takes for text and no log should show.
func printable(s string, most int) string {
	if plain := s[:min(len(s), most)]; isPlain(plain) { // nearly always
		return plain
	}
	var b strings.Builder
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsControl(r) {
			continue
		}
		if b.Len()+utf8.RuneLen(r) > most {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isPlain reports whether s is printable ASCII.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// FromCaller says in e where the request came from that ctx is of.
func FromCaller(ctx context.Context, e Event) Event {
	c := CallerFrom(ctx)
	e.IP, e.RequestID = c.IP, c.RequestID
	return e
}

// CallerFrom returns the Caller in ctx; outside a request, the zero Caller.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
