package authserver

import "context"

// Caller is where a request came from.
type Caller struct {
	// IP is the client's address, behind trusted proxies the forwarded one.
	IP        string
	UserAgent string
	RequestID string
}

type callerKey struct{}

// WithCaller returns ctx with c in it.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the Caller in ctx; outside a request, the zero Caller.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
