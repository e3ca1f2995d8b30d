package storetest

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// advanceLife follows one session through all outcomes.
func advanceLife(t *testing.T, st authserver.SessionStore) {
	at := now()
	s, secret := newSession(newSubject(), at)
	s.Counter = 0 // a code
	bystander, _ := newSession(s.Subject, at)
	mustOpen(t, st, s, bystander)
	step := func(counter uint32, after time.Duration, want authserver.Outcome) {
		t.Helper()
		a := present(s, secret, at.Add(after))
		a.Counter = counter
		s = advance(t, st, s, a, want, nil)
	}
	step(0, time.Minute, authserver.Rotated)
	step(0, time.Minute+5*time.Second, authserver.Repeated)
	// A repeat does not prolong the grace period.
	step(0, time.Minute+10*time.Second, authserver.Repeated)
	step(0, time.Minute+11*time.Second, authserver.Reused)
	step(1, 2*time.Minute, authserver.Rotated)
	step(2, 2*time.Minute+time.Second, authserver.Rotated)
	// REF-013: its successor was used, so it is no lost answer any more.
	step(1, 2*time.Minute+2*time.Second, authserver.Reused)
	// What the caller has not ended goes on.
	step(3, 3*time.Minute, authserver.Rotated)
	step(9, 4*time.Minute, authserver.Recovered)
	step(9, 4*time.Minute+time.Second, authserver.Repeated)
	step(4, 4*time.Minute+time.Second, authserver.Reused)
	step(10, 5*time.Minute, authserver.Rotated)
	wantSession(t, st, bystander)
}

func advanceParallel(t *testing.T, open func(t *testing.T) authserver.SessionStore) {
	for _, tc := range []struct {
		name  string
		grace time.Duration
		ahead uint32
		first authserver.Outcome
		rest  authserver.Outcome
	}{
		{"REF-015 with grace all get one and the same successor", 10 * time.Second, 0, authserver.Rotated, authserver.Repeated},
		{"REF-016 with grace 0 exactly one wins", 0, 0, authserver.Rotated, authserver.Reused},
		{"with grace, a token that is ahead", 10 * time.Second, 3, authserver.Recovered, authserver.Repeated},
		{"with grace 0, a token that is ahead", 0, 3, authserver.Recovered, authserver.Reused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			st := open(t)
			at := now()
			s, secret := newSession(newSubject(), at)
			mustOpen(t, st, s)
			a := present(s, secret, at.Add(time.Minute))
			a.Counter += tc.ahead
			a.Grace = tc.grace
			outcomes := ParallelAdvance(t, []authserver.SessionStore{st}, s.ID, a, 50)
			if outcomes[tc.first] != 1 || outcomes[tc.rest] != 49 {
				t.Errorf("got %v, want one %v and 49 %v", outcomes, tc.first, tc.rest)
			}
			after, _, _ := s.Judge(a)
			wantSession(t, st, after)
		})
	}
}

// ParallelAdvance presents a n times at once to the stores in turn, which are
// several servers' views of one, and counts the outcomes. All must return the
// same session.
func ParallelAdvance(t *testing.T, stores []authserver.SessionStore, id string, a authserver.Advance, n int) map[authserver.Outcome]int {
	t.Helper()
	outcomes := map[authserver.Outcome]int{}
	var (
		mu    sync.Mutex
		wg    sync.WaitGroup
		first *authserver.Session
		start = make(chan struct{})
	)
	for i := range n {
		wg.Go(func() {
			<-start
			s, outcome, err := stores[i%len(stores)].Advance(t.Context(), id, a)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("Advance: %v", err)
				return
			}
			outcomes[outcome]++
			if first == nil {
				first = &s
			}
			same(t, *first, s)
		})
	}
	close(start)
	wg.Wait()
	return outcomes
}

// advanceModel walks a session at random, with the store beside the rule.
func advanceModel(t *testing.T, st authserver.SessionStore) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	seen := map[any]int{}
	for range 10 {
		at := now()
		s, secret := newSession(newSubject(), at)
		s.Counter = 3
		mustOpen(t, st, s)
		for range 60 {
			at = at.Add(time.Duration(r.IntN(16_000)-2_000) * time.Millisecond)
			if r.IntN(60) == 0 {
				at = at.Add(6 * 24 * time.Hour)
			}
			a := present(s, secret, at)
			a.Counter = uint32(max(0, int(s.Counter)+r.IntN(8)-5))
			if r.IntN(2) == 0 {
				a.Counter = s.Counter
			}
			a.Grace = time.Duration(r.IntN(3)) * 5 * time.Second
			a.Keep = r.IntN(8) == 0
			switch r.IntN(20) {
			case 0:
				a.Secret[r.IntN(16)] ^= 0x40
			case 1:
				a.ClientID = "other"
			case 2:
				a.ClientIncarnation ^= 1
			case 3:
				a.Scope = []string{"admin"}
			case 4, 5:
				a.Scope = []string{"write", "read"}
			}
			_, outcome, err := s.Judge(a)
			seen[outcome]++
			s = advance(t, st, s, a, outcome, err)
			if t.Failed() {
				return
			}
		}
	}
	t.Logf("outcomes: %v", seen)
}
