package account_test

import (
	"errors"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
)

func TestAdministratorsActs(t *testing.T) {
	for _, tc := range []struct {
		name     string
		do       func(f *fixture, subject string) error
		act      string
		reason   authserver.Reason
		tokens   bool // access tokens end
		sessions bool // sessions end
	}{
		{"disabling ends everything", func(f *fixture, s string) error {
			return f.users.Disable(t.Context(), s, "cli")
		}, "user.disable", authserver.ReasonUserDisabled, true, true},
		{"enabling ends nothing", func(f *fixture, s string) error {
			return f.users.Enable(t.Context(), s, "cli")
		}, "user.enable", "", false, false},
		{"renaming ends what carries the old name", func(f *fixture, s string) error {
			return f.users.Rename(t.Context(), s, "alicia", "cli")
		}, "user.rename", authserver.ReasonUserRenamed, true, false},
		{"another e-mail address ends nothing", func(f *fixture, s string) error {
			return f.users.SetEmail(t.Context(), s, "alicia@example.com", "cli")
		}, "user.set_email", "", false, false},
		{"setting a password ends everything", func(f *fixture, s string) error {
			return f.users.SetPassword(t.Context(), s, "nine patient herons", "cli")
		}, "user.set_password", authserver.ReasonPasswordChanged, true, true},
		{"taking a role away ends access tokens", func(f *fixture, s string) error {
			return f.users.SetRoles(t.Context(), s, []string{"moderator"}, "cli")
		}, "user.set_roles", authserver.ReasonRoleRemoved, true, false},
		{"taking all roles away ends access tokens", func(f *fixture, s string) error {
			return f.users.SetRoles(t.Context(), s, nil, "cli")
		}, "user.set_roles", authserver.ReasonRoleRemoved, true, false},
		{"RSV-036 ending the sessions ends everything", func(f *fixture, s string) error {
			return f.users.EndSessions(t.Context(), s, "cli")
		}, "session.revoke", authserver.ReasonRevoked, true, true},
		{"adding a role ends nothing", func(f *fixture, s string) error {
			return f.users.SetRoles(t.Context(), s, []string{"user", "editor"}, "cli")
		}, "user.set_roles", "", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t)
			before := f.register(t, alice())
			if err := tc.do(f, before.Subject); err != nil {
				t.Fatal(err)
			}
			after, err := f.db.User(t.Context(), before.Subject)
			if err != nil {
				t.Fatal(err)
			}
			if got := after.Epoch > before.Epoch; got != tc.tokens {
				t.Errorf("access tokens ended: %v, want %v", got, tc.tokens)
			}
			if got := after.SessionEpoch > before.SessionEpoch; got != tc.sessions {
				t.Errorf("sessions ended: %v, want %v", got, tc.sessions)
			}
			live := f.revocations(t)
			if got := len(live) == 1; got != tc.tokens {
				t.Errorf("entries %+v", live)
			} else if got && (live[0].ID != before.Subject || live[0].Reason != tc.reason) {
				t.Errorf("entry %+v", live[0])
			}
			if got := f.changed.Load() == 1; got != (tc.tokens || tc.sessions) {
				t.Errorf("Changed was called %d times", f.changed.Load())
			}
			if e := f.lastEvent(t); e.Act != tc.act || e.Actor != "cli" || e.Subject != before.Subject || e.Reason != string(tc.reason) {
				t.Errorf("event %+v", e)
			}
		})
	}
}

func TestEnablingBringsNothingBack(t *testing.T) {
	f := newFixture(t)
	u := f.register(t, alice())
	if err := f.users.Disable(t.Context(), u.Subject, "cli"); err != nil {
		t.Fatal(err)
	}
	if err := f.users.Enable(t.Context(), u.Subject, "cli"); err != nil {
		t.Fatal(err)
	}
	after := f.user(t, "alice")
	if after.SessionLives("sid", u.SessionEpoch) || after.Epoch == u.Epoch {
		t.Errorf("got %+v", after)
	}
	if _, err := f.login(t.Context(), "alice", goodWords); err != nil {
		t.Errorf("login: %v", err)
	}
}

func TestRemovingAUser(t *testing.T) {
	f := newFixture(t)
	u := f.register(t, alice())
	if err := f.users.Remove(t.Context(), u.Subject, "cli"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.users.Find(t.Context(), "alice"); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if live := f.revocations(t); len(live) != 1 || live[0].Reason != authserver.ReasonUserRemoved {
		t.Errorf("entries %+v", live)
	}
	if f.changed.Load() != 1 {
		t.Error("Changed was not called")
	}
	again := f.register(t, alice())
	if again.Subject == u.Subject || again.ID == u.ID {
		t.Error("an identity was given again")
	}
}

func TestActsAreRefused(t *testing.T) {
	bob := alice()
	bob.Username, bob.Email = "bob", "bob@example.com"
	f := newFixture(t)
	u := f.register(t, alice())
	f.register(t, bob)
	ctx := t.Context()
	for _, tc := range []struct {
		name  string
		err   error
		want  error
		field string
	}{
		{"a name with @", f.users.Rename(ctx, u.Subject, "a@b", "cli"), nil, "username"},
		{"another's name", f.users.Rename(ctx, u.Subject, "BOB", "cli"), authserver.ErrUsernameTaken, ""},
		{"no address", f.users.SetEmail(ctx, u.Subject, "nonsense", "cli"), nil, "email"},
		{"another's address", f.users.SetEmail(ctx, u.Subject, "bob@example.com", "cli"), authserver.ErrEmailTaken, ""},
		{"a short password", f.users.SetPassword(ctx, u.Subject, "short", "cli"), nil, "password"},
		{"an unknown role", f.users.SetRoles(ctx, u.Subject, []string{"root"}, "cli"), nil, "roles"},
		{"a stranger disabled", f.users.Disable(ctx, "nobody", "cli"), authserver.ErrNotFound, ""},
		{"a stranger's password", f.users.SetPassword(ctx, "nobody", goodWords, "cli"), authserver.ErrNotFound, ""},
		{"a stranger's roles", f.users.SetRoles(ctx, "nobody", nil, "cli"), authserver.ErrNotFound, ""},
		{"a stranger's sessions", f.users.EndSessions(ctx, "nobody", "cli"), authserver.ErrNotFound, ""},
		{"a stranger removed", f.users.Remove(ctx, "nobody", "cli"), authserver.ErrNotFound, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, invalid := errors.AsType[*account.InvalidError](tc.err)
			if tc.field != "" && (!invalid || e.Field != tc.field) || tc.field == "" && !errors.Is(tc.err, tc.want) {
				t.Errorf("got %v", tc.err)
			}
		})
	}
	if after := f.user(t, "alice"); after.Epoch != u.Epoch || f.changed.Load() != 0 {
		t.Errorf("something changed: %+v", after)
	}
}
