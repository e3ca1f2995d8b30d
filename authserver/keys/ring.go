package keys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
)

// Ring holds the signing keys: one signs, all of them verify and, but for
// HS256, are published. It does not change and is safe for concurrent use.
type Ring struct {
	active key
	public map[string]resource.Key
	jwks   []byte
}

var _ resource.KeySource = (*Ring)(nil)

// Open reads the keys of store, and makes one if algorithm has none; of several
// servers that do this at once, all sign with the key of the one that was first.
// With HS256 the secrets of m are the keys and nothing is stored. Keys of
// another algorithm go on verifying, except that HS256 ends with the setting:
// else SECRET_KEY alone would still make tokens.
//
// ErrWrongSecretKey if a key was sealed under a secret that m has not.
func Open(ctx context.Context, store authserver.KeyStore, m *Master, algorithm string) (*Ring, error) {
	stored, err := store.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	if algorithm == "HS256" {
		return newRing(m, stored, m.secrets[0].signing.ID, now)
	}
	current, found := choose(stored, algorithm, now)
	if !found {
		made, err := m.newSealedKey(stored, algorithm, now)
		if err != nil {
			return nil, fmt.Errorf("make signing key: %w", err)
		}
		err = store.AddKey(ctx, made, authserver.Event{
			At: now, Act: "key.create", Result: "success", Actor: "server", Reason: algorithm + " " + made.KID,
		})
		if err != nil && !errors.Is(err, authserver.ErrConflict) {
			return nil, fmt.Errorf("store signing key: %w", err)
		}
		if stored, err = store.Keys(ctx); err != nil {
			return nil, fmt.Errorf("read signing keys: %w", err)
		}
		if current, found = choose(stored, algorithm, now); !found {
			return nil, fmt.Errorf("the database has no %s signing key, although one was just stored", algorithm)
		}
	}
	return newRing(m, stored, current.KID, now)
}

// newRing opens all keys; kid is of the one that signs.
func newRing(m *Master, stored []authserver.SealedKey, kid string, now time.Time) (*Ring, error) {
	r := &Ring{public: make(map[string]resource.Key)}
	if signing := m.secrets[0].signing; signing.ID == kid {
		r.active = signing
		for _, s := range m.secrets {
			r.public[s.signing.ID] = s.signing.Key
		}
	}
	set := struct {
		Keys []jwk `json:"keys"`
	}{[]jwk{}}
	for _, s := range stored {
		if removed(s, now) {
			continue
		}
		k, err := m.open(s)
		if err != nil {
			return nil, err
		}
		j, err := newJWK(k.Public)
		if err != nil {
			return nil, fmt.Errorf("publish signing key %s: %w", k.ID, err)
		}
		j.Algorithm, j.ID, j.Use = k.Algorithm, k.ID, "sig"
		set.Keys = append(set.Keys, j)
		r.public[k.ID] = k.Key
		if k.ID == kid {
			r.active = k
		}
	}
	var err error
	if r.jwks, err = json.Marshal(set); err != nil {
		return nil, fmt.Errorf("encode JWKS: %w", err)
	}
	return r, nil
}

// Algorithm is the JWS algorithm of new tokens.
func (r *Ring) Algorithm() string { return r.active.Algorithm }

// Sign makes an access token (RFC 9068) of c, as it is: nothing is filled in.
func (r *Ring) Sign(c resource.Claims) (string, error) {
	payload, err := c.MarshalJSON()
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	token, err := r.active.sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign claims: %w", err)
	}
	return token, nil
}

// JWKS is the JWK Set document (RFC 7517 §5). Do not change the bytes.
func (r *Ring) JWKS() []byte { return r.jwks }

// Key finds a key to verify with; resource.ErrUnknownKey if there is none.
func (r *Ring) Key(_ context.Context, kid string) (resource.Key, error) {
	k, ok := r.public[kid]
	if !ok {
		return resource.Key{}, resource.ErrUnknownKey
	}
	return k, nil
}
