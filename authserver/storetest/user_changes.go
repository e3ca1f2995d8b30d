package storetest

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// userChanges makes one change to alice and looks at all that it may touch.
func userChanges(t *testing.T, open func(t *testing.T) Database) {
	for _, tc := range []struct {
		name   string
		change authserver.UserChange
		want   func(u *authserver.User)
		ended  func(u authserver.User) []authserver.Revocation
	}{
		{"nothing", authserver.UserChange{}, func(u *authserver.User) {}, nil},
		{"a name", authserver.UserChange{Username: ptr("Alicia")}, func(u *authserver.User) { u.Username = "Alicia" }, nil},
		{"an e-mail address", authserver.UserChange{Email: ptr("A@x.org")}, func(u *authserver.User) { u.Email = "A@x.org" }, nil},
		{"no full name", authserver.UserChange{FullName: ptr("")}, func(u *authserver.User) { u.FullName = "" }, nil},
		{
			"REF-021 a role less ends the tokens, not the sessions",
			authserver.UserChange{Roles: &[]string{"user"}},
			func(u *authserver.User) { u.Roles, u.Epoch = []string{"user"}, u.Epoch+1 },
			func(u authserver.User) []authserver.Revocation {
				return []authserver.Revocation{{Seq: 1, Kind: authserver.KindUser, ID: u.Subject, Epoch: u.Epoch, Reason: authserver.ReasonRoleRemoved}}
			},
		},
		{
			"a role more ends nothing", authserver.UserChange{Roles: &[]string{"admin", "editor", "user"}},
			func(u *authserver.User) { u.Roles = []string{"admin", "editor", "user"} }, nil,
		},
		{
			"REF-019 a disabled user's sessions and tokens end",
			authserver.UserChange{Active: ptr(false), EndTokens: true, EndSessions: true, Reason: authserver.ReasonUserDisabled},
			func(u *authserver.User) { u.Active, u.Epoch, u.SessionEpoch = false, u.Epoch+1, u.SessionEpoch+1 },
			func(u authserver.User) []authserver.Revocation {
				return []authserver.Revocation{{Seq: 1, Kind: authserver.KindUser, ID: u.Subject, Epoch: u.Epoch, Reason: authserver.ReasonUserDisabled}}
			},
		},
		{
			"REF-020 a new password ends the other sessions",
			authserver.UserChange{
				PasswordHash: ptr("new"), IfPasswordHash: "$argon2id$of$alice", EndSessions: true, Keep: authserver.Asker{SessionID: "mine", SessionEpoch: ahead},
				End: []authserver.Ending{ending("other-1"), ending("other-2")}, Reason: authserver.ReasonPasswordChanged,
			},
			func(u *authserver.User) { u.SessionEpoch, u.Kept = u.SessionEpoch+1, []string{"mine"} },
			func(u authserver.User) []authserver.Revocation {
				return []authserver.Revocation{
					{Seq: 1, Kind: authserver.KindUser, ID: u.Subject, Epoch: u.Epoch, SessionEpoch: u.SessionEpoch, Kept: []string{"mine"}, Reason: authserver.ReasonPasswordChanged},
					{Seq: 2, Kind: authserver.KindSession, ID: "other-1", Reason: authserver.ReasonLogout, Resources: ending("").Resources},
					{Seq: 3, Kind: authserver.KindSession, ID: "other-2", Reason: authserver.ReasonLogout, Resources: ending("").Resources},
				}
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := open(t)
			want := mustAdd(t, db, "alice", "alice@example.com")
			bystander := mustAdd(t, db, "bob", "bob@example.com")
			tc.want(&want)
			got, err := db.ChangeUser(t.Context(), want.Subject, tc.change, event("user.change"))
			if err != nil {
				t.Fatal(err)
			}
			same(t, want, got)
			for _, login := range []string{want.Username, want.Email} {
				got, err := db.UserByLogin(t.Context(), login)
				if err != nil {
					t.Fatal(err)
				}
				same(t, want, got)
			}
			hash := "$argon2id$of$alice"
			if tc.change.PasswordHash != nil {
				hash = *tc.change.PasswordHash
			}
			if got, err := db.PasswordHash(t.Context(), want.Subject); err != nil || got != hash {
				t.Errorf("PasswordHash: got %q, %v; want %q", got, err, hash)
			}
			var ended []authserver.Revocation
			if tc.ended != nil {
				ended = tc.ended(want)
			}
			same(t, ended, revocations(t, db, 0))
			for _, e := range tc.change.End {
				f, err := db.Facts(t.Context(), authserver.Ask{SessionID: e.ID})
				if err != nil || f.Ended == nil || f.Ended.Subject != e.Subject {
					t.Errorf("%s: got %+v, %v; want a tombstone", e.ID, f.Ended, err)
				}
			}
			if got, err := db.User(t.Context(), bystander.Subject); err != nil {
				t.Error(err)
			} else {
				same(t, bystander, got)
			}
			same(t, []string{"user.add", "user.add", "user.change"}, acts(t, db))
		})
	}
}

