package authserver

import (
	"crypto/rand"
	"encoding/base64"
)

// NewID returns a new id of a token or a session: 128 random bits in base64url.
func NewID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
