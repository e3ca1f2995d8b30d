package cli

import (
	"context"
	"log/slog"
)

// waker tells the servers on the same stores that something has ended, and hears
// of it. Both may lose a wake-up: each server reads the table by itself.
type waker interface {
	Wake(ctx context.Context) error
	Wakes(ctx context.Context, woken func())
}

// wakers are the stores by which servers wake one another.
type wakers []waker

// wake makes the servers read at once.
func (ws wakers) wake(ctx context.Context, logger *slog.Logger) {
	for _, w := range ws {
		if err := w.Wake(ctx); err != nil {
			logger.WarnContext(ctx, "servers are not woken; they read by themselves", "err", err)
		}
	}
}
