package cli

import (
	"context"
	"log/slog"
	"time"

	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

const sweepInterval = 10 * time.Minute

// sweep forgets what has expired, and events older than retention, now and then
// until ctx ends.
func sweep(ctx context.Context, db *sqlstore.DB, retention time.Duration, logger *slog.Logger) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		if err := db.Sweep(ctx); err != nil && ctx.Err() == nil {
			logger.ErrorContext(ctx, "expired rows are not swept", "err", err)
		}
		if _, err := db.PruneEvents(ctx, time.Now().Add(-retention)); err != nil && ctx.Err() == nil {
			logger.ErrorContext(ctx, "old events are not pruned", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
