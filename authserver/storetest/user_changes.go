package storetest

import (
	"errors"
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
