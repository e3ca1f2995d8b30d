package keys

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// choose returns the key that signs: of those that are active, the highest
// generation. If none is active yet, another server's clock is ahead and the
// lowest is taken.
func choose(stored []authserver.SealedKey, algorithm string, now time.Time) (best authserver.SealedKey, found bool) {
	for _, k := range slices.SortedFunc(slices.Values(stored), byGeneration) {
		if k.Algorithm == algorithm && !removed(k, now) && (!found || !k.ActiveAt.After(now)) {
			best, found = k, true
		}
	}
	return best, found
}

func byGeneration(a, b authserver.SealedKey) int { return cmp.Compare(a.Generation, b.Generation) }

func removed(k authserver.SealedKey, now time.Time) bool {
	return !k.RemoveAt.IsZero() && !now.Before(k.RemoveAt)
}

// newSealedKey makes the generation after those that are stored.
func (m *Master) newSealedKey(stored []authserver.SealedKey, algorithm string, now time.Time) (authserver.SealedKey, error) {
	k := authserver.SealedKey{Algorithm: algorithm, Generation: 1, CreatedAt: now, ActiveAt: now}
	for _, s := range stored {
		if s.Algorithm == algorithm {
			k.Generation = max(k.Generation, s.Generation+1)
		}
	}
	private, err := generate(algorithm)
	if err != nil {
		return k, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return k, err
	}
	j, err := newJWK(private.Public())
	if err != nil {
		return k, err
	}
	if k.KID, err = j.thumbprint(); err != nil {
		return k, err
	}
	k.Sealed = m.seal(der, k.KID, algorithm)
	return k, nil
}

// open makes a stored key ready to sign.
func (m *Master) open(k authserver.SealedKey) (key, error) {
	der, err := m.unseal(k.Sealed, k.KID, k.Algorithm)
	if errors.Is(err, ErrWrongSecretKey) {
		return key{}, err
	}
	if err != nil {
		return key{}, fmt.Errorf("signing key %s: %w: restore the database from a backup", k.KID, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return key{}, fmt.Errorf("parse signing key %s: %w", k.KID, err)
	}
	return newKey(k.Algorithm, k.KID, parsed)
}
