package keys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

const (
	// Interval is how often Run reads the store if nothing wakes it. What one
	// server or command has done to a key the others do no later.
	Interval = 500 * time.Millisecond
	// MaxAge is how long the published set may be kept by who reads it.
	MaxAge = 5 * time.Minute
	// Lead is how long a key is published before it signs: MaxAge many times
	// over, for those who keep the set for longer, for servers that have not been
	// able to read the store, and for clocks that differ.
	Lead = time.Hour

	// differ is by how much clocks of servers may, and how long a key is not
	// retired after the next has begun to sign.
	differ = time.Minute
	// leeway is what a verifier adds to exp.
	leeway = 30 * time.Second
)

// ErrSecretIsKey says that with HS256 there is no key but SECRET_KEY.
var ErrSecretIsKey = errors.New("with ALGORITHM=HS256 the key is SECRET_KEY itself: " +
	"change that, with the one before in SECRET_KEY_PREVIOUS")

// Wake makes Run read now: another server says that something has changed. A
// wake-up that is lost costs at most Interval.
func (r *Ring) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run keeps the Ring as its store is until ctx ends. A key that has signed for
// period is followed by the next, which was made Lead before; 0 is never. Keys
// that no longer sign are removed with their last token.
func (r *Ring) Run(ctx context.Context, period time.Duration, logger *slog.Logger) {
	tick := time.NewTicker(Interval)
	defer tick.Stop()
	stuck := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-r.wake:
		}
		err := r.tend(ctx, period)
		if ctx.Err() != nil {
			return
		}
		if (err != nil) != stuck {
			stuck = err != nil
			if stuck {
				logger.ErrorContext(ctx, "signing keys are not up to date", "err", err)
			} else {
				logger.InfoContext(ctx, "signing keys are up to date again")
			}
		}
	}
}

// tend reads the store and does what is due.
func (r *Ring) tend(ctx context.Context, period time.Duration) error {
	if err := r.Reload(ctx); err != nil {
		return err
	}
	now, stored := time.Now(), r.set.Load().stored
	for _, k := range outlived(stored, now) {
		if err := r.store.RetireKey(ctx, k.KID, now.Add(leeway), event("key.retire", "server", k)); err != nil {
			return fmt.Errorf("retire signing key: %w", err)
		}
	}
	algorithms := []string{r.algorithm}
	for algorithm := range r.others.Range {
		if algorithm != r.algorithm {
			algorithms = append(algorithms, algorithm.(string))
		}
	}
	for _, algorithm := range algorithms {
		k := newest(stored, algorithm)
		if period > 0 && k != nil && !now.Before(k.Begins().Add(period-Lead)) {
			if _, _, err := r.rotate(ctx, algorithm, "server"); err != nil {
				return err
			}
		}
	}
	return nil
}

// Rotate makes and publishes the next key, which signs after Lead. made is false
// if one waits already, which then is next. ErrSecretIsKey with HS256.
func (r *Ring) Rotate(ctx context.Context, actor string) (next authserver.SealedKey, made bool, err error) {
	if r.algorithm == "HS256" {
		return next, false, ErrSecretIsKey
	}
	return r.rotate(ctx, r.algorithm, actor)
}

func (r *Ring) rotate(ctx context.Context, algorithm, actor string) (next authserver.SealedKey, made bool, err error) {
	if err := r.Reload(ctx); err != nil {
		return next, false, err
	}
	now, stored := time.Now(), r.set.Load().stored
	if k := newest(stored, algorithm); k.ActiveAt.After(now) {
		return *k, false, nil
	}
	if made, err = r.add(ctx, stored, algorithm, now, now.Add(Lead), "key.rotate", actor); err != nil {
		return next, false, err
	}
	if err := r.Reload(ctx); err != nil {
		return next, made, err
	}
	return *newest(r.set.Load().stored, algorithm), made, nil
}

// newest is the highest generation of algorithm that signs or will; nil if there
// is none.
func newest(stored []authserver.SealedKey, algorithm string) (best *authserver.SealedKey) {
	for _, k := range stored {
		if k.Algorithm == algorithm && !k.Burnt() && k.RemoveAt.IsZero() && (best == nil || k.Generation > best.Generation) {
			best = &k
		}
	}
	return best
}

// outlived are the keys that no server signs with any more: the next has been
// active for so long that it is on every clock.
func outlived(stored []authserver.SealedKey, now time.Time) (old []authserver.SealedKey) {
	for _, k := range stored {
		if k.Burnt() || !k.RemoveAt.IsZero() {
			continue
		}
		for _, next := range stored {
			if next.Algorithm == k.Algorithm && next.Generation > k.Generation && !next.Burnt() && !now.Before(next.ActiveAt.Add(differ)) {
				old = append(old, k)
				break
			}
		}
	}
	return old
}
