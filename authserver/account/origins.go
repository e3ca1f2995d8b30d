package account

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

const (
	// addedAge and removedAge are how long it may go unnoticed that a client was
	// added, whose page does not work until then, or removed, whose page has
	// nothing to read without a token.
	addedAge   = time.Second
	removedAge = 10 * time.Second
	// originsTimeout is how long one request waits for the list, while others go by
	// the one before.
	originsTimeout = time.Second
)

// Origins knows the origins of public clients' pages, which may read answers
// without being named in CORS_ORIGINS. It is safe for concurrent use.
type Origins struct {
	clients authserver.ClientStore
	logger  *slog.Logger
	known   atomic.Pointer[map[string]bool]

	reading sync.Mutex
	read    time.Time
}

// NewOrigins reads the clients once.
func NewOrigins(ctx context.Context, clients authserver.ClientStore, logger *slog.Logger) (*Origins, error) {
	o := &Origins{clients: clients, logger: logger}
	return o, o.refresh(ctx)
}

// Has reports whether origin, as a browser sends it, is one of a client that is
// there, or was ten seconds ago. While the clients cannot be read, those count
// that were there when they could.
func (o *Origins) Has(ctx context.Context, origin string) bool {
	age := addedAge
	if (*o.known.Load())[origin] {
		age = removedAge
	}
	if o.reading.TryLock() {
		if time.Since(o.read) >= age {
			ctx, cancel := context.WithTimeout(ctx, originsTimeout)
			if err := o.refresh(ctx); err != nil {
				o.logger.WarnContext(ctx, "clients' origins are not read", "err", err)
			}
			cancel()
		}
		o.reading.Unlock()
	}
	return (*o.known.Load())[origin]
}

func (o *Origins) refresh(ctx context.Context) error {
	if o.known.Load() == nil {
		o.known.Store(&map[string]bool{})
	}
	o.read = time.Now() // also if it fails: a database that is away is not asked at once again
	clients, err := o.clients.Clients(ctx)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, c := range clients {
		for _, origin := range c.Origins() {
			known[origin] = true
		}
	}
	o.known.Store(&known)
	return nil
}
