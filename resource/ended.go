package resource

import (
	"container/heap"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Ended is the set of what has ended, in memory. It holds what is live and, for
// a minute, what was. All methods may be called concurrently; Check waits for no
// more than the change of one entry.
type Ended struct {
	tells   atomic.Int64  // until when the set can tell, in Unix nanoseconds; 0 is not yet
	ready   chan struct{} // closed when it can tell for the first time
	entries sync.Map      // name → *Revocation, never changed once it is in
	// Nearly all entries are of tokens and sessions, and are in these.
	tokens, sessions crowd
	reasons          atomic.Pointer[[]string] // of both; never changed, but added to

	mu       sync.Mutex // held by whoever changes the set
	leaves   departures
	swept    time.Time
	snapshot uint8 // the number of the last
}

// name is what a Revocation names.
type name struct{ kind, id string }

// NewEnded returns a set that is empty and not ready: until Ready it can tell
// nothing.
func NewEnded() *Ended { return &Ended{ready: make(chan struct{})} }

// Ready says that the first snapshot of the feed is in. A resource server that
// follows no feed calls it at once, and then lets ended tokens pass until they
// expire.
func (e *Ended) Ready() { e.readyUntil(math.MaxInt64) }

// ReadyUntil is Ready for a set that cannot tell from t on, unless there are news
// by then: it then answers as before Ready.
func (e *Ended) ReadyUntil(t time.Time) { e.readyUntil(t.UnixNano()) }

// readyUntil is Ready for a set that cannot tell after some time, in Unix
// nanoseconds, unless there are news by then.
func (e *Ended) readyUntil(t int64) {
	if e.tells.Swap(t) == 0 {
		close(e.ready)
	}
}

// Apply puts entries into the set, in any order and as often as they come.
func (e *Ended) Apply(entries ...Revocation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	for _, r := range entries {
		if !now.Before(r.Until) || e.join(r) {
			continue
		}
		for _, p := range r.parts() {
			n := name{p.Kind, p.ID}
			have := e.entry(n)
			if have != nil {
				if have.covers(p) {
					continue
				}
				p = have.and(p)
			}
			e.entries.Store(n, &p)
			heap.Push(&e.leaves, &p)
		}
	}
	for len(e.leaves) > 0 && !now.Before(e.leaves[0].Until) {
		r := heap.Pop(&e.leaves).(*Revocation)
		e.entries.CompareAndDelete(name{r.Kind, r.ID}, r) // a later entry stays
	}
	if now.Sub(e.swept) >= time.Minute {
		e.swept = now
		gone := func(m member) bool { return int64(m.until) <= now.Unix() }
		e.tokens.leave(gone)
		e.sessions.leave(gone)
	}
}

// crowd is where the entries of a kind are, if their ids are the issuer's own.
func (e *Ended) crowd(kind string) *crowd {
	switch kind {
	case KindToken:
		return &e.tokens
	case KindSession:
		return &e.sessions
	}
	return nil
}

// join puts r into its crowd, if it has one. It needs mu.
func (e *Ended) join(r Revocation) bool {
	c := e.crowd(r.Kind)
	if c == nil {
		return false
	}
	id, is := id16(r.ID)
	until, fits := seconds(r.Until)
	reason, few := e.reason(r.Reason)
	if !is || !fits || !few {
		return false
	}
	c.put(id, member{until: until, reason: reason, snapshot: e.snapshot})
	return true
}

// reason is the index of text among the reasons, of which there are few.
func (e *Ended) reason(text string) (uint8, bool) {
	var have []string
	if p := e.reasons.Load(); p != nil {
		have = *p
	}
	i := slices.Index(have, text)
	if i < 0 {
		if i = len(have); i > math.MaxUint8 {
			return 0, false
		}
		have = append(slices.Clip(have), text)
		e.reasons.Store(&have)
	}
	return uint8(i), true
}

// Len counts the entries that the set holds; those too that have expired within
// the last minute or since the last Apply.
func (e *Ended) Len() int {
	n := e.tokens.len() + e.sessions.len()
	e.entries.Range(func(any, any) bool { n++; return true })
	return n
}

// Check says whether a token with these claims, signed by the key kid, has
// ended, and why. The error is ErrUnavailable before Ready, and when the feed has
// been silent for too long under FailClosed.
func (e *Ended) Check(c *Claims, kid string) (reason string, ended bool, err error) {
	return e.check(c, kid, time.Now())
}

func (e *Ended) check(c *Claims, kid string, now time.Time) (reason string, ended bool, err error) {
	if now.UnixNano() >= e.tells.Load() {
		return "", false, ErrUnavailable
	}
	if c.OfUser() {
		// The user comes first: its reason may be one that the bearer is told.
		if r := e.live(name{KindUser, c.Subject}, now); r != nil && c.Epoch < r.Epoch {
			return r.Reason, true, nil
		}
		if r := e.live(name{kindSessions, c.Subject}, now); r != nil && !r.keeps(c) {
			return r.Reason, true, nil
		}
		if reason, ended = e.has(name{KindSession, c.SessionID}, now); ended {
			return reason, true, nil
		}
		if c.Parent != "" {
			if reason, ended = e.has(name{KindSession, c.Parent}, now); ended {
				return reason, true, nil
			}
		}
	}
	for _, n := range [...]name{{KindToken, c.ID}, {KindClient, c.ClientID}, {KindKey, kid}} {
		if reason, ended = e.has(n, now); ended {
			return reason, true, nil
		}
	}
	return "", false, nil
}

// has says whether there is a live entry of a name, and why.
func (e *Ended) has(n name, now time.Time) (reason string, ended bool) {
	if c := e.crowd(n.kind); c != nil {
		if id, is := id16(n.id); is {
			if m, found := c.find(id, now); found {
				return (*e.reasons.Load())[m.reason], true
			}
		}
	}
	if r := e.live(n, now); r != nil {
		return r.Reason, true
	}
	return "", false
}

func (e *Ended) entry(n name) *Revocation {
	r, ok := e.entries.Load(n)
	if !ok {
		return nil
	}
	return r.(*Revocation)
}

// live looks at Until, since nothing may have been applied for long and a client
// id may be given again after it.
func (e *Ended) live(n name, now time.Time) *Revocation {
	r := e.entry(n)
	if r == nil || !now.Before(r.Until) {
		return nil
	}
	return r
}
