package password

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// gate admits a bounded number at once; so much work as there is room for waits
// in a queue, for a bounded time.
type gate struct {
	mu      sync.Mutex
	slots   int
	inUse   int
	queue   *queue
	refused uint64
	wait    time.Duration
	// onWait is Config.OnWait, or nil.
	onWait func(context.Context) (over func(error))
}

// BusyError says that a hash could not be computed soon enough: the queue was
// full, or had too many from there, or the wait was too long. The same request
// may succeed later.
type BusyError struct {
	RetryAfter time.Duration
}

func (*BusyError) Error() string { return "too many passwords are being checked" }

func newGate(concurrency int, q *queue, wait time.Duration) *gate {
	return &gate{slots: concurrency, queue: q, wait: wait}
}

// enter returns nil when it is the caller's turn; leave must follow. The names
// and work are those of queue.join. Without room it is answered at once.
func (g *gate) enter(ctx context.Context, work int64, names ...string) (err error) {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait for turn: %w", err)
	}
	in, w := g.slot(work, names)
	switch {
	case in:
		return nil
	case w == nil:
		return g.busy()
	case g.onWait != nil:
		over := g.onWait(ctx)
		defer func() { over(err) }()
	}
	deadline := time.NewTimer(g.wait)
	defer deadline.Stop()
	select {
	case in = <-w.turn:
	case <-deadline.C:
		in = !g.quit(w) && <-w.turn
	case <-ctx.Done():
		if g.quit(w) {
			return fmt.Errorf("wait for turn: %w", ctx.Err())
		}
		in = <-w.turn
	}
	if !in {
		return g.busy()
	}
	return nil
}

// slot takes a free slot, or a place in the queue if there is one.
func (g *gate) slot(work int64, names []string) (in bool, w *line) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inUse < g.slots { // nobody waits: leave sees to that
		g.inUse++
		return true, nil
	}
	if g.wait > 0 {
		w = g.queue.join(names, work)
	}
	return false, w
}

// quit takes who waits out of the queue; false if it has been told already.
func (g *gate) quit(w *line) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.in == nil {
		return false
	}
	g.queue.remove(w)
	return true
}

// leave hands the slot to the next who waits.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if w := g.queue.take(); w != nil {
		w.turn <- true
		return
	}
	g.inUse--
}

// busy asks to come back when all who wait now have been served or sent away.
func (g *gate) busy() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused++
	return &BusyError{RetryAfter: max(g.wait, time.Second)}
}
