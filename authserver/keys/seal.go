package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
)

var errDamaged = errors.New("sealed key is damaged")

func newSealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal encrypts der under the current secret: its id, then nonce and
// ciphertext. What the row says beside it is authenticated, so that a key
// cannot be passed off as another's or for another algorithm.
func (m *Master) seal(der []byte, kid, algorithm string) []byte {
	s := m.secrets[0]
	return s.sealer.Seal(s.id[:], nil, der, sealedAs(s, kid, algorithm))
}

// unseal is the reverse of seal. ErrWrongSecretKey if the secret that it names
// is not there, errDamaged if it was changed.
func (m *Master) unseal(sealed []byte, kid, algorithm string) ([]byte, error) {
	var id [4]byte
	if len(sealed) < len(id) {
		return nil, errDamaged
	}
	body := sealed[copy(id[:], sealed):]
	s, ok := m.find(id)
	if !ok {
		return nil, ErrWrongSecretKey
	}
	der, err := s.sealer.Open(nil, nil, body, sealedAs(s, kid, algorithm))
	if err != nil {
		return nil, errDamaged
	}
	return der, nil
}

// sealedAs is the associated data; neither an algorithm nor a kid has a blank.
func sealedAs(s secret, kid, algorithm string) []byte {
	return append(s.id[:], algorithm+" "+kid...)
}
