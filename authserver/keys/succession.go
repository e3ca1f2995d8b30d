package keys

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// Store is what a Ring reads and writes.
type Store interface {
	authserver.KeyStore
	authserver.MetaStore
}

// succession is which of the secrets signed from when on, with HS256, the first
// first. It is kept in the database, so that every server knows since when a
// secret has been a previous one.
type succession []reign

// reign is a secret's, by the id of its key.
type reign struct {
	kid  string
	from time.Time
}

// metaReign is a reign's name; its number comes after it.
const metaReign = "hs256_reign:"

// Begin notes that the current secret signs from now on, if HS256 is set and
// another one did: from then on a previous one verifies what was issued before,
// and nothing at all once that has expired. On every server that knows both
// secrets the change is a minute later, so that all have heard of it.
func (r *Ring) Begin(ctx context.Context) error {
	if r.algorithm != "HS256" {
		return nil
	}
	current := r.master.secrets[0].signing.ID
	for {
		if err := r.Reload(ctx); err != nil {
			return err
		}
		signed := r.set.Load().reigns
		from := time.Now()
		if n := len(signed); n > 0 {
			last := signed[n-1].kid
			if last == current {
				return nil
			}
			if r.master.signingKey(last) != nil {
				from = from.Add(differ)
			}
		}
		name := metaReign + strconv.Itoa(len(signed)+1)
		if _, err := r.store.KeepMeta(ctx, name, fmt.Sprintf("%s %d", current, from.Unix())); err != nil {
			return fmt.Errorf("note signing secret: %w", err)
		}
		// Another server may have been first with that number.
	}
}

// reigns adds what is new to those known.
func (r *Ring) reigns(ctx context.Context, known succession) (succession, error) {
	for {
		value, err := r.store.Meta(ctx, metaReign+strconv.Itoa(len(known)+1))
		if errors.Is(err, authserver.ErrNotFound) {
			return known, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read signing secrets: %w", err)
		}
		kid, at, _ := strings.Cut(value, " ")
		from, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read signing secrets: %q is none", metaReign+strconv.Itoa(len(known)+1))
		}
		known = append(known[:len(known):len(known)], reign{kid, time.Unix(from, 0)})
	}
}

// signing is the key of the secret that signs now: the current one if none that is
// known has begun.
func (s succession) signing(m *Master, now time.Time) *key {
	for i := len(s) - 1; i >= 0; i-- {
		if k := m.signingKey(s[i].kid); k != nil && !now.Before(s[i].from) {
			return k
		}
	}
	return &m.secrets[0].signing
}

// until is from when on a secret had certainly been followed by another on every
// server; zero while it has not. One that never signed was there before the first.
func (s succession) until(kid string) time.Time {
	next := 0
	for i, r := range s {
		if r.kid == kid {
			next = i + 1
		}
	}
	if next == len(s) {
		return time.Time{}
	}
	return s[next].from.Add(differ)
}

// verifying are the keys of the secrets whose tokens may be alive, each with the
// bound that it has; a token lives for at most lifetime.
func (s succession) verifying(m *Master, now time.Time, lifetime time.Duration) (keys []*key) {
	for _, secret := range m.secrets {
		k := secret.signing
		if k.Until = s.until(k.ID); k.Until.IsZero() || now.Before(k.Until.Add(lifetime+leeway)) {
			keys = append(keys, &k)
		}
	}
	return keys
}

// signingKey is the HS256 key with an id, or nil.
func (m *Master) signingKey(kid string) *key {
	for i := range m.secrets {
		if k := &m.secrets[i].signing; k.ID == kid {
			return k
		}
	}
	return nil
}
