package feed

import (
	"maps"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// Stats are a Tail's at one moment.
type Stats struct {
	// Followers are those of Follow that have not left.
	Followers int
	// ReadAt is when the table was last read; zero before the first time.
	ReadAt time.Time
	// Heard counts the entries that came after the first read, whoever wrote
	// them: each server on a database counts every one.
	Heard map[What]uint64
}

// What is what an entry ended, and why.
type What struct {
	Kind   authserver.Kind
	Reason authserver.Reason
}

// Stats may be called at any time.
func (t *Tail) Stats() Stats {
	s := Stats{Followers: int(t.followers.Load())}
	if at := t.readAt.Load(); at != 0 {
		s.ReadAt = time.Unix(0, at)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Heard = maps.Clone(t.heard)
	return s
}
