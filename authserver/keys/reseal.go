package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// Reseal seals all keys under the current SECRET_KEY and makes checkName, under
// which the store has its check value, the current one's, in one transaction. It
// returns how many keys were sealed under another. If there is nothing to do,
// nothing is written. ErrWrongSecretKey if a key was sealed under a secret that
// m has not.
func (m *Master) Reseal(ctx context.Context, store interface {
	authserver.KeyStore
	authserver.MetaStore
}, checkName, actor string) (int, error) {
	check, err := store.Meta(ctx, checkName)
	if err != nil {
		return 0, fmt.Errorf("find check value: %w", err)
	}
	stored, err := store.Keys(ctx)
	if err != nil {
		return 0, fmt.Errorf("read signing keys: %w", err)
	}
	var changed []authserver.SealedKey
	for _, k := range stored {
		if k.Burnt() || bytes.HasPrefix(k.Sealed, m.secrets[0].id[:]) {
			continue
		}
		der, err := m.unseal(k.Sealed, k.KID, k.Algorithm)
		if errors.Is(err, ErrWrongSecretKey) && k.RemovedAt(time.Now()) {
			continue // nobody opens it again
		}
		if err != nil {
			return 0, fmt.Errorf("open signing key %s: %w", k.KID, err)
		}
		k.Sealed = m.seal(der, k.KID, k.Algorithm)
		changed = append(changed, k)
	}
	if len(changed) == 0 && check == m.CheckValue() {
		return 0, nil
	}
	err = store.ResealKeys(ctx, changed, checkName, m.CheckValue(), authserver.Event{
		At: time.Now(), Act: "key.reseal", Result: "success", Actor: actor, Reason: fmt.Sprintf("%d keys", len(changed)),
	})
	if err != nil {
		return 0, fmt.Errorf("store signing keys: %w", err)
	}
	return len(changed), nil
}
