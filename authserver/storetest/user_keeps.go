package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// userKeepsBoth ends alice's sessions for one that a browser session opened, then
// for that, then for a third.
func userKeepsBoth(t *testing.T, db Database) {
	alice := mustAdd(t, db, "alice", "alice@example.com")
	child, browser := "app_1", "app" // an id in another, and a wildcard of SQL's
	for i, step := range []struct {
		asker authserver.Asker
		want  error
	}{
		{authserver.Asker{SessionID: child, ParentID: browser}, nil},
		{authserver.Asker{SessionID: child, ParentID: browser}, nil},
		{authserver.Asker{SessionID: "app-1"}, authserver.ErrSessionEnded},
		{authserver.Asker{SessionID: browser}, nil},
		{authserver.Asker{SessionID: child, ParentID: browser}, authserver.ErrSessionEnded},
	} {
		step.asker.SessionEpoch = ahead
		u, err := db.ChangeUser(t.Context(), alice.Subject, authserver.UserChange{EndSessions: true, Keep: step.asker}, event("user.end"))
		if !errors.Is(err, step.want) {
			t.Fatalf("step %d: got %v, want %v", i, err, step.want)
		}
		if err == nil {
			same(t, step.asker.IDs(), u.Kept)
		}
	}
}

// userKeeps ends alice's sessions again and again, each time asked by one of
// them that may have ended before: what has ended changes nothing.
func userKeeps(t *testing.T, db Database) {
	alice := mustAdd(t, db, "alice", "alice@example.com")
	if err := db.End(t.Context(), []authserver.Ending{ending("marked")}, event("session.end")); err != nil {
		t.Fatal(err)
	}
	raised := int64(ahead)
	for _, step := range []struct {
		name string
		sid  string
		from int64 // the session epoch that sid was opened under
		want error
	}{
		{"one that is alive", "first", 0, nil},
		{"one that is alive because it was kept", "first", 0, nil},
		{"one that ended when the first was kept", "ended", 1, authserver.ErrSessionEnded},
		{"none", "", 0, nil},
		{"one that ended when nothing was kept", "first", 0, authserver.ErrSessionEnded},
		{"one that has ended by itself", "marked", 3, authserver.ErrSessionEnded},
		{"one that was opened since", "later", 3, nil},
	} {
		_, err := db.ChangeUser(t.Context(), alice.Subject, authserver.UserChange{
			FullName: &step.name, EndSessions: true, Keep: authserver.Asker{SessionID: step.sid, SessionEpoch: ahead + step.from},
		}, event("user.end"))
		if !errors.Is(err, step.want) {
			t.Fatalf("%s: got %v, want %v", step.name, err, step.want)
		}
		u, err := db.User(t.Context(), alice.Subject)
		if err != nil {
			t.Fatal(err)
		}
		if step.want != nil {
			if u.SessionEpoch != raised || u.FullName == step.name {
				t.Errorf("%s: it has changed the user: %+v", step.name, u)
			}
			continue
		}
		if raised++; strings.Join(u.Kept, " ") != step.sid || u.SessionEpoch != raised {
			t.Errorf("%s: got %q at %d, want %q at %d", step.name, u.Kept, u.SessionEpoch, step.sid, raised)
		}
	}
	if _, err := db.ChangeUser(t.Context(), alice.Subject, authserver.UserChange{
		EndSessions: true, Keep: authserver.Asker{SessionID: "later"}, IfPasswordHash: "another",
	}, event("user.end")); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("with another password: got %v, want %v", err, authserver.ErrNotFound)
	}
	// Each is an entry of its own, beside those that raise the epoch, and says how
	// that stood.
	if _, err := db.ChangeUser(t.Context(), alice.Subject, authserver.UserChange{EndTokens: true}, event("user.end")); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ChangeUser(t.Context(), alice.Subject, authserver.UserChange{EndSessions: true}, event("user.end")); err != nil {
		t.Fatal(err)
	}
	want := []authserver.Revocation{{Seq: 1, Kind: authserver.KindSession, ID: "marked", Reason: authserver.ReasonLogout, Resources: ending("").Resources}}
	for i, kept := range [][]string{{"first"}, {"first"}, nil, {"later"}} {
		n := int64(i) + 1
		want = append(want, authserver.Revocation{Seq: n + 1, Kind: authserver.KindUser, ID: alice.Subject, Epoch: ahead, SessionEpoch: ahead + n, Kept: kept})
	}
	want = append(want,
		authserver.Revocation{Seq: 6, Kind: authserver.KindUser, ID: alice.Subject, Epoch: ahead + 1},
		authserver.Revocation{Seq: 7, Kind: authserver.KindUser, ID: alice.Subject, Epoch: ahead + 1, SessionEpoch: ahead + 5})
	same(t, want, revocations(t, db, 0))
}

// userRestored has a user of a database that was put back: its counters are
// behind what was issued meanwhile, and what is raised now must not be.
func userRestored(t *testing.T, db Database) {
	fresh := newUser("alice", "alice@example.com")
	fresh.Epoch, fresh.SessionEpoch = 0, 3
	alice, err := db.AddUser(t.Context(), fresh, event("user.add"))
	if err != nil {
		t.Fatal(err)
	}
	issued := time.Now().Unix() // what a raising before the copy was put back had made of them
	for range 2 {
		u, err := db.ChangeUser(t.Context(), alice.Subject, authserver.UserChange{EndTokens: true, EndSessions: true}, event("user.end"))
		if err != nil {
			t.Fatal(err)
		}
		if u.Epoch < issued || u.SessionEpoch < issued {
			t.Errorf("raised to %d and %d, want at least %d", u.Epoch, u.SessionEpoch, issued)
		}
		issued = max(u.Epoch, u.SessionEpoch) + 1 // the second is higher, in whatever second it comes
	}
	if err := db.RemoveUser(t.Context(), alice.Subject, event("user.remove")); err != nil {
		t.Fatal(err)
	}
	if all := revocations(t, db, 0); all[len(all)-1].Epoch < issued {
		t.Errorf("removed at %d, want at least %d", all[len(all)-1].Epoch, issued)
	}
}
