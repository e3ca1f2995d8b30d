package authserver

import "time"

// SealedKey is a signing key as a store keeps it: the private half is encrypted
// under a key that is derived from SECRET_KEY.
type SealedKey struct {
	// KID is the RFC 7638 thumbprint of the public key.
	KID string
	// Algorithm is the JWS algorithm that the key is for, and no other (RFC 8725 §3.1).
	Algorithm string
	// Generation numbers the keys of one algorithm from 1; a store takes each
	// number once, so that of several servers one makes the next key.
	Generation int64
	// Sealed is empty once the key was burnt: no server can use it any more,
	// whatever its clock says.
	Sealed    []byte
	CreatedAt time.Time
	// ActiveAt is when it may first sign; it is published from CreatedAt on.
	ActiveAt time.Time
	// RemoveAt is when it leaves the published set; zero until it has signed its
	// last token.
	RemoveAt time.Time
}

// Begins is when k signs its first token. ActiveAt may lie before CreatedAt, for
// the sake of servers whose clocks are behind.
func (k SealedKey) Begins() time.Time {
	if k.ActiveAt.Before(k.CreatedAt) {
		return k.CreatedAt
	}
	return k.ActiveAt
}

// Burnt reports whether the private half has been destroyed.
func (k SealedKey) Burnt() bool { return len(k.Sealed) == 0 }

// RemovedAt reports whether k is out of the published set at t.
func (k SealedKey) RemovedAt(t time.Time) bool {
	return k.Burnt() || !k.RemoveAt.IsZero() && !t.Before(k.RemoveAt)
}
