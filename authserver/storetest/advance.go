package storetest

import (
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// advanceTable presents one token to a session at counter 5 whose last rotation
// was a minute ago. Each row edits a presentation that would succeed.
func advanceTable(t *testing.T, st authserver.SessionStore) {
	const grace = 10 * time.Second
	at := now()
	rotated := at.Add(-time.Minute)
	type edit = func(s *authserver.Session, a *authserver.Advance)
	for _, tc := range []struct {
		name string
		edit edit
		want authserver.Outcome // zero if refused
		err  error
	}{
		{"REF-001 the current token rotates", func(*authserver.Session, *authserver.Advance) {}, authserver.Rotated, nil},
		{"the first token rotates", func(s *authserver.Session, a *authserver.Advance) { s.Counter, a.Counter = 0, 0 }, authserver.Rotated, nil},
		{"a large counter rotates", func(s *authserver.Session, a *authserver.Advance) {
			s.Counter, a.Counter = math.MaxUint32-1, math.MaxUint32-1
		}, authserver.Rotated, nil},
		{"grace 0: the current token rotates", func(_ *authserver.Session, a *authserver.Advance) { a.Grace = 0 }, authserver.Rotated, nil},
		{"a clock that is behind: the current token rotates", func(_ *authserver.Session, a *authserver.Advance) {
			a.Now = rotated.Add(-time.Hour)
		}, authserver.Rotated, nil},
		{"REF-018 the idle deadline never passes the absolute one", func(s *authserver.Session, a *authserver.Advance) {
			s.Deadline = at.Add(time.Hour)
			s.IdleDeadline = s.Deadline
		}, authserver.Rotated, nil},

		{"REF-012 a lost answer can be asked for again", func(_ *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now = 4, rotated.Add(time.Second)
		}, authserver.Repeated, nil},
		{"the last moment of the grace period", func(_ *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now = 4, rotated.Add(grace)
		}, authserver.Repeated, nil},
		{"a clock that is behind: the token before repeats", func(_ *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now = 4, rotated.Add(-time.Second)
		}, authserver.Repeated, nil},
		{"REF-014 after the grace period: reuse", func(_ *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now = 4, rotated.Add(grace+time.Millisecond)
		}, authserver.Reused, nil},
		{"REF-010 grace 0: the token before is reuse at once", func(_ *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now, a.Grace = 4, rotated, 0
		}, authserver.Reused, nil},
		{"grace 0: reuse even by a clock that is behind", func(_ *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now, a.Grace = 4, rotated.Add(-time.Second), 0
		}, authserver.Reused, nil},
		{"two before is reuse within the grace period", func(_ *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now = 3, rotated.Add(time.Second)
		}, authserver.Reused, nil},
		{"the very first token again", func(_ *authserver.Session, a *authserver.Advance) { a.Counter = 0 }, authserver.Reused, nil},

		{"REF-031 one ahead: the store has lost a write", func(_ *authserver.Session, a *authserver.Advance) { a.Counter = 6 }, authserver.Recovered, nil},
		{"far ahead", func(_ *authserver.Session, a *authserver.Advance) { a.Counter = math.MaxUint32 - 1 }, authserver.Recovered, nil},
		{"grace 0: ahead", func(_ *authserver.Session, a *authserver.Advance) { a.Counter, a.Grace = 6, 0 }, authserver.Recovered, nil},

		{"the moment before the idle deadline", func(s *authserver.Session, a *authserver.Advance) {
			a.Now = s.IdleDeadline.Add(-time.Millisecond)
		}, authserver.Rotated, nil},
		{"REF-017 the idle deadline", func(s *authserver.Session, a *authserver.Advance) { a.Now = s.IdleDeadline }, 0, authserver.ErrSessionExpired},
		{"REF-018 the absolute deadline", func(s *authserver.Session, a *authserver.Advance) {
			s.IdleDeadline, a.Now = s.Deadline, s.Deadline
		}, 0, authserver.ErrSessionExpired},
		{"the moment before the absolute deadline", func(s *authserver.Session, a *authserver.Advance) {
			s.IdleDeadline, a.Now = s.Deadline, s.Deadline.Add(-time.Millisecond)
		}, authserver.Rotated, nil},
		{"the token before at the idle deadline", func(s *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now, a.Grace = 4, s.IdleDeadline, lifetime
		}, 0, authserver.ErrSessionExpired},

		{"REF-004 another client", func(_ *authserver.Session, a *authserver.Advance) { a.ClientID = "other" }, 0, authserver.ErrWrongClient},
		{"no client", func(_ *authserver.Session, a *authserver.Advance) { a.ClientID = "" }, 0, authserver.ErrWrongClient},
		{"a client of the same id, in other case", func(_ *authserver.Session, a *authserver.Advance) { a.ClientID = "WEB" }, 0, authserver.ErrWrongClient},
		{"a later client of the same id", func(_ *authserver.Session, a *authserver.Advance) { a.ClientIncarnation++ }, 0, authserver.ErrWrongClient},
		{"another client with the token before", func(_ *authserver.Session, a *authserver.Advance) {
			a.ClientID, a.Counter, a.Now = "other", 4, rotated
		}, 0, authserver.ErrWrongClient},
		{"another client with an old token ends nothing", func(_ *authserver.Session, a *authserver.Advance) {
			a.ClientID, a.Counter = "other", 0
		}, 0, authserver.ErrWrongClient},
		{"another client with a token that is ahead", func(_ *authserver.Session, a *authserver.Advance) {
			a.ClientID, a.Counter = "other", 6
		}, 0, authserver.ErrWrongClient},

		{"a wrong secret", func(_ *authserver.Session, a *authserver.Advance) { a.Secret[15] ^= 1 }, 0, authserver.ErrWrongSecret},
		{"no secret", func(_ *authserver.Session, a *authserver.Advance) { a.Secret = [16]byte{} }, 0, authserver.ErrWrongSecret},
		{"a wrong secret with an old counter ends nothing", func(_ *authserver.Session, a *authserver.Advance) {
			a.Secret[0] ^= 1
			a.Counter = 0
		}, 0, authserver.ErrWrongSecret},
		{"a wrong secret with a counter that is ahead", func(_ *authserver.Session, a *authserver.Advance) {
			a.Secret[0] ^= 1
			a.Counter = 6
		}, 0, authserver.ErrWrongSecret},

		{"REF-008 a narrower scope", func(_ *authserver.Session, a *authserver.Advance) { a.Scope = []string{"read:all"} }, authserver.Rotated, nil},
		{"the whole scope, in another order", func(_ *authserver.Session, a *authserver.Advance) {
			a.Scope = []string{"read:all", "write", "read"}
		}, authserver.Rotated, nil},
		{"a narrower scope with the token before", func(_ *authserver.Session, a *authserver.Advance) {
			a.Scope, a.Counter, a.Now = []string{"write"}, 4, rotated
		}, authserver.Repeated, nil},
		{"REF-007 a scope that the session has not", func(_ *authserver.Session, a *authserver.Advance) { a.Scope = []string{"admin"} }, 0, authserver.ErrScopeTooWide},
		{"one scope of several that the session has not", func(_ *authserver.Session, a *authserver.Advance) {
			a.Scope = []string{"read", "admin", "write"}
		}, 0, authserver.ErrScopeTooWide},
		{"the beginning of a scope's name", func(_ *authserver.Session, a *authserver.Advance) { a.Scope = []string{"rea"} }, 0, authserver.ErrScopeTooWide},
		{"the end of a scope's name", func(_ *authserver.Session, a *authserver.Advance) { a.Scope = []string{"all"} }, 0, authserver.ErrScopeTooWide},
		{"a scope in other case", func(_ *authserver.Session, a *authserver.Advance) { a.Scope = []string{"READ"} }, 0, authserver.ErrScopeTooWide},
		{"a scope that is a pattern", func(_ *authserver.Session, a *authserver.Advance) { a.Scope = []string{"%"} }, 0, authserver.ErrScopeTooWide},
		{"a scope that is another kind of pattern", func(_ *authserver.Session, a *authserver.Advance) { a.Scope = []string{"re.d", "w*"} }, 0, authserver.ErrScopeTooWide},
		{"any scope of a session without", func(s *authserver.Session, a *authserver.Advance) {
			s.Scope, a.Scope = nil, []string{"read"}
		}, 0, authserver.ErrScopeTooWide},
		{"a wider scope with an old token ends nothing", func(_ *authserver.Session, a *authserver.Advance) {
			a.Scope, a.Counter = []string{"admin"}, 0
		}, 0, authserver.ErrScopeTooWide},
		{"scopes of every character that the grammar has", func(s *authserver.Session, a *authserver.Advance) {
			s.Scope = []string{"a'b", "100%", "x_y", "[*]?", "~!#$&()+,-./:;<=>@^`{|}"}
			a.Scope = s.Scope[1:]
		}, authserver.Rotated, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, secret := newSession(newSubject(), at.Add(-time.Hour))
			s.Counter = 5
			s.RotatedAt, s.LastUsedAt = rotated, rotated
			a := present(s, secret, at)
			a.Grace = grace
			tc.edit(&s, &a)
			mustOpen(t, st, s)
			advance(t, st, s, a, tc.want, tc.err)
		})
	}
}

// advance presents a to the store's s, and compares with what Judge makes of it.
// It returns the session as it then is.
func advance(t *testing.T, st authserver.SessionStore, s authserver.Session, a authserver.Advance, want authserver.Outcome, wantErr error) authserver.Session {
	t.Helper()
	after, judged, judgedErr := s.Judge(a)
	if judged != want || !errors.Is(judgedErr, wantErr) {
		t.Fatalf("the case is wrong: Judge says %v, %v; want %v, %v", judged, judgedErr, want, wantErr)
	}
	got, outcome, err := st.Advance(t.Context(), s.ID, a)
	if !errors.Is(err, wantErr) {
		t.Fatalf("got %v, %v; want %v, %v", outcome, err, want, wantErr)
	}
	if err == nil {
		if outcome != want {
			t.Fatalf("got %v, want %v", outcome, want)
		}
		same(t, after, got)
	}
	wantSession(t, st, after)
	return after
}

func advanceLife(t *testing.T, st authserver.SessionStore) {
	at := now()
	s, secret := newSession(newSubject(), at)
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
