package limit

import (
	"container/list"
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// Memory is a Limiter in this process's memory, of bounded size. It forgets at
// once what is back to its whole allowance and, when it is full, whatever was
// asked about longest ago. It is a GCRA: one time for each key, no buckets to
// refill and nothing that runs in the background.
type Memory struct {
	maxKeys int

	mu      sync.Mutex
	entries map[digest]*list.Element // of *entry
	touched *list.List               // the one asked about longest ago in front
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
}

// NewMemory returns a Memory that keeps at most maxKeys keys (about 200 bytes
// each), at least one.
func NewMemory(maxKeys int) *Memory {
	return &Memory{maxKeys: max(1, maxKeys), entries: map[digest]*list.Element{}, touched: list.New()}
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
	el, known := m.entries[id]
	spent := now
	if known {
		m.touched.MoveToBack(el)
		if e := el.Value.(*entry); e.spent.After(now) {
			spent = e.spent
		}
	}
	spent = spent.Add(r.Interval())
	if wait := spent.Sub(now) - r.Interval()*time.Duration(r.Burst); wait > 0 {
		return Decision{RetryAfter: wait}, nil
	}
	if known {
		el.Value.(*entry).spent = spent
		return Decision{Allowed: true}, nil
	}
	if len(m.entries) >= m.maxKeys {
		m.forget(m.leastMissed(now))
	}
	m.entries[id] = m.touched.PushBack(&entry{id: id, spent: spent})
	return Decision{Allowed: true}, nil
}

// Return never fails.
func (m *Memory) Return(_ context.Context, r Rule, key string) error {
	if r.Off() {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	el, known := m.entries[digestOf(r, key)]
	if !known {
		return nil
	}
	e := el.Value.(*entry)
	e.spent = e.spent.Add(-r.Interval())
	if !e.spent.After(time.Now()) {
		m.forget(el)
	}
	return nil
}

// tidy forgets up to two whole allowances among those asked about longest ago.
// A Take adds one entry at most, so that they become fewer while there are any.
func (m *Memory) tidy(now time.Time) {
	for range 2 {
		el := m.touched.Front()
		if el == nil || el.Value.(*entry).spent.After(now) {
			return
		}
		m.forget(el)
	}
}

// leastMissed is a whole allowance behind those of slower rules if one is near,
// else what was asked about longest ago.
func (m *Memory) leastMissed(now time.Time) *list.Element {
	const near = 16
	el := m.touched.Front()
	for range near {
		if el == nil {
			break
		}
		if !el.Value.(*entry).spent.After(now) {
			return el
		}
		el = el.Next()
	}
	return m.touched.Front()
}

func (m *Memory) forget(el *list.Element) {
	delete(m.entries, el.Value.(*entry).id)
	m.touched.Remove(el)
}

func digestOf(r Rule, key string) digest {
	sum := sha256.Sum256([]byte(r.Name + "\x00" + key))
	return digest(sum[:len(digest{})])
}
