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

// choose returns the key that signs: of those of algorithm that are active, the
// highest generation. While none is, keys of another algorithm go on, since
// other servers may not publish the first of a new one yet; and if there is
// none, the lowest generation that waits, made by a server whose clock is ahead
// or published before the one that signed was burnt.
func choose(stored []authserver.SealedKey, algorithm string, now time.Time) (best authserver.SealedKey, found bool) {
	var waiting, other *authserver.SealedKey
	for _, k := range slices.SortedFunc(slices.Values(stored), byGeneration) {
		active := !k.ActiveAt.After(now)
		switch {
		case k.Burnt() || !k.RemoveAt.IsZero(): // what it signs now might outlive it
		case k.Algorithm == algorithm && active:
			best, found = k, true
		case k.Algorithm == algorithm && waiting == nil:
			waiting = &k
		case k.Algorithm != algorithm && active:
			other = &k
		}
	}
	if found {
		return best, true
	}
	if k := cmp.Or(other, waiting); k != nil {
		return *k, true
	}
	return best, false
}

func byGeneration(a, b authserver.SealedKey) int { return cmp.Compare(a.Generation, b.Generation) }

// newSealedKey makes the generation after those that are stored.
func (m *Master) newSealedKey(stored []authserver.SealedKey, algorithm string, now, active time.Time) (authserver.SealedKey, error) {
	k := authserver.SealedKey{Algorithm: algorithm, Generation: 1, CreatedAt: now, ActiveAt: active}
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
