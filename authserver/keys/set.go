package keys

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// set is what a Ring has in place. It is never changed.
type set struct {
	stored []authserver.SealedKey
	active *key // empty if none can be opened
	keys   map[string]*key
	reigns succession // of HS256
	jwks   []byte
}

// newSet opens what is stored, but for keys that are known: a kid never names
// another key. The error is about the first that cannot be opened; the others
// are in the set.
func newSet(m *Master, stored []authserver.SealedKey, algorithm string, now time.Time, known map[string]*key) (*set, error) {
	s := &set{stored: stored, active: &key{}, keys: make(map[string]*key)}
	document := struct {
		Keys []jwk `json:"keys"`
	}{[]jwk{}}
	var (
		fault  error
		usable []authserver.SealedKey
	)
	for _, sealed := range stored {
		if sealed.RemovedAt(now) {
			continue
		}
		k, j, err := m.published(sealed, known[sealed.KID])
		if err != nil {
			if fault == nil {
				fault = err
			}
			continue
		}
		usable = append(usable, sealed)
		document.Keys = append(document.Keys, j)
		s.keys[k.ID] = k
	}
	if signing, ok := choose(usable, algorithm, now); ok && algorithm != "HS256" {
		s.active = s.keys[signing.KID]
	}
	var err error
	if s.jwks, err = json.Marshal(document); err != nil {
		return nil, fmt.Errorf("encode JWKS: %w", err)
	}
	return s, fault
}

// published is a key with its public half as it is published.
func (m *Master) published(sealed authserver.SealedKey, known *key) (*key, jwk, error) {
	if known == nil {
		k, err := m.open(sealed)
		if err != nil {
			return nil, jwk{}, err
		}
		known = &k
	}
	j, err := newJWK(known.Public)
	if err != nil {
		return nil, jwk{}, fmt.Errorf("publish signing key %s: %w", known.ID, err)
	}
	j.Algorithm, j.ID, j.Use = known.Algorithm, known.ID, "sig"
	return known, j, nil
}
