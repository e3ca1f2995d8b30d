package account

import (
	"sync"
	"time"
)

const (
	// quietFor is how long a right secret is taken without asking the limiter again,
	// which other servers may have told of wrong ones.
	quietFor = time.Second
	// mostQuiet bounds what is remembered: when it is full, all is asked again.
	mostQuiet = 10_000
)

// quiet remembers who has authenticated rightly and not failed since, by client and
// address: so that a right secret costs an HMAC and, once a second, the limiter. It
// is safe for concurrent use. The zero value knows nobody.
//
// What the limiter promises still holds. Only a right secret is taken unasked, and
// only where one from the same address has just been: who does not have it cannot
// bring that about. A wrong one is always counted, by all servers together, and ends
// the quiet here at once; so on each server no more guesses go by an allowance that
// is used up than were under way when the first of them failed.
type quiet struct {
	mu    sync.Mutex
	since map[string]time.Time
}

// has reports whether key is quiet.
func (q *quiet) has(key string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	at, ok := q.since[key]
	return ok && time.Since(at) < quietFor
}

// begin notes that the limiter let key pass, and the secret was right.
func (q *quiet) begin(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.since == nil || len(q.since) >= mostQuiet {
		q.since = map[string]time.Time{}
	}
	q.since[key] = time.Now()
}

// end notes that somebody failed.
func (q *quiet) end(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.since, key)
}
