package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// Revocations holds a RevocationLog to its contract.
func Revocations(t *testing.T, open func(t *testing.T) Database) {
	t.Run("an ended session has an entry, a tombstone and a row", func(t *testing.T) { endSession(t, open(t)) })
	t.Run("what has ended stays as it ended", func(t *testing.T) { endTwice(t, open(t)) })
	t.Run("lives are the longest that were used", func(t *testing.T) { endLifetimes(t, open(t)) })
	t.Run("one of many ends", func(t *testing.T) { endRace(t, open(t)) })
	t.Run("what has ended can be asked for", func(t *testing.T) { endAsked(t, open(t)) })
	t.Run("raising the session epoch can be asked for", func(t *testing.T) { endRaised(t, open(t)) })
	t.Run("what one adds is bounded", func(t *testing.T) { bounds(t, open) })
	t.Run("a follower sees every entry once, in sequence", func(t *testing.T) { endFollowed(t, open(t)) })
}

func ending(sid string) authserver.Ending {
	return authserver.Ending{Kind: authserver.KindSession, ID: sid, Subject: "sub", ClientID: "web", Reason: authserver.ReasonLogout,
		Resources: []string{"https://a.example.test", "https://b.example.test/x"}}
}

func mustEnd(t *testing.T, db Database, what ...authserver.Ending) {
	t.Helper()
	if err := db.End(t.Context(), what, event("end")); err != nil {
		t.Fatalf("End: %v", err)
	}
}

func endSession(t *testing.T, db Database) {
	live, head, err := db.Revocations(t.Context(), 0)
	if err != nil || len(live) != 0 || head != 0 {
		t.Errorf("at first: got %v, %d, %v; want none, 0", live, head, err)
	}
	at := now()
	mustEnd(t, db, ending("a"), authserver.Ending{Kind: authserver.KindToken, ID: "jti", ClientID: "web", Reason: authserver.ReasonRevoked}, ending("b"))
	want := []authserver.Revocation{
		{Seq: 1, Kind: authserver.KindSession, ID: "a", Reason: authserver.ReasonLogout, Resources: ending("").Resources},
		{Seq: 2, Kind: authserver.KindToken, ID: "jti", Reason: authserver.ReasonRevoked},
		{Seq: 3, Kind: authserver.KindSession, ID: "b", Reason: authserver.ReasonLogout, Resources: ending("").Resources},
	}
	same(t, want, revocations(t, db, 0))
	same(t, []string{"end"}, acts(t, db))

	f, err := db.Facts(t.Context(), authserver.Ask{SessionID: "a"})
	if err != nil || f.Ended == nil {
		t.Fatalf("got %+v, %v; want a tombstone", f.Ended, err)
	}
	if d := f.Ended.EndedAt.Sub(at); d < 0 || d > 10*time.Second {
		t.Errorf("ended %v after it was asked for", d)
	}
	f.Ended.EndedAt = time.Time{}
	same(t, authserver.Tombstone{SessionID: "a", Subject: "sub", ClientID: "web", Reason: authserver.ReasonLogout}, *f.Ended)

	later, head, err := db.Revocations(t.Context(), 2)
	if err != nil || len(later) != 1 || later[0].ID != "b" || head != 3 {
		t.Errorf("after 2: got %v, %d, %v; want b, 3", later, head, err)
	}
	later, head, err = db.Revocations(t.Context(), 3)
	if err != nil || len(later) != 0 || head != 3 {
		t.Errorf("after 3: got %v, %d, %v; want none, 3", later, head, err)
	}
}

func endTwice(t *testing.T, db Database) {
	token := authserver.Ending{Kind: authserver.KindToken, ID: "a", Reason: authserver.ReasonRevoked} // not the session a
	mustEnd(t, db, ending("a"))
	again := ending("a")
	again.Reason = authserver.ReasonReuse
	mustEnd(t, db, again)
	mustEnd(t, db)
	mustEnd(t, db, again, token, again) // one of them is new
	mustEnd(t, db, token)
	mustEnd(t, db, ending("b"), ending("b"))
	same(t, []authserver.Revocation{
		{Seq: 1, Kind: authserver.KindSession, ID: "a", Reason: authserver.ReasonLogout, Resources: ending("").Resources},
		{Seq: 2, Kind: authserver.KindToken, ID: "a", Reason: authserver.ReasonRevoked},
		{Seq: 3, Kind: authserver.KindSession, ID: "b", Reason: authserver.ReasonLogout, Resources: ending("").Resources},
	}, revocations(t, db, 0))
	same(t, []string{"end", "end", "end"}, acts(t, db))
}

func endLifetimes(t *testing.T, db Database) {
	var longest time.Duration
	for i, access := range []time.Duration{time.Hour, time.Minute, 3 * time.Hour} {
		longest = max(longest, access)
		if err := db.RaiseLifetimes(t.Context(), access, lifetime); err != nil {
			t.Fatal(err)
		}
		if d, err := db.AccessLifetime(t.Context()); err != nil || d != longest {
			t.Errorf("AccessLifetime: got %v, %v; want %v", d, err, longest)
		}
		mustEnd(t, db, ending(fmt.Sprint(i)))
		live, _, err := db.Revocations(t.Context(), int64(i))
		if err != nil || len(live) != 1 {
			t.Fatalf("got %v, %v; want one", live, err)
		}
		if d := time.Until(live[0].Until) - longest - time.Minute; d > 0 || d < -10*time.Second {
			t.Errorf("after %v the entry lives %v too long", access, d)
		}
	}
}

func endRace(t *testing.T, db Database) {
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if err := db.End(t.Context(), []authserver.Ending{ending("a")}, event("end")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	same(t, []authserver.Revocation{{Seq: 1, Kind: authserver.KindSession, ID: "a", Reason: authserver.ReasonLogout, Resources: ending("").Resources}}, revocations(t, db, 0))
	same(t, []string{"end"}, acts(t, db))
}

func endFollowed(t *testing.T, db Database) {
	const writers, each = 8, 20
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for j := range each {
				what := []authserver.Ending{ending(fmt.Sprint(i, "-", j)), ending("same")}
				if err := db.End(t.Context(), what, event("end")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := map[string]bool{}
	for after := int64(0); after < writers*each+1 && !t.Failed(); {
		live, head, err := db.Revocations(t.Context(), after)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range live {
			if after++; r.Seq != after || seen[r.ID] {
				t.Fatalf("got entry %d (%s), want a new one with %d", r.Seq, r.ID, after)
			}
			seen[r.ID] = true
		}
		if head != after {
			t.Fatalf("head is %d after entry %d", head, after)
		}
	}
	wg.Wait()
}
