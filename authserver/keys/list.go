package keys

import (
	"context"
	"fmt"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// State is what becomes of a key.
type State string

// The states of a key, in the order of its life.
const (
	Waiting  State = "waiting"  // published, and signs from its ActiveAt on
	Signing  State = "signing"  //
	Idle     State = "idle"     // published, and signs no more or not under this ALGORITHM
	Retiring State = "retiring" // published until its RemoveAt
	Removed  State = "removed"  // its last token has expired
	Burnt    State = "burnt"    // it was destroyed, and its tokens with it
)

// Listed is a key with its state.
type Listed struct {
	authserver.SealedKey
	State State
}

// List says what becomes of each key of store under algorithm, in order of
// algorithm and generation. It opens none of them and makes none.
func List(ctx context.Context, store authserver.KeyStore, algorithm string) ([]Listed, error) {
	stored, err := store.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	now := time.Now()
	signing, _ := choose(stored, algorithm, now)
	all := make([]Listed, len(stored))
	for i, k := range stored {
		state := Idle
		switch {
		case k.Burnt():
			state = Burnt
		case k.RemovedAt(now):
			state = Removed
		case !k.RemoveAt.IsZero():
			state = Retiring
		case k.KID == signing.KID && algorithm != "HS256":
			state = Signing
		case k.ActiveAt.After(now):
			state = Waiting
		}
		all[i] = Listed{k, state}
	}
	return all, nil
}
