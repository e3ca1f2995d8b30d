// Package feed carries the table of what has ended to those who follow it: in
// one process to the set that its resource server asks, and to resource servers
// elsewhere as server-sent events.
package feed

import (
	"context"
	"fmt"
	"log/slog"
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
	cleared   time.Time       // under mu; when what has left was last looked for
}

// view is what has been read. It is never changed: followers at any pace share
// the entries, and one that is slow holds up nobody.
type view struct {
	entries // the live ones and some that have left
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
	old := t.view.Load()
	// With the last entry that is known: another one in its place is another
	// copy of the database, whose numbers say nothing about what was read of this.
	read, err := t.read(ctx, old.head-1)
	another := err == nil && !old.continues(read)
	if another {
		read, err = t.read(ctx, 0)
	}
	if err != nil {
		return fmt.Errorf("read revocations: %w", err)
	}
	if t.patient > 0 {
		t.ended.ReadyUntil(read.at.Add(t.patient))
	} else {
		t.ended.Ready()
	}
	t.extend(read, another)
	t.readAt.Store(read.at.UnixNano())
	return nil
}

// read is what was read of the table: the entries after a number, up to head, as
// they were at a time.
type read struct {
	entries
	head int64
	at   time.Time
}

// read applies the entries after a number, portion by portion, and returns all.
func (t *Tail) read(ctx context.Context, after int64) (read, error) {
	for all := (read{}); ; {
		all.at = time.Now()
		some, head, err := t.log.Revocations(ctx, after)
		if err != nil {
			return read{}, err
		}
		batch := make([]resource.Revocation, len(some))
		for i, e := range some {
			all.add(e)
			batch[i] = resource.Revocation{
				Seq: e.Seq, Kind: string(e.Kind), ID: e.ID, Epoch: e.Epoch,
				SessionEpoch: e.SessionEpoch, Kept: e.Kept, Reason: string(e.Reason), Until: e.Until,
			}
		}
		t.ended.Apply(batch...)
		if all.head = head; len(some) < authserver.RevocationsAtOnce {
			return all, nil
		}
		after = some[len(some)-1].Seq
	}
}

// Behind reports whether the last good read is older than Stale: followers are
// let go, and new ones not taken.
func (t *Tail) Behind() bool {
	return time.Since(time.Unix(0, t.readAt.Load())) > Stale
}

// continues says whether what was read from the last entry of v on can be of the
// copy of the database that v is of: a backup that was put in its place, and a
// standby that took over without the last commits, are another. The last entry
// must still be there, unless it has left.
func (v *view) continues(r read) bool {
	if r.head < v.head {
		return false
	}
	known, is := v.numbered(v.head)
	if there, still := r.numbered(v.head); still {
		return is && mark(known) == mark(there)
	}
	return !is || !time.Now().Before(known.Until)
}

// extend puts a view in place that goes on to what was read, unless another Sync
// already has; of another copy of the database, one that begins again.
func (t *Tail) extend(r read, another bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.view.Load()
	next := view{entries: old.entries, head: r.head, begins: old.begins, next: make(chan struct{})}
	now := time.Now()
	clears := now.Sub(t.cleared) >= time.Minute
	switch {
	case another:
		next.entries, next.begins = r.entries, max(old.begins, old.head, r.head)+1
	case r.head < old.head, r.head == old.head && !clears:
		return
	case len(old.list) == 0:
		next.entries = r.entries
	default:
		r.all(r.after(old.head), func(e authserver.Revocation) bool {
			next.add(e)
			return true
		})
	}
	if !another && t.readAt.Load() != 0 { // else they are from before
		r.all(r.after(old.head), func(e authserver.Revocation) bool {
			t.heard[What{e.Kind, e.Reason}]++
			return true
		})
	}
	if clears {
		next.entries, t.cleared = next.live(now), now
	}
	t.view.Store(&next)
	close(old.next)
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
