package password

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// gate admits a bounded number at once; a bounded number waits, first come
// first served, for a bounded time.
type gate struct {
	// slots holds a value for each that is inside. The runtime serves blocked
	// senders in order, and hands a freed slot to the first of them, so that
	// nobody who comes later can be quicker.
	slots   chan struct{}
	waiting atomic.Int64
	refused atomic.Uint64
	queue   int64
	wait    time.Duration
	// onWait is Config.OnWait, or nil.
	onWait func(context.Context) (over func(error))
}

// BusyError says that a hash could not be computed soon enough: the queue was
// full or the wait too long. The same request may succeed later.
type BusyError struct {
	RetryAfter time.Duration
}

func (*BusyError) Error() string { return "too many passwords are being checked" }

func newGate(concurrency, queue int, wait time.Duration) *gate {
	return &gate{slots: make(chan struct{}, concurrency), queue: int64(queue), wait: wait}
}

// enter returns nil when it is the caller's turn; leave must follow. A full
// queue is answered at once.
func (g *gate) enter(ctx context.Context) (err error) {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait for turn: %w", err)
	}
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > g.queue || g.wait == 0 {
		return g.busy()
	}
	if g.onWait != nil {
		over := g.onWait(ctx)
		defer func() { over(err) }()
	}
	deadline := time.NewTimer(g.wait)
	defer deadline.Stop()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-deadline.C:
		return g.busy()
	case <-ctx.Done():
		return fmt.Errorf("wait for turn: %w", ctx.Err())
	}
}

func (g *gate) leave() { <-g.slots }

// busy asks to come back when all who wait now have been served or sent away.
func (g *gate) busy() error {
	g.refused.Add(1)
	return &BusyError{RetryAfter: max(g.wait, time.Second)}
}
