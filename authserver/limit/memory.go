package limit

import (
	"container/heap"
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// Memory is a Limiter in this process's memory, of bounded size. It is a GCRA:
// one time for each key, no buckets to refill and nothing that runs in the
// background. It forgets what is back to its whole allowance and, when it is
// full, the key that would be so next. Thus a flood of new keys pushes out the
// flood: to be rid of a spent allowance before its time, one has to spend as
// much of as many others as there is room for.
type Memory struct {
	maxKeys int

	mu      sync.Mutex
	entries map[digest]*entry
	order   queue
}

var _ Limiter = (*Memory)(nil)

// digest stands for a rule's name and a key, so that an entry has one size
// however long a stranger's key is, and keeps no name or address.
type digest [16]byte

type entry struct {
	id digest
	// spent is when the allowance will be whole again; GCRA's theoretical
	// arrival time.
	spent time.Time
	at    int // in the queue
}

// NewMemory returns a Memory that keeps at most maxKeys keys (about 200 bytes
// each), at least one.
func NewMemory(maxKeys int) *Memory {
	return &Memory{maxKeys: max(1, maxKeys), entries: map[digest]*entry{}}
}

// Take never fails.
func (m *Memory) Take(_ context.Context, r Rule, key string) (Decision, error) {
	if r.Off() {
		return Decision{Allowed: true}, nil
	}
	id := digestOf(r, key)
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.tidy(now)
	e, known := m.entries[id]
	spent := now
	if known && e.spent.After(now) {
		spent = e.spent
	}
	spent = spent.Add(r.Interval())
	if wait := spent.Sub(now) - r.Interval()*time.Duration(r.Burst); wait > 0 {
		return Decision{RetryAfter: wait}, nil
	}
	if known {
		e.spent = spent
		heap.Fix(&m.order, e.at)
		return Decision{Allowed: true}, nil
	}
	if len(m.entries) >= m.maxKeys {
		m.forget(m.order[0])
	}
	e = &entry{id: id, spent: spent}
	m.entries[id] = e
	heap.Push(&m.order, e)
	return Decision{Allowed: true}, nil
}

// Return never fails.
func (m *Memory) Return(_ context.Context, r Rule, key string) error {
	if r.Off() {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, known := m.entries[digestOf(r, key)]
	if !known {
		return nil
	}
	if e.spent = e.spent.Add(-r.Interval()); e.spent.After(time.Now()) {
		heap.Fix(&m.order, e.at)
	} else {
		m.forget(e)
	}
	return nil
}

// tidy forgets up to two whole allowances. A Take adds one entry at most, so
// that they become fewer while there are any.
func (m *Memory) tidy(now time.Time) {
	for range 2 {
		if len(m.order) == 0 || m.order[0].spent.After(now) {
			return
		}
		m.forget(m.order[0])
	}
}

func (m *Memory) forget(e *entry) {
	delete(m.entries, e.id)
	heap.Remove(&m.order, e.at)
}

func digestOf(r Rule, key string) digest {
	sum := sha256.Sum256([]byte(r.Name + "\x00" + key))
	return digest(sum[:len(digest{})])
}
