package resource

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/subtle"
	"time"
)

// Key verifies signatures of one algorithm, and of no other (RFC 8725 §3.1).
type Key struct {
	// ID is the kid.
	ID string
	// Algorithm is the JWS name: "ES256", "EdDSA", "RS256" or "HS256".
	Algorithm string
	// Public is an *ecdsa.PublicKey, an ed25519.PublicKey or an *rsa.PublicKey;
	// for HS256 it is the shared secret as a []byte.
	Public any
	// Until is when another key had taken its place: a token issued then or later
	// is not its own. Zero is no bound.
	Until time.Time
}

// KeySource finds the issuer's keys. It may be called concurrently, once for
// every request, so that it has to answer from memory as a rule.
type KeySource interface {
	// Key returns ErrUnknownKey if the issuer has no such key (any more). Every
	// other error means that the source cannot tell; it should wrap
	// ErrUnavailable.
	Key(ctx context.Context, kid string) (Key, error)
}

// same says whether both are one key, without allocation if a source returns
// the same pointer each time.
func (k Key) same(o Key) bool {
	if k.ID != o.ID || k.Algorithm != o.Algorithm || !k.Until.Equal(o.Until) {
		return false
	}
	switch p := k.Public.(type) {
	case *ecdsa.PublicKey:
		return p == o.Public || p.Equal(o.Public)
	case *rsa.PublicKey:
		return p == o.Public || p.Equal(o.Public)
	case ed25519.PublicKey:
		return p.Equal(o.Public)
	case []byte:
		q, ok := o.Public.([]byte)
		return ok && subtle.ConstantTimeCompare(p, q) == 1
	}
	return false
}
