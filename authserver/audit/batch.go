package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

const (
	// delay is how long an event may wait to be written.
	delay = 500 * time.Millisecond
	// portion is how many events one transaction writes: others wait for it.
	portion = 500
	// capacity is how many events are kept while the store is away.
	capacity = 20_000
	// headInterval is how often the process says its head.
	headInterval = time.Hour
	// flushTimeout bounds the last writing, when the process ends.
	flushTimeout = 5 * time.Second
)

// Store is what a Batch writes to.
type Store interface {
	Record(ctx context.Context, e ...authserver.Event) error
	// Head is the last row of this process's chain; ErrNotFound before the first.
	Head(ctx context.Context) (Head, error)
}

// Batch writes events a moment after they happened, many at once, so that nobody
// waits for them. It is for what is not decided by being written: logins and
// refusals. A process that is killed loses what is not written yet; one that
// ends does not. It is safe for concurrent use.
type Batch struct {
	store  Store
	logger *slog.Logger

	mu      sync.Mutex
	waiting []authserver.Event
	alike   map[authserver.Event]int // where in waiting one is that stands for all like it
	lost    int
}

// NewBatch returns a Batch that keeps what it gets until Run writes it.
func NewBatch(store Store, logger *slog.Logger) *Batch {
	return &Batch{store: store, logger: logger, alike: map[authserver.Event]int{}}
}

// Record takes events, which the next round of Run writes. It never waits and
// its error is nil: events beyond what is kept are counted, and the count is
// written. Events of no user that differ by their time and request alone become
// one: a client may get a thousand tokens a second, and a stranger as many
// refusals.
func (b *Batch) Record(_ context.Context, events ...authserver.Event) error {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range events {
		if e.At.IsZero() {
			e.At = now
		}
		kind := e
		kind.At, kind.RequestID = time.Time{}, ""
		if i, ok := b.alike[kind]; ok {
			b.waiting[i].Times++
			continue
		}
		if len(b.waiting) >= capacity {
			b.lost++
			continue
		}
		if e.Subject == "" {
			e.Times = 1
			b.alike[kind] = len(b.waiting)
		}
		b.waiting = append(b.waiting, e)
	}
	return nil
}

// Run writes until ctx ends, and then what is left. It must have returned before
// the store is closed.
func (b *Batch) Run(ctx context.Context) {
	tick := time.NewTicker(delay)
	defer tick.Stop()
	hourly := time.NewTicker(headInterval)
	defer hourly.Stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			b.end(context.WithoutCancel(ctx))
			return
		case <-hourly.C:
			b.sayHead(ctx)
		case <-tick.C:
			err := b.flush(ctx)
			if ctx.Err() != nil || (err != nil) == away {
				continue
			}
			away = err != nil
			if away {
				b.logger.ErrorContext(ctx, "audit events cannot be written; they are kept until they can", "err", err)
			} else {
				b.logger.InfoContext(ctx, "audit events are written again")
			}
		}
	}
}

func (b *Batch) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if err := b.flush(ctx); err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.logger.ErrorContext(ctx, "audit events are lost", "events", len(b.waiting)+b.lost, "err", err)
		return
	}
	b.sayHead(ctx)
}

// flush writes what waits, in portions, in the order in which it came. What is
// not written stays; should a commit's answer be lost, the portion is written
// twice rather than never.
func (b *Batch) flush(ctx context.Context) error {
	for {
		b.mu.Lock()
		clear(b.alike) // what is being written does not change any more
		events := b.waiting[:min(portion, len(b.waiting)):min(portion, len(b.waiting))]
		lost := 0
		if len(events) == len(b.waiting) { // they were lost after all that is kept
			lost = b.lost
		}
		b.mu.Unlock()

		rows := events
		if lost > 0 {
			rows = append(rows, authserver.Event{
				At: time.Now(), Act: "audit.lost", Result: "failure", Actor: "server", Reason: fmt.Sprintf("%d events", lost),
			})
		}
		if len(rows) == 0 {
			return nil
		}
		if err := b.store.Record(ctx, rows...); err != nil {
			return fmt.Errorf("write audit events: %w", err)
		}

		b.mu.Lock()
		clear(b.alike) // the places have changed
		b.waiting = b.waiting[len(events):]
		if len(b.waiting) == 0 {
			b.waiting = nil // the array was as large as the longest wait
		}
		b.lost -= lost
		b.mu.Unlock()
	}
}

// sayHead writes the head where who can change the database may be unable to:
// see the package comment.
func (b *Batch) sayHead(ctx context.Context) {
	h, err := b.store.Head(ctx)
	if errors.Is(err, authserver.ErrNotFound) {
		return
	}
	if err != nil {
		b.logger.WarnContext(ctx, "audit head not known", "err", err)
		return
	}
	b.logger.InfoContext(ctx, "audit head", "chain", h.Chain, "row", h.ID, "mac", hex.EncodeToString(h.MAC))
}
