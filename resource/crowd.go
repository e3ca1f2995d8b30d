package resource

import (
	"encoding/base64"
	"math"
	"sync"
	"time"
)

// crowd is a set of what has ended by ids of 16 bytes: tokens or sessions, of
// which there may be a million. It takes some 40 bytes for each, and has no
// pointers that a garbage collection would follow.
type crowd [64]struct {
	mu      sync.RWMutex
	members map[[16]byte]member
}

// member says of an id until when it has ended, and why.
type member struct {
	until    uint32 // Unix seconds, rounded up
	reason   uint8  // its index in reasons
	snapshot uint8  // the last that had it, or after which it came
}

// put adds an id, or puts off its leaving.
func (c *crowd) put(id [16]byte, m member) {
	s := &c[id[0]%64]
	s.mu.Lock()
	defer s.mu.Unlock()
	if have, ok := s.members[id]; ok && have.until >= m.until {
		m.until, m.reason = have.until, have.reason
	}
	if s.members == nil {
		s.members = map[[16]byte]member{}
	}
	s.members[id] = m
}

func (c *crowd) find(id [16]byte, now time.Time) (member, bool) {
	s := &c[id[0]%64]
	s.mu.RLock()
	m, ok := s.members[id]
	s.mu.RUnlock()
	return m, ok && now.Unix() < int64(m.until)
}

// leave forgets those of which gone holds.
func (c *crowd) leave(gone func(member) bool) {
	for i := range c {
		s := &c[i]
		s.mu.Lock()
		for id, m := range s.members {
			if gone(m) {
				delete(s.members, id)
			}
		}
		if len(s.members) == 0 {
			s.members = nil // a map does not shrink
		}
		s.mu.Unlock()
	}
}

func (c *crowd) len() (n int) {
	for i := range c {
		c[i].mu.RLock()
		n += len(c[i].members)
		c[i].mu.RUnlock()
	}
	return n
}

var strict = base64.RawURLEncoding.Strict()

// id16 is the id of a token or a session as the issuer makes them.
func id16(s string) (id [16]byte, ok bool) {
	if len(s) != 22 {
		return id, false
	}
	n, err := strict.Decode(id[:], []byte(s))
	return id, err == nil && n == len(id)
}

// seconds is t as a member has it; false for a time that it cannot have.
func seconds(t time.Time) (uint32, bool) {
	s := t.Unix()
	if t.Nanosecond() > 0 {
		s++
	}
	return uint32(s), 0 <= s && s <= math.MaxUint32
}
