package resource_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/resource"
)

func TestEndedNamesWhatItEnds(t *testing.T) {
	until := time.Now().Add(time.Hour)
	user := resource.Claims{ID: "j", ClientID: "c", Subject: "s", SessionID: "sid", Epoch: 2, UserID: 1}
	own := resource.Claims{ID: "j", ClientID: "c", Subject: "c"}
	for _, tc := range []struct {
		name        string
		entry       resource.Revocation
		users, owns bool // whether the user's token and the client's own end
	}{
		{"a token", resource.Revocation{Kind: "token", ID: "j"}, true, true},
		{"another token", resource.Revocation{Kind: "token", ID: "J"}, false, false},
		{"the client", resource.Revocation{Kind: "client", ID: "c"}, true, true},
		{"the key", resource.Revocation{Kind: "key", ID: "k"}, true, true},
		{"the session", resource.Revocation{Kind: "session", ID: "sid"}, true, false},
		{"a session without a name", resource.Revocation{Kind: "session"}, false, false},
		{"the user's lower epochs", resource.Revocation{Kind: "user", ID: "s", Epoch: 3}, true, false},
		{"the user's epochs below this", resource.Revocation{Kind: "user", ID: "s", Epoch: 2}, false, false},
		{"a user that is called as the client", resource.Revocation{Kind: "user", ID: "c", Epoch: 9}, false, false},
		{"a token that is called as the session", resource.Revocation{Kind: "token", ID: "sid"}, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := resource.NewEnded()
			e.Ready()
			tc.entry.Until, tc.entry.Reason = until, "why"
			e.Apply(tc.entry)
			for _, c := range []struct {
				claims *resource.Claims
				want   bool
			}{{&user, tc.users}, {&own, tc.owns}} {
				reason, ended, err := e.Check(c.claims, "k")
				if err != nil || ended != c.want || (reason == "why") != c.want {
					t.Errorf("got %q %v %v, want %v", reason, ended, err, c.want)
				}
			}
		})
	}
}

func TestEndedBeforeReady(t *testing.T) {
	e := resource.NewEnded()
	e.Apply(resource.Revocation{Kind: "token", ID: "j", Until: time.Now().Add(time.Hour)})
	if _, _, err := e.Check(&resource.Claims{ID: "j"}, "k"); !errors.Is(err, resource.ErrUnavailable) {
		t.Errorf("RSV-042 before the first snapshot: %v", err)
	}
}

func TestEndedEntriesLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := resource.NewEnded()
		e.Ready()
		check := func(want bool) {
			t.Helper()
			if _, ended, _ := e.Check(&resource.Claims{ClientID: "c"}, "k"); ended != want {
				t.Errorf("ended: %v, want %v", ended, want)
			}
		}
		entry := func(ends time.Duration) resource.Revocation {
			return resource.Revocation{Kind: "client", ID: "c", Until: time.Now().Add(ends)}
		}
		e.Apply(entry(time.Minute))
		e.Apply(entry(2 * time.Minute)) // stays when the first leaves
		e.Apply(entry(time.Second))     // adds nothing
		for i := range 1000 {
			e.Apply(resource.Revocation{Kind: "token", ID: fmt.Sprint(i), Until: time.Now().Add(time.Minute)})
		}
		time.Sleep(time.Minute)
		check(true)
		e.Apply()
		if e.Len() != 1 || e.Waiting() != 1 {
			t.Errorf("%d entries, %d waiting to leave; want 1 and 1", e.Len(), e.Waiting())
		}
		time.Sleep(time.Minute)
		check(false) // though nothing was applied
		e.Apply(resource.Revocation{Kind: "client", ID: "c", Until: time.Now()})
		check(false)
		if e.Len() != 0 || e.Waiting() != 0 {
			t.Errorf("%d entries, %d waiting to leave; want none", e.Len(), e.Waiting())
		}
	})
}

func TestEndedTakesEntriesInAnyOrder(t *testing.T) {
	e := resource.NewEnded()
	e.Ready()
	until := time.Now().Add(time.Hour)
	later := resource.Revocation{Seq: 2, Kind: "user", ID: "s", Epoch: 5, Reason: "later", Until: until}
	sooner := resource.Revocation{Seq: 1, Kind: "user", ID: "s", Epoch: 3, Reason: "sooner", Until: until}
	for range 100 { // a snapshot comes again and again
		e.Apply(later, sooner)
	}
	reason, ended, _ := e.Check(&resource.Claims{Subject: "s", UserID: 1, Epoch: 4}, "k")
	if !ended || reason != "later" {
		t.Errorf("got %q %v", reason, ended)
	}
	if e.Waiting() != 1 {
		t.Errorf("%d waiting to leave, want 1", e.Waiting())
	}
}

func TestNothingPassesOnceItHasEnded(t *testing.T) {
	f := newFixture(t, "EdDSA")
	const sessions = 50
	tokens := make([]string, sessions)
	var ended [sessions]atomic.Bool
	for i := range tokens {
		c := f.User("alice", "user")
		c.SessionID = fmt.Sprint(i)
		tokens[i] = f.Token(f.key, c)
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for round := range 20 {
				for i := range tokens {
					over := ended[i].Load() // before the token is looked at
					_, err := f.verifier.Verify(t.Context(), tokens[i])
					if over && err == nil {
						t.Errorf("session %d passed in round %d", i, round)
					}
				}
			}
		})
	}
	for i := range tokens {
		f.ended.Apply(resource.Revocation{Kind: "session", ID: fmt.Sprint(i), Until: time.Now().Add(time.Hour)})
		ended[i].Store(true)
	}
	readers.Wait()
	for i := range tokens {
		_, err := f.verifier.Verify(t.Context(), tokens[i])
		wantInvalid(t, err)
	}
}
