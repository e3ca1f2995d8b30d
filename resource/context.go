package resource

import "context"

type claimsKey struct{}

// WithClaims returns a context that carries the claims of the request's token.
// Only what has verified the token may call it.
func WithClaims(ctx context.Context, c *Claims) context.Context {
	return context.WithValue(ctx, claimsKey{}, c)
}

// ClaimsFrom returns what a guard has put into the request's context; false
// behind no guard.
func ClaimsFrom(ctx context.Context) (*Claims, bool) {
	c, ok := ctx.Value(claimsKey{}).(*Claims)
	return c, ok
}
