package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
)

// What one session or user can add to the table is bounded; nothing ends less by
// it.
func bounds(t *testing.T, open func(t *testing.T) Database) {
	t.Run("of very many tokens the session ends", func(t *testing.T) { boundTokens(t, open(t)) })
	t.Run("of very many sessions all of the user's end", func(t *testing.T) { boundSessions(t, open(t)) })
	t.Run("the session that asks is kept, if it lives", func(t *testing.T) { boundKept(t, open) })
	t.Run("raising the session epoch again and again", func(t *testing.T) { boundRaised(t, open(t)) })
}

func tokenOf(subject, sid string, i int) authserver.Ending {
	return authserver.Ending{
		Kind: authserver.KindToken, ID: fmt.Sprint(sid, "-token-", i), Subject: subject, SessionID: sid, ClientID: "web",
		Reason: authserver.ReasonRevoked, Resources: []string{"https://a.example.test"},
	}
}

func sessionOf(subject string, i int) authserver.Ending {
	e := ending(fmt.Sprint("session-", i))
	e.Subject = subject
	return e
}

// last is the last of the entries, of which there are n.
func last(t *testing.T, db Database, n int) authserver.Revocation {
	t.Helper()
	all := revocations(t, db, 0)
	if len(all) != n {
		t.Fatalf("%d entries, want %d", len(all), n)
	}
	return all[n-1]
}

func boundTokens(t *testing.T, db Database) {
	alice := mustAdd(t, db, "alice", "alice@example.com")
	for i := range 32 {
		mustEnd(t, db, tokenOf(alice.Subject, "sid", i))
	}
	for i := range 32 { // another's are counted apart
		mustEnd(t, db, tokenOf(alice.Subject, "other", i))
		mustEnd(t, db, tokenOf(alice.Subject, "other", i))
	}
	mustEnd(t, db, tokenOf(alice.Subject, "sid", 31)) // has ended
	last(t, db, 64)
	n := len(acts(t, db))
	for i := range 100 {
		mustEnd(t, db, tokenOf(alice.Subject, "sid", 32+i))
	}
	same(t, authserver.Revocation{Seq: 65, Kind: authserver.KindSession, ID: "sid", Reason: authserver.ReasonRevoked}, last(t, db, 65))
	same(t, n+1, len(acts(t, db)))
	f, err := db.Facts(t.Context(), authserver.Ask{Subject: alice.Subject, SessionID: "sid"})
	if err != nil || f.Ended == nil || f.Ended.Subject != alice.Subject || f.Ended.ClientID != "web" {
		t.Errorf("got %+v, %v; want a tombstone", f.Ended, err)
	}
	same(t, alice, *f.User)

	own := tokenOf("", "", 0) // a client's own are not bounded
	for i := range 40 {
		own.ID = fmt.Sprint("own-", i)
		mustEnd(t, db, own)
	}
	same(t, authserver.KindToken, last(t, db, 105).Kind)
}

func boundSessions(t *testing.T, db Database) {
	alice := mustAdd(t, db, "alice", "alice@example.com")
	bob := mustAdd(t, db, "bob", "bob@example.com")
	for i := range 256 {
		mustEnd(t, db, sessionOf(alice.Subject, i))
	}
	last(t, db, 256)
	mustEnd(t, db, sessionOf(alice.Subject, 256), sessionOf(alice.Subject, 257), sessionOf(alice.Subject, 258))
	same(t, authserver.Revocation{
		Seq: 257, Kind: authserver.KindUser, ID: alice.Subject, Epoch: ahead, SessionEpoch: ahead + 1, Reason: authserver.ReasonLogout,
	}, last(t, db, 257))
	for i := range 259 {
		f, err := db.Facts(t.Context(), authserver.Ask{Subject: alice.Subject, SessionID: sessionOf("", i).ID})
		if err != nil || f.Ended == nil || f.User.SessionLives("any", ahead) {
			t.Fatalf("session %d lives: %+v, %v", i, f, err)
		}
	}
	mustEnd(t, db, tokenOf(alice.Subject, "later", 0)) // its session ends, with all others
	same(t, int64(ahead+2), last(t, db, 258).SessionEpoch)

	mustEnd(t, db, tokenOf(bob.Subject, "bobs", 0))
	same(t, authserver.KindToken, last(t, db, 259).Kind)
	if u, err := db.User(t.Context(), bob.Subject); err != nil {
		t.Error(err)
	} else {
		same(t, bob, u)
	}
	// Of whom there is no record nothing else can end.
	for i := range 257 {
		mustEnd(t, db, sessionOf("nobody", 1000+i))
	}
	same(t, authserver.KindSession, last(t, db, 259+257).Kind)
}

func boundKept(t *testing.T, open func(t *testing.T) Database) {
	for _, tc := range []struct {
		name string
		edit func(e *authserver.Ending)
		kept string
	}{
		{"one that lives", func(e *authserver.Ending) {}, "mine"},
		{"one that an epoch ended", func(e *authserver.Ending) { e.Keep.SessionEpoch = ahead - 1 }, ""},
		{"one that ended", func(e *authserver.Ending) { e.Keep.SessionID = "session-0" }, ""},
		{"itself", func(e *authserver.Ending) { e.Keep.SessionID = e.ID }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := open(t)
			u := mustAdd(t, db, "alice", "alice@example.com")
			for i := range 256 {
				mustEnd(t, db, sessionOf(u.Subject, i))
			}
			e := sessionOf(u.Subject, 256)
			e.Keep = authserver.Asker{SessionID: "mine", SessionEpoch: ahead}
			tc.edit(&e)
			mustEnd(t, db, e)
			got, err := db.User(t.Context(), u.Subject)
			if err != nil {
				t.Fatal(err)
			}
			u.SessionEpoch, u.Kept = ahead+1, strings.Fields(tc.kept)
			same(t, u, got)
		})
	}
}

func boundRaised(t *testing.T, db Database) {
	alice := mustAdd(t, db, "alice", "alice@example.com")
	for range 50 {
		_, err := db.ChangeUser(t.Context(), alice.Subject, authserver.UserChange{
			EndSessions: true, Keep: authserver.Asker{SessionID: "mine", SessionEpoch: ahead}, Reason: authserver.ReasonLogout,
		}, event("session.end_others"))
		if err != nil {
			t.Fatal(err)
		}
	}
	same(t, int64(ahead+50), last(t, db, 16).SessionEpoch)
}
