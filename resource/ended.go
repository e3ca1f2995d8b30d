package resource

import (
	"container/heap"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The kinds of Revocation.
const (
	KindToken   = "token"   // ID is a jti
	KindSession = "session" // ID is a sid, or that of the browser session that opened it
	KindUser    = "user"    // ID is a sub: every token of it with a lower epoch or session epoch
	KindClient  = "client"  // ID is a client_id: every token of it
	KindKey     = "key"     // ID is a kid: every token that it signed
)

// ReasonUserDisabled is the one Reason that the bearer is told.
const ReasonUserDisabled = "user_disabled"

// Revocation is an entry of the issuer's feed of what has ended.
type Revocation struct {
	Seq  int64 // the feed's order
	Kind string
	ID   string
	// Epoch and SessionEpoch are of KindUser only. Tokens with a lower Epoch have
	// ended; those with a lower SessionEpoch too, unless Kept has their session or
	// the browser session that opened it.
	Epoch        int64
	SessionEpoch int64
	Kept         []string
	Reason       string
	// Until is when no token that it ends can be alive any more; the entry then
	// ends nothing and is forgotten.
	Until time.Time
}

// Ended is the set of what has ended, in memory. It holds what is live and no
// more. All methods may be called concurrently; Check takes no lock.
type Ended struct {
	tells   atomic.Int64  // until when the set can tell, in Unix nanoseconds; 0 is not yet
	ready   chan struct{} // closed when it can tell for the first time
	entries sync.Map      // name → *Revocation, never changed once it is in

	mu     sync.Mutex // held by Apply and Replace
	leaves departures
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
		if !now.Before(r.Until) {
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
}

// Replace makes entries all that the set holds. What was in it and still is ends
// tokens without a pause.
func (e *Ended) Replace(entries ...Revocation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	next := make(map[name]*Revocation, len(entries))
	for _, r := range entries {
		if !now.Before(r.Until) {
			continue
		}
		for _, p := range r.parts() {
			n := name{p.Kind, p.ID}
			if have := next[n]; have != nil {
				p = have.and(p)
			}
			next[n] = &p
		}
	}
	e.leaves = make(departures, 0, len(next))
	for n, r := range next {
		e.entries.Store(n, r)
		e.leaves = append(e.leaves, r)
	}
	heap.Init(&e.leaves)
	e.entries.Range(func(n, _ any) bool {
		if next[n.(name)] == nil {
			e.entries.Delete(n)
		}
		return true
	})
}

// kindSessions is what a raising of a user's session epoch is held as: it stands
// beside what raised the epoch, so that two entries of one user add up.
const kindSessions = "user's sessions"

// parts are what r ends, each by itself.
func (r Revocation) parts() []Revocation {
	if r.Kind != KindUser || r.SessionEpoch == 0 {
		return []Revocation{r}
	}
	sessions, tokens := r, r
	sessions.Kind, sessions.Epoch = kindSessions, 0
	tokens.SessionEpoch, tokens.Kept = 0, nil
	if tokens.Epoch == 0 {
		return []Revocation{sessions}
	}
	return []Revocation{tokens, sessions}
}

// covers says whether r, of the same name, adds nothing.
func (have *Revocation) covers(r Revocation) bool {
	switch {
	case have.Until.Before(r.Until):
		return false
	case have.Epoch != r.Epoch:
		return have.Epoch > r.Epoch
	case have.SessionEpoch != r.SessionEpoch:
		return have.SessionEpoch > r.SessionEpoch
	}
	return !slices.ContainsFunc(have.Kept, func(sid string) bool { return !slices.Contains(r.Kept, sid) })
}

// and ends what have or r, of the same name, ends. The higher epoch ends more.
// So does the higher session epoch: it keeps only what the lower ones had kept
// or what was opened since. Of one session epoch that two copies of a database
// raised, each for another session, none is kept.
func (have *Revocation) and(r Revocation) Revocation {
	more, less := r, *have
	if have.Epoch > r.Epoch || have.SessionEpoch > r.SessionEpoch {
		more, less = *have, r
	}
	if less.SessionEpoch == more.SessionEpoch && len(more.Kept) > 0 {
		more.Kept = slices.DeleteFunc(slices.Clone(more.Kept), func(sid string) bool { return !slices.Contains(less.Kept, sid) })
	}
	if more.Until.Before(less.Until) {
		more.Until = less.Until
	}
	return more
}

// keeps says whether r, a raising of the session epoch, lets c live.
func (r *Revocation) keeps(c *Claims) bool {
	return c.SessionEpoch >= r.SessionEpoch || slices.Contains(r.Kept, c.SessionID)
}

// Len counts the entries that the set holds, one by one; those too that have
// expired since the last Apply.
func (e *Ended) Len() int {
	n := 0
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
		if r := e.live(name{KindSession, c.SessionID}, now); r != nil {
			return r.Reason, true, nil
		}
		if c.Parent != "" {
			if r := e.live(name{KindSession, c.Parent}, now); r != nil {
				return r.Reason, true, nil
			}
		}
	}
	for _, n := range [...]name{{KindToken, c.ID}, {KindClient, c.ClientID}, {KindKey, kid}} {
		if r := e.live(n, now); r != nil {
			return r.Reason, true, nil
		}
	}
	return "", false, nil
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
