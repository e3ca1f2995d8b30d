// Package feed carries the table of what has ended to those who follow it: in
// one process to the set that its resource server asks, and to resource servers
// elsewhere as server-sent events.
package feed

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
)

// Interval is how often the table is read if nothing wakes the Tail. Other
// servers on the same database are heard of no later.
const Interval = 500 * time.Millisecond

// Stale is how old the last good read of the table may be while followers are
// told that nothing has ended. What they do when they hear nothing is theirs.
const Stale = 2 * time.Second

// Tail reads new entries of the table, applies them to a set and hands them to
// followers. It is safe for concurrent use.
type Tail struct {
	log     authserver.RevocationLog
	ended   *resource.Ended
	patient time.Duration
	logger  *slog.Logger
	wake    chan struct{}

	mu   sync.Mutex // held while a new view is put in place
	view atomic.Pointer[view]
	done chan struct{}

	readAt    atomic.Int64 // Unix nanoseconds; 0 before the first Sync
	followers atomic.Int64
	heard     map[What]uint64 // under mu
}

// view is what has been read. It is never changed: followers at any pace share
// the entries, and one that is slow holds up nobody.
type view struct {
	entries []authserver.Revocation // in sequence; the live ones and some that have left
	head    int64
	// begins is the least number that a follower can go on from: a lower one may
	// be of another copy of the database.
	begins int64
	next   chan struct{} // closed when there is a newer view
}

// New returns a Tail that has read nothing yet: ended is not ready before the
// first Sync, and no more once the last good read is older than patient. Zero is
// no bound: the set then goes on with what it knows.
func New(log authserver.RevocationLog, ended *resource.Ended, patient time.Duration, logger *slog.Logger) *Tail {
	t := &Tail{
		log: log, ended: ended, patient: patient, logger: logger,
		wake: make(chan struct{}, 1), done: make(chan struct{}), heard: map[What]uint64{},
	}
	t.view.Store(&view{next: make(chan struct{})})
	return t
}

// Sync reads what has been committed before the call and returns when the set
// refuses it.
func (t *Tail) Sync(ctx context.Context) error {
	began := time.Now()
	old := t.view.Load()
	// With the last entry that is known: another one in its place is another
	// copy of the database, whose numbers say nothing about what was read of this.
	entries, head, err := t.log.Revocations(ctx, old.head-1)
	another := err == nil && !old.continues(entries, head)
	if another {
		entries, head, err = t.log.Revocations(ctx, 0)
	}
	if err != nil {
		return fmt.Errorf("read revocations: %w", err)
	}
	batch := make([]resource.Revocation, len(entries))
	for i, e := range entries {
		batch[i] = resource.Revocation{
			Seq: e.Seq, Kind: string(e.Kind), ID: e.ID, Epoch: e.Epoch,
			SessionEpoch: e.SessionEpoch, Kept: e.Kept, Reason: string(e.Reason), Until: e.Until,
		}
	}
	t.ended.Apply(batch...)
	if t.patient > 0 {
		t.ended.ReadyUntil(began.Add(t.patient))
	} else {
		t.ended.Ready()
	}
	t.extend(entries, head, another)
	t.readAt.Store(began.UnixNano())
	return nil
}

// Behind reports whether the last good read is older than Stale: followers are
// let go, and new ones not taken.
func (t *Tail) Behind() bool {
	return time.Since(time.Unix(0, t.readAt.Load())) > Stale
}

// continues says whether entries and head, read from the last entry of v on, can
// be of the copy of the database that v is of: a backup that was put in its
// place, and a standby that took over without the last commits, are another. The
// last entry must still be there, unless it has left.
func (v *view) continues(entries []authserver.Revocation, head int64) bool {
	if head < v.head {
		return false
	}
	known := v.after(v.head - 1)
	if len(entries) > 0 && entries[0].Seq == v.head {
		return len(known) > 0 && mark(known[0]) == mark(entries[0])
	}
	return len(known) == 0 || !time.Now().Before(known[0].Until)
}

// extend puts a view in place that goes on to head, unless another Sync already
// has; of another copy of the database, one that begins again.
func (t *Tail) extend(entries []authserver.Revocation, head int64, another bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.view.Load()
	begins := old.begins
	switch {
	case another:
		begins = max(old.begins, old.head, head) + 1
	case head <= old.head:
		return
	default:
		entries = slices.DeleteFunc(entries, func(e authserver.Revocation) bool { return e.Seq <= old.head })
		if t.readAt.Load() != 0 { // else they are from before
			t.count(entries)
		}
		entries = append(live(old.entries), entries...)
	}
	t.view.Store(&view{entries: entries, head: head, begins: begins, next: make(chan struct{})})
	close(old.next)
}

// live is entries, without those that have left once they are many: copying is
// then paid for by what it frees.
func live(entries []authserver.Revocation) []authserver.Revocation {
	now := time.Now()
	gone := 0
	for _, e := range entries {
		if !now.Before(e.Until) {
			gone++
		}
	}
	if gone <= len(entries)/2 {
		return entries
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e authserver.Revocation) bool { return !now.Before(e.Until) })
}

// Changed is Sync for those who have just committed an ending: it cannot fail
// them, since Run will read what it could not.
func (t *Tail) Changed(ctx context.Context) {
	if err := t.Sync(ctx); err != nil {
		t.logger.WarnContext(ctx, "what has ended is not applied yet", "err", err)
	}
}

// Wake makes Run read now: another server says that it has ended something. A
// wake-up that is lost costs at most Interval.
func (t *Tail) Wake() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Release lets followers go, now and from now on: a server that is to stop would
// wait for them. It is called once.
func (t *Tail) Release() { close(t.done) }

// Run reads the table every Interval, and when woken, until ctx ends.
func (t *Tail) Run(ctx context.Context) {
	tick := time.NewTicker(Interval)
	defer tick.Stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-t.wake:
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
