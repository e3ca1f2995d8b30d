package resource

import (
	"container/heap"
	"time"
)

// Replace makes entries all that the set holds. What was in it and still is ends
// tokens without a pause.
func (e *Ended) Replace(entries ...Revocation) {
	s := e.replacement()
	s.add(entries...)
	s.finish()
}

// replacement is all that the set is to hold, as it comes piece by piece. Until
// it is finished what was in the set stays; if it never is, some is added.
type replacement struct {
	set  *Ended
	rest map[name]*Revocation // but for those in crowds
}

func (e *Ended) replacement() *replacement {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.snapshot++
	return &replacement{set: e, rest: map[name]*Revocation{}}
}

func (s *replacement) add(entries ...Revocation) {
	s.set.mu.Lock()
	defer s.set.mu.Unlock()
	now := time.Now()
	for _, r := range entries {
		if !now.Before(r.Until) || s.set.join(r) {
			continue
		}
		for _, p := range r.parts() {
			n := name{p.Kind, p.ID}
			if have := s.rest[n]; have != nil {
				p = have.and(p)
			}
			s.rest[n] = &p
		}
	}
}

// finish forgets what was not added.
func (s *replacement) finish() {
	e := s.set
	e.mu.Lock()
	defer e.mu.Unlock()
	e.leaves = make(departures, 0, len(s.rest))
	for n, r := range s.rest {
		e.entries.Store(n, r)
		e.leaves = append(e.leaves, r)
	}
	heap.Init(&e.leaves)
	e.entries.Range(func(n, _ any) bool {
		if s.rest[n.(name)] == nil {
			e.entries.Delete(n)
		}
		return true
	})
	gone := func(m member) bool { return m.snapshot != e.snapshot }
	e.tokens.leave(gone)
	e.sessions.leave(gone)
}
