// Package seal keeps what this server gives away and gets back: sealed text that
// others can neither read nor make. Whose keys it is sealed under, and for which
// use, package keys decides.
package seal

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrNotOurs says that something was not sealed in this box, or was changed.
var ErrNotOurs = errors.New("sealed by somebody else")

// KeySize is how many bytes a key has.
const KeySize = chacha20poly1305.KeySize

var encoding = base64.RawURLEncoding.Strict()

// Key is a key of one use, with the id that what is sealed names it by.
type Key struct {
	ID    [4]byte
	Bytes [KeySize]byte
}

// Box seals under its first key and opens under all. It is safe for concurrent
// use. Its nonces are random and long enough to be that for ever
// (XChaCha20-Poly1305).
type Box struct {
	ids   [][4]byte
	aeads []cipher.AEAD
}

// NewBox takes the current key first.
func NewBox(keys ...Key) (Box, error) {
	var b Box
	for _, k := range keys {
		aead, err := chacha20poly1305.NewX(k.Bytes[:])
		if err != nil {
			return Box{}, fmt.Errorf("make cipher: %w", err)
		}
		b.ids, b.aeads = append(b.ids, k.ID), append(b.aeads, aead)
	}
	return b, nil
}

// Seal returns key id, nonce and ciphertext. What is additional is not in it, but
// has to be given again to open it.
func (b Box) Seal(plain, additional []byte) []byte {
	aead := b.aeads[0]
	out := append(make([]byte, 0, 4+aead.NonceSize()+len(plain)+aead.Overhead()), b.ids[0][:]...)
	out = out[:4+aead.NonceSize()]
	rand.Read(out[4:])
	return aead.Seal(out, out[4:], plain, additional)
}

// Open is the reverse of Seal. Every fault is ErrNotOurs.
func (b Box) Open(sealed, additional []byte) ([]byte, error) {
	for i, aead := range b.aeads {
		if len(sealed) < 4+aead.NonceSize() || [4]byte(sealed) != b.ids[i] {
			continue
		}
		body := sealed[4:]
		if plain, err := aead.Open(nil, body[:aead.NonceSize()], body[aead.NonceSize():], additional); err == nil {
			return plain, nil
		}
	}
	return nil, ErrNotOurs
}

// SealText is Seal in base64url without padding.
func (b Box) SealText(plain, additional []byte) string {
	return encoding.EncodeToString(b.Seal(plain, additional))
}

// OpenText is the reverse of SealText. A text has one spelling.
func (b Box) OpenText(text string, additional []byte) ([]byte, error) {
	sealed, err := encoding.DecodeString(text)
	if err != nil || encoding.EncodedLen(len(sealed)) != len(text) { // line ends are passed over
		return nil, ErrNotOurs
	}
	return b.Open(sealed, additional)
}
