package resource_test

import (
	"errors"
	"fmt"
	"slices"
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

// Raising a user's session epoch ends the tokens of all sessions but those kept,
// also of sessions that nobody knew.
func TestEndedRaisesTheSessionEpoch(t *testing.T) {
	raise := func(n int64, kept ...string) resource.Revocation {
		return resource.Revocation{Kind: "user", ID: "s", SessionEpoch: n, Kept: kept}
	}
	claims := func(n int64, sid, parent string) *resource.Claims {
		return &resource.Claims{Subject: "s", UserID: 1, Epoch: 4, SessionEpoch: n, SessionID: sid, Parent: parent}
	}
	for _, tc := range []struct {
		name    string
		entries []resource.Revocation
		claims  *resource.Claims
		want    bool
	}{
		{"a lower one", []resource.Revocation{raise(2)}, claims(1, "a", ""), true},
		{"a token that says none", []resource.Revocation{raise(1)}, claims(0, "a", ""), true},
		{"the same", []resource.Revocation{raise(2)}, claims(2, "a", ""), false},
		{"another user's", []resource.Revocation{{Kind: "user", ID: "t", SessionEpoch: 2}}, claims(1, "a", ""), false},
		{"a kept session", []resource.Revocation{raise(2, "a", "b")}, claims(1, "a", ""), false},
		{"AUT-039 another of a kept browser session", []resource.Revocation{raise(2, "a", "b")}, claims(1, "c", "b"), true},
		{"kept first, ended then", []resource.Revocation{raise(2, "a"), raise(3, "b")}, claims(1, "a", ""), true},
		{"kept twice", []resource.Revocation{raise(2, "a"), raise(3, "a")}, claims(1, "a", ""), false},
		{"opened since, kept then", []resource.Revocation{raise(2, "a"), raise(3, "b")}, claims(2, "b", ""), false},
		{"kept in one copy of the database", []resource.Revocation{raise(2, "a"), raise(2, "b")}, claims(1, "b", ""), true},
		{"beside the epoch", []resource.Revocation{raise(2, "a"), {Kind: "user", ID: "s", Epoch: 5}}, claims(2, "a", ""), true},
		{"beside a lower epoch", []resource.Revocation{raise(2, "a"), {Kind: "user", ID: "s", Epoch: 4}}, claims(1, "b", ""), true},
		{"neither", []resource.Revocation{raise(2, "a"), {Kind: "user", ID: "s", Epoch: 4}}, claims(1, "a", ""), false},
		{"both in one", []resource.Revocation{{Kind: "user", ID: "s", Epoch: 4, SessionEpoch: 2, Kept: []string{"a"}}}, claims(1, "b", ""), true},
		{"its browser session", []resource.Revocation{{Kind: "session", ID: "b"}}, claims(1, "a", "b"), true},
		{"another browser session", []resource.Revocation{{Kind: "session", ID: "c"}}, claims(1, "a", "b"), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for i := range tc.entries {
				tc.entries[i].Reason, tc.entries[i].Until = "why", time.Now().Add(time.Hour)
			}
			for _, backwards := range []bool{false, true} {
				if backwards {
					slices.Reverse(tc.entries)
				}
				one, all := resource.NewEnded(), resource.NewEnded()
				for _, r := range tc.entries {
					one.Apply(r)
				}
				all.Replace(tc.entries...)
				for _, e := range []*resource.Ended{one, all} {
					e.Ready()
					if reason, ended, err := e.Check(tc.claims, "k"); err != nil || ended != tc.want || (reason == "why") != tc.want {
						t.Errorf("backwards %v: got %q %v %v, want %v", backwards, reason, ended, err, tc.want)
					}
				}
			}
		})
	}
}
