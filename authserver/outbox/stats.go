package outbox

import (
	"context"
	"maps"
	"time"
)

// Ended is what is counted together.
type Ended struct {
	Kind    string
	Outcome Outcome
}

// Stats are what waits on any server, and what this one has done with.
type Stats struct {
	Waiting int
	// Oldest is since when the oldest waits; zero if nothing does.
	Oldest time.Time
	Done   map[Ended]int64
}

// Stats asks the database what waits.
func (o *Outbox) Stats(ctx context.Context) (Stats, error) {
	n, oldest, err := o.d.Store.WaitingItems(ctx)
	o.mu.Lock()
	defer o.mu.Unlock()
	return Stats{Waiting: n, Oldest: oldest, Done: maps.Clone(o.done)}, err
}
