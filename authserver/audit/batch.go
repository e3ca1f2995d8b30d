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
	// portion is how many events one transaction writes: endings wait for it.
	portion = 100
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
	waiting *round // gathers until it is its turn

	writing *round // Run's alone: what does not change any more
}

// NewBatch returns a Batch that keeps what it gets until Run writes it.
func NewBatch(store Store, logger *slog.Logger) *Batch {
	return &Batch{store: store, logger: logger, waiting: newRound(), writing: newRound()}
}

// Record takes events, which the next round of Run writes. It never waits and
// its error is nil: events beyond what is kept are counted, and the count is
// written. What may come by the thousand becomes few rows that say how many they
// stand for: events of no user that differ by their time and request alone;
// refusals that differ by no more than that; and refusals of nobody who is known,
// whatever they were called, by address block. Refusals beyond some hundred rows
// a round are counted by act and reason alone.
func (b *Batch) Record(_ context.Context, events ...authserver.Event) error {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range events {
		if e.At.IsZero() {
			e.At = now
		}
		b.waiting.add(e)
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
	err := b.flush(ctx)
	if err == nil {
		err = b.flush(ctx) // what had to wait for a round that was kept
	}
	if err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		events := len(b.writing.rows) + b.writing.lost + len(b.waiting.rows) + b.waiting.lost
		b.logger.ErrorContext(ctx, "audit events are lost", "events", events, "err", err)
		return
	}
	b.sayHead(ctx)
}

// flush writes one round, in portions, in the order in which it came. What is
// not written stays, and the next round gathers until it is; should a commit's
// answer be lost, the portion is written twice rather than never.
func (b *Batch) flush(ctx context.Context) error {
	w := b.writing
	if len(w.rows) == 0 {
		b.mu.Lock()
		w, b.waiting = b.waiting, newRound()
		b.writing = w
		b.mu.Unlock()
		if w.coarse > 0 {
			b.logger.WarnContext(ctx, "more refusals than the audit log has rows for; they are counted by act and reason alone", "refusals", w.coarse)
		}
		if w.lost > 0 { // after all that is kept
			w.rows = append(w.rows, authserver.Event{
				At: time.Now(), Act: "audit.lost", Result: "failure", Actor: "server", Reason: fmt.Sprintf("%d events", w.lost),
			})
		}
	}
	for len(w.rows) > 0 {
		n := min(portion, len(w.rows))
		if err := b.store.Record(ctx, w.rows[:n]...); err != nil {
			return fmt.Errorf("write audit events: %w", err)
		}
		w.rows = w.rows[n:]
	}
	b.writing = newRound() // the array was as large as the longest wait
	return nil
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
