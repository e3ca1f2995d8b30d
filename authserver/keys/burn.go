package keys

import (
	"context"
	"fmt"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// settle is how long a burn waits for the other servers before each of its
// steps: two readings of the store.
const settle = 2 * Interval

// Burn destroys a key at once and ends every token that it has signed. If it is
// the one that signs, first the next is published, then that one signs on all
// servers, each within settle; only then is the old one burnt: no server that
// can read its store signs with a burnt key, or with one that another does not
// publish. Should ctx end before, nothing is burnt. changed is called after each
// step, to wake other servers.
//
// ErrNotFound if there is no such key; one that is burnt is no error.
func (r *Ring) Burn(ctx context.Context, kid, actor string, changed func(context.Context)) error {
	if err := r.Reload(ctx); err != nil {
		return err
	}
	stored := r.set.Load().stored
	old := find(stored, kid)
	if old == nil {
		return fmt.Errorf("find signing key: %w", authserver.ErrNotFound)
	}
	if signing, _ := choose(stored, r.algorithm, time.Now()); signing.KID == kid && r.algorithm != "HS256" {
		if err := r.replace(ctx, kid, actor, changed); err != nil {
			return err
		}
	}
	if err := r.store.BurnKey(ctx, kid, event("key.burn", actor, *old)); err != nil {
		return fmt.Errorf("burn signing key: %w", err)
	}
	changed(ctx)
	return r.Reload(ctx)
}

// replace lets another key than kid sign on all servers.
func (r *Ring) replace(ctx context.Context, kid, actor string, changed func(context.Context)) error {
	next := newest(r.set.Load().stored, r.algorithm)
	if next.KID == kid {
		made, _, err := r.Rotate(ctx, actor)
		if err != nil {
			return err
		}
		next = &made
	}
	changed(ctx)
	if err := pause(ctx); err != nil {
		return err
	}
	if err := r.store.ActivateKey(ctx, next.KID, event("key.activate", actor, *next)); err != nil {
		return fmt.Errorf("activate signing key: %w", err)
	}
	changed(ctx)
	return pause(ctx)
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("nothing is burnt: %w", ctx.Err())
	case <-time.After(settle):
		return nil
	}
}

func find(stored []authserver.SealedKey, kid string) *authserver.SealedKey {
	for _, k := range stored {
		if k.KID == kid {
			return &k
		}
	}
	return nil
}
