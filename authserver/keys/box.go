package keys

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"

	"github.com/tokenwright/tokenwright/authserver/seal"
)

// Box seals for one use, named by label, under a key that no other use has; it
// opens what was sealed under a previous secret as well.
func (m *Master) Box(label string) (seal.Box, error) {
	var all []seal.Key
	for _, s := range m.secrets {
		key, err := hkdf.Expand(sha256.New, s.prk, "tokenwright box "+label, seal.KeySize)
		if err != nil {
			return seal.Box{}, fmt.Errorf("derive box key: %w", err)
		}
		all = append(all, seal.Key{ID: s.id, Bytes: [seal.KeySize]byte(key)})
	}
	return seal.NewBox(all...)
}
