package keys

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
)

// Ring holds the signing keys: one signs, all of them verify and, but for
// HS256, are published. Run keeps it as the store is. It is safe for concurrent
// use; Sign, Key and JWKS take no lock.
type Ring struct {
	store     Store
	master    *Master
	algorithm string
	wake      chan struct{}

	// others are the algorithms that SignAs has signed with here; making is held
	// while it makes the first key of one.
	others sync.Map
	making sync.Mutex

	mu  sync.Mutex // held by Reload, so that no older set is put in place
	set atomic.Pointer[set]
}

var _ resource.KeySource = (*Ring)(nil)

// Open reads the keys of store, and makes one if algorithm has none; of several
// servers that do this at once, all sign with the key of the one that was first.
// With HS256 the secrets of m are the keys and none is stored; see Begin. Keys of
// another algorithm go on verifying, and sign until the first of this one has
// been published for Lead; except that HS256 ends with the setting: else
// SECRET_KEY alone would still make tokens.
//
// ErrWrongSecretKey if a key was sealed under a secret that m has not.
func Open(ctx context.Context, store Store, m *Master, algorithm string) (*Ring, error) {
	r := &Ring{store: store, master: m, algorithm: algorithm, wake: make(chan struct{}, 1)}
	r.set.Store(&set{})
	if err := r.Reload(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Reload puts in place what the store has. After an error about one key the
// others are in place; after another error all is as it was.
func (r *Ring) Reload(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	stored, err := r.store.Keys(ctx)
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	now := time.Now()
	if r.algorithm != "HS256" && newest(stored, r.algorithm) == nil {
		if stored, err = r.makeFirst(ctx, stored, now); err != nil {
			return err
		}
	}
	old := r.set.Load()
	next, err := newSet(r.master, stored, r.algorithm, now, old.keys)
	if next == nil {
		return err
	}
	if r.algorithm == "HS256" {
		if err := r.addSecrets(ctx, next, old.reigns, now); err != nil {
			return err
		}
	}
	r.set.Store(next)
	return err
}

// addSecrets makes the secrets keys of s.
func (r *Ring) addSecrets(ctx context.Context, s *set, known succession, now time.Time) error {
	reigns, err := r.reigns(ctx, known)
	if err != nil {
		return err
	}
	lifetime, err := r.store.AccessLifetime(ctx)
	if err != nil {
		return fmt.Errorf("read lifetime of tokens: %w", err)
	}
	s.reigns, s.active = reigns, reigns.signing(r.master, now)
	for _, k := range reigns.verifying(r.master, now, lifetime) {
		s.keys[k.ID] = k
	}
	return nil
}

// makeFirst makes a key of an algorithm that has none, and returns what is then
// stored. It signs at once, unless keys of another algorithm can for a while.
func (r *Ring) makeFirst(ctx context.Context, stored []authserver.SealedKey, now time.Time) ([]authserver.SealedKey, error) {
	from := now
	if _, others := choose(stored, r.algorithm, now); others {
		from = now.Add(Lead)
	}
	if _, err := r.add(ctx, stored, r.algorithm, now, from, "key.create", "server"); err != nil {
		return nil, err
	}
	stored, err := r.store.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	if newest(stored, r.algorithm) == nil {
		return nil, fmt.Errorf("the database has no %s signing key, although one was just stored", r.algorithm)
	}
	return stored, nil
}

// add makes and stores the next generation of algorithm; false if another server
// was first.
func (r *Ring) add(ctx context.Context, stored []authserver.SealedKey, algorithm string, now, active time.Time, act, actor string) (bool, error) {
	now, active = now.UTC().Truncate(time.Second), active.UTC().Truncate(time.Second)
	k, err := r.master.newSealedKey(stored, algorithm, now, active)
	if err != nil {
		return false, fmt.Errorf("make signing key: %w", err)
	}
	err = r.store.AddKey(ctx, k, event(act, actor, k))
	if err != nil && !errors.Is(err, authserver.ErrConflict) {
		return false, fmt.Errorf("store signing key: %w", err)
	}
	return err == nil, nil
}

func event(act, actor string, k authserver.SealedKey) authserver.Event {
	return authserver.Event{At: time.Now(), Act: act, Result: "success", Actor: actor, Reason: k.Algorithm + " " + k.KID}
}

// Algorithm is the JWS algorithm of new tokens.
func (r *Ring) Algorithm() string { return r.set.Load().active.Algorithm }

// ErrTokenTooLong says that nobody would take a token of those claims.
var ErrTokenTooLong = errors.New("token would be longer than what is taken: ask for fewer scopes or resources")

// Sign makes an access token (RFC 9068) of c, as it is: nothing is filled in.
// ErrTokenTooLong.
func (r *Ring) Sign(c resource.Claims) (string, error) {
	payload, err := c.MarshalJSON()
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	active, err := r.signing()
	if err != nil {
		return "", err
	}
	token, err := active.sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign claims: %w", err)
	}
	if len(token) > resource.MaxTokenLength {
		return "", ErrTokenTooLong
	}
	return token, nil
}

// signing is the key that signs at this moment.
func (r *Ring) signing() (*key, error) {
	active := r.set.Load().active
	if active.method == nil {
		return nil, errors.New("no signing key can be opened")
	}
	return active, nil
}

// JWKS is the JWK Set document (RFC 7517 §5) of this moment. Do not change the
// bytes. It may be kept for MaxAge.
func (r *Ring) JWKS() []byte { return r.set.Load().jwks }

// Key finds a key to verify with; resource.ErrUnknownKey if there is none.
func (r *Ring) Key(_ context.Context, kid string) (resource.Key, error) {
	k, ok := r.set.Load().keys[kid]
	if !ok {
		return resource.Key{}, resource.ErrUnknownKey
	}
	return k.Key, nil
}
