// Package feed carries the table of what has ended to those who follow it: in
// one process, to the set that its resource server asks.
package feed

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
)

// Interval is how often the table is read if nothing wakes the Tail. Other
// servers on the same database are heard of no later.
const Interval = 500 * time.Millisecond

// Tail reads new entries of the table and applies them to a set. It is safe for
// concurrent use.
type Tail struct {
	log    authserver.RevocationLog
	ended  *resource.Ended
	logger *slog.Logger
	seq    atomic.Int64
}

// New returns a Tail that has read nothing yet: ended is not ready before the
// first Sync.
func New(log authserver.RevocationLog, ended *resource.Ended, logger *slog.Logger) *Tail {
	return &Tail{log: log, ended: ended, logger: logger}
}

// Sync reads what has been committed before the call and returns when the set
// refuses it.
func (t *Tail) Sync(ctx context.Context) error {
	after := t.seq.Load()
	entries, head, err := t.log.Revocations(ctx, after)
	if err == nil && head < after {
		// An older copy of the database was put in place: read all of it.
		after = 0
		t.seq.Store(0)
		entries, head, err = t.log.Revocations(ctx, 0)
	}
	if err != nil {
		return fmt.Errorf("read revocations: %w", err)
	}
	batch := make([]resource.Revocation, len(entries))
	for i, e := range entries {
		batch[i] = resource.Revocation{
			Seq: e.Seq, Kind: string(e.Kind), ID: e.ID, Epoch: e.Epoch, Reason: string(e.Reason), Until: e.Until,
		}
	}
	t.ended.Apply(batch...)
	t.ended.Ready()
	// Two at once may finish in either order; applying twice does no harm,
	// going back only reads more.
	if head > after {
		t.seq.CompareAndSwap(after, head)
	}
	return nil
}

// Changed is Sync for those who have just committed an ending: it cannot fail
// them, since Run will read what it could not.
func (t *Tail) Changed(ctx context.Context) {
	if err := t.Sync(ctx); err != nil {
		t.logger.WarnContext(ctx, "what has ended is not applied yet", "err", err)
	}
}

// Run reads the table every Interval until ctx ends.
func (t *Tail) Run(ctx context.Context) {
	tick := time.NewTicker(Interval)
	defer tick.Stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := t.Sync(ctx)
		if ctx.Err() != nil {
			return
		}
		if (err != nil) != away {
			away = err != nil
			if away {
				t.logger.ErrorContext(ctx, "what has ended cannot be read", "err", err)
			} else {
				t.logger.InfoContext(ctx, "what has ended is read again")
			}
		}
	}
}
