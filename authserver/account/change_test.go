package account_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/password"
)

func TestHashesAreUpgraded(t *testing.T) {
	old := newHasher(t, password.Config{Algorithm: password.Bcrypt})
	setup := func(t *testing.T) (*fixture, string, string) {
		f := newFixture(t)
		u := f.register(t, alice())
		hash, err := old.Hash(t.Context(), goodWords)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.db.ChangeUser(t.Context(), u.Subject, authserver.UserChange{PasswordHash: &hash}, authserver.Event{Act: "test"}); err != nil {
			t.Fatal(err)
		}
		return f, u.Subject, hash
	}
	stored := func(t *testing.T, f *fixture, subject string) string {
		t.Helper()
		hash, err := f.db.PasswordHash(t.Context(), subject)
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	t.Run("PWD-017 the first login stores the current kind, the second finds it", func(t *testing.T) {
		f, subject, _ := setup(t)
		for range 2 {
			if _, err := f.login(t.Context(), "alice", goodWords); err != nil {
				t.Fatal(err)
			}
			if hash := stored(t, f, subject); !strings.HasPrefix(hash, "$argon2id$") {
				t.Errorf("stored %.10s…", hash)
			}
		}
		if len(f.revocations(t)) != 0 {
			t.Error("something ended")
		}
	})
	t.Run("PWD-017 a wrong password and a disabled user upgrade nothing", func(t *testing.T) {
		f, subject, hash := setup(t)
		f.login(t.Context(), "alice", "wrong")
		if err := f.users.Disable(t.Context(), subject, "cli"); err != nil {
			t.Fatal(err)
		}
		f.login(t.Context(), "alice", goodWords)
		if stored(t, f, subject) != hash {
			t.Error("the hash has changed")
		}
	})
	t.Run("a hash of no known kind is a wrong password to the user and an error to the operator", func(t *testing.T) {
		f, subject, _ := setup(t)
		odd := "md5$nonsense"
		if _, err := f.db.ChangeUser(t.Context(), subject, authserver.UserChange{PasswordHash: &odd}, authserver.Event{Act: "test"}); err != nil {
			t.Fatal(err)
		}
		before := f.Hasher.Stats().Computed
		if _, err := f.login(t.Context(), "alice", goodWords); err != account.ErrWrongCredentials {
			t.Errorf("got %v", err)
		}
		if f.Hasher.Stats().Computed != before+1 {
			t.Error("no time was spent")
		}
		if log := f.log.String(); !strings.Contains(log, "level=ERROR") || strings.Contains(log, odd) {
			t.Errorf("log: %s", log)
		}
	})
}

func TestChangePassword(t *testing.T) {
	const next = "nine patient herons"
	for _, tc := range []struct {
		name          string
		current, next string
		want          error
		field         string
		hashes        uint64
	}{
		{"the right one", goodWords, next, nil, "", 2},
		{"a wrong current one", "wrong", next, account.ErrWrongPassword, "", 1},
		{"a common new one", goodWords, "password1", nil, "new_password", 0},
		{"the user's own name", goodWords, "alice2026", nil, "new_password", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			u := f.register(t, alice())
			before := f.Hasher.Stats().Computed
			err := f.users.ChangePassword(from(t, "192.0.2.1"), authserver.Asker{Subject: u.Subject, SessionID: "sid-this"}, []authserver.Ending{{Kind: authserver.KindSession, ID: "sid-other", Subject: u.Subject}}, tc.current, tc.next)
			if n := f.Hasher.Stats().Computed - before; n != tc.hashes {
				t.Errorf("%d hashes computed, want %d", n, tc.hashes)
			}
			if e, ok := errors.AsType[*account.InvalidError](err); tc.field != "" && (!ok || e.Field != tc.field) {
				t.Fatalf("got %v, want a fault of %s", err, tc.field)
			} else if tc.field == "" && !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			after := f.user(t, "alice")
			if err != nil {
				if after.SessionEpoch != u.SessionEpoch || len(f.revocations(t)) != 0 || f.changed.Load() != 0 {
					t.Error("something ended")
				}
				return
			}
			if _, err := f.login(t.Context(), "alice", tc.next); err != nil {
				t.Errorf("login with the new password: %v", err)
			}
			if _, err := f.login(t.Context(), "alice", goodWords); err == nil {
				t.Error("the old password goes on")
			}
			if !after.SessionLives("sid-this", u.SessionEpoch) || after.SessionLives("sid-unheard-of", u.SessionEpoch) {
				t.Error("the wrong sessions live")
			}
			if live := f.revocations(t); len(live) != 2 || !slices.Equal(live[0].Kept, []string{"sid-this"}) || live[1].ID != "sid-other" || after.Epoch != u.Epoch {
				t.Errorf("ended: %+v", live)
			}
			if f.changed.Load() != 1 {
				t.Error("Changed was not called")
			}
			if e := f.lastEvent(t); e.Act != "user.change_password" || e.Actor != u.Subject || e.IP != "192.0.2.1" {
				t.Errorf("event %+v", e)
			}
		})
	}
	t.Run("a wrong current password counts as a failed login", func(t *testing.T) {
		f := newFixture(t, loginRates(3, 100))
		u := f.register(t, alice())
		ctx := from(t, "192.0.2.1")
		for range 3 {
			f.users.ChangePassword(ctx, authserver.Asker{Subject: u.Subject, SessionID: "sid"}, nil, "wrong", next)
		}
		if _, err := f.login(ctx, "alice", goodWords); err == nil {
			t.Error("the login has an allowance of its own")
		}
		_, err := f.login(ctx, "alice", goodWords)
		if _, ok := errors.AsType[*limit.ExceededError](err); !ok {
			t.Errorf("got %v", err)
		}
	})
}