func userRefused(t *testing.T, db Database) {
	alice := mustAdd(t, db, "alice", "alice@example.com")
	mustAdd(t, db, "bob", "bob@example.com")
	c := authserver.UserChange{Username: ptr("bob"), Active: ptr(false), EndTokens: true, EndSessions: true, End: []authserver.Ending{ending("sid")}}
	if _, err := db.ChangeUser(t.Context(), alice.Subject, c, event("user.change")); !errors.Is(err, authserver.ErrUsernameTaken) {
		t.Errorf("got %v, want %v", err, authserver.ErrUsernameTaken)
	}
	if _, err := db.ChangeUser(t.Context(), newSubject(), c, event("user.change")); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("got %v, want %v", err, authserver.ErrNotFound)
	}
	c.IfPasswordHash = "$argon2id$of$another" // was read before somebody set the one that is there
	c.Username = nil
	if _, err := db.ChangeUser(t.Context(), alice.Subject, c, event("user.change")); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("with another password: got %v, want %v", err, authserver.ErrNotFound)
	}
	f, err := db.Facts(t.Context(), authserver.Ask{Subject: alice.Subject, SessionID: "sid"})
	if err != nil || f.Ended != nil {
		t.Fatalf("got %+v, %v; want no tombstone", f.Ended, err)
	}
	same(t, alice, *f.User)
	same(t, []authserver.Revocation(nil), revocations(t, db, 0))
	same(t, []string{"user.add", "user.add"}, acts(t, db))
}

func userEndings(t *testing.T, db Database) {
	alice := mustAdd(t, db, "alice", "alice@example.com")
	const n = 20
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			c := authserver.UserChange{EndTokens: true, EndSessions: true, Keep: authserver.Asker{SessionID: "mine", SessionEpoch: ahead}, Reason: authserver.ReasonRevoked}
			if _, err := db.ChangeUser(t.Context(), alice.Subject, c, event("user.end")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var want []authserver.Revocation
	for i := range int64(n) {
		want = append(want, authserver.Revocation{Seq: i + 1, Kind: authserver.KindUser, ID: alice.Subject, Epoch: ahead + i + 1, Reason: authserver.ReasonRevoked})
	}
	same(t, want, revocations(t, db, 0))
	u, err := db.ChangeUser(t.Context(), alice.Subject, authserver.UserChange{EndSessions: true}, event("user.end"))
	if err != nil {
		t.Fatal(err)
	}
	alice.Epoch, alice.SessionEpoch = ahead+n, ahead+n+1 // and nothing is kept any more
	same(t, alice, u)
}

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

func userRemoved(t *testing.T, db Database) {
	if err := db.RaiseLifetimes(t.Context(), time.Hour, lifetime); err != nil {
		t.Fatal(err)
	}
	alice := mustAdd(t, db, "alice", "alice@example.com")
	if err := db.RemoveUser(t.Context(), alice.Subject, event("user.remove")); err != nil {
		t.Fatal(err)
	}
	if err := db.RemoveUser(t.Context(), alice.Subject, event("user.remove")); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("again: got %v, want %v", err, authserver.ErrNotFound)
	}
	if _, err := db.User(t.Context(), alice.Subject); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("User: got %v, want %v", err, authserver.ErrNotFound)
	}
	same(t, []authserver.Revocation{
		{Seq: 1, Kind: authserver.KindUser, ID: alice.Subject, Epoch: ahead + 1, Reason: authserver.ReasonUserRemoved},
	}, revocations(t, db, time.Hour))
	if next := mustAdd(t, db, "alice", "alice@example.com"); next.ID != 2 {
		t.Errorf("a number was given again: got %d, want 2", next.ID)
	}
	same(t, []string{"user.add", "user.remove", "user.add"}, acts(t, db))
}

func userUpgrade(t *testing.T, db Database) {
	alice := mustAdd(t, db, "alice", "alice@example.com")
	for _, step := range []struct{ old, new, want string }{
		{"$argon2id$of$alice", "better", "better"},
		{"$argon2id$of$alice", "late", "better"},
	} {
		if err := db.UpgradePasswordHash(t.Context(), alice.Subject, step.old, step.new); err != nil {
			t.Fatal(err)
		}
		if got, err := db.PasswordHash(t.Context(), alice.Subject); err != nil || got != step.want {
			t.Errorf("got %q, %v; want %q", got, err, step.want)
		}
	}
	if err := db.UpgradePasswordHash(t.Context(), newSubject(), "old", "new"); err != nil {
		t.Errorf("of nobody: %v", err)
	}
}
