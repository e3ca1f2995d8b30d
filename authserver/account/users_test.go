package account_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/password"
	"github.com/tokenwright/tokenwright/resource"
)

func TestRegisterMakesTheUser(t *testing.T) {
	f := newFixture(t)
	ctx := from(t, "192.0.2.1")
	u, err := f.users.Register(ctx, alice())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := authserver.ParseSubject(u.Subject); !ok {
		t.Errorf("subject %q is no UUID", u.Subject)
	}
	if u.ID != 1 || u.Username != "alice" || !u.Active || len(u.Roles) != 1 || u.CreatedAt.IsZero() {
		t.Errorf("got %+v", u)
	}
	e := f.lastEvent(t)
	if e.Act != "user.register" || e.Actor != u.Subject || e.Subject != u.Subject || e.IP != "192.0.2.1" || e.RequestID != "req-1" {
		t.Errorf("event %+v", e)
	}
	if bytes.Contains(f.dump(t), []byte(goodWords)) {
		t.Error("the password is in the database")
	}
}

// ACC-001 (what may be asked for is the route's to decide), ACC-002, ACC-004, ACC-005.
func TestRegisterRefuses(t *testing.T) {
	edit := func(do func(*account.Registration)) func(*account.Registration) { return do }
	for _, tc := range []struct {
		name  string
		edit  func(*account.Registration)
		field string
		kind  string
	}{
		{"no e-mail address", edit(func(r *account.Registration) { r.Email = "" }), "email", "missing"},
		{"an address without @", edit(func(r *account.Registration) { r.Email = "alice" }), "email", "value_error"},
		{"an address with a display name", edit(func(r *account.Registration) { r.Email = "A <a@example.com>" }), "email", "value_error"},
		{"an address in brackets", edit(func(r *account.Registration) { r.Email = "<a@example.com>" }), "email", "value_error"},
		{"an address with two @", edit(func(r *account.Registration) { r.Email = `"a@b"@example.com` }), "email", "value_error"},
		{"an address with a space", edit(func(r *account.Registration) { r.Email = " a@example.com" }), "email", "value_error"},
		{"an address with a line end", edit(func(r *account.Registration) { r.Email = "a@example.com\r\nBcc: b@example.com" }), "email", "value_error"},
		{"an address with a comment", edit(func(r *account.Registration) { r.Email = "a@example.com (x)" }), "email", "value_error"},
		{"two addresses", edit(func(r *account.Registration) { r.Email = "a@example.com,b@example.com" }), "email", "value_error"},
		{"an address that is too long", edit(func(r *account.Registration) { r.Email = strings.Repeat("a", 250) + "@b.cd" }), "email", "string_too_long"},
		{"ACC-005 a name with @", edit(func(r *account.Registration) { r.Username = "bob@example.com" }), "username", "string_pattern_mismatch"},
		{"ACC-005 a name with a space", edit(func(r *account.Registration) { r.Username = "bob " }), "username", "string_pattern_mismatch"},
		{"ACC-005 a name beyond ASCII", edit(func(r *account.Registration) { r.Username = "bоb" }), "username", "string_pattern_mismatch"},
		{"a name with a NUL", edit(func(r *account.Registration) { r.Username = "bob\x00" }), "username", "string_pattern_mismatch"},
		{"no name", edit(func(r *account.Registration) { r.Username = "" }), "username", "missing"},
		{"a name that is too long", edit(func(r *account.Registration) { r.Username = strings.Repeat("b", 65) }), "username", "string_too_long"},
		{"a full name that is too long", edit(func(r *account.Registration) { r.FullName = strings.Repeat("b", 201) }), "full_name", "string_too_long"},
		{"a full name with a line end", edit(func(r *account.Registration) { r.FullName = "a\nb" }), "full_name", "value_error"},
		{"a full name that turns around what follows", edit(func(r *account.Registration) { r.FullName = "Alice \u202enimda" }), "full_name", "value_error"},
		{"a full name that isolates", edit(func(r *account.Registration) { r.FullName = "Alice \u2067x\u2069" }), "full_name", "value_error"},
		{"a full name with a mark that is not seen", edit(func(r *account.Registration) { r.FullName = "Ali\u200bce" }), "full_name", "value_error"},
		{"a full name of two lines", edit(func(r *account.Registration) { r.FullName = "Alice\u2028Admin" }), "full_name", "value_error"},
		{"a name that may be a subject", edit(func(r *account.Registration) { r.Username = "0190F0A1-7b3c-7d4e-8f5a-6b7c8d9e0f1a" }), "username", "value_error"},
		{"a full name that is not UTF-8", edit(func(r *account.Registration) { r.FullName = "a\xff" }), "full_name", "value_error"},
		{"an unknown role", edit(func(r *account.Registration) { r.Roles = []string{"user", "root"} }), "roles", "value_error"},
		{"too many roles", edit(func(r *account.Registration) { r.Roles = make([]string, 65) }), "roles", "too_long"},
		{"ACC-002 a 7-byte password", edit(func(r *account.Registration) { r.Password = "x7!kQ2z" }), "password", "string_too_short"},
		{"ACC-002 a common password", edit(func(r *account.Registration) { r.Password = "password1" }), "password", "password_too_common"},
		{"PWD-007 a password over 1024 bytes", edit(func(r *account.Registration) { r.Password = strings.Repeat("ab c", 256) + "d" }), "password", "string_too_long"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			r := alice()
			tc.edit(&r)
			_, err := f.users.Register(t.Context(), r)
			e, ok := errors.AsType[*account.InvalidError](err)
			if !ok || e.Field != tc.field || e.Type != tc.kind {
				t.Fatalf("got %v (%+v), want %s %s", err, e, tc.field, tc.kind)
			}
			if strings.Contains(err.Error(), r.Password) {
				t.Error("ACC-004 the password is in the error")
			}
			if _, total, _ := f.users.List(t.Context(), authserver.Page{}); total != 0 {
				t.Error("a user was made")
			}
			if f.Hasher.Stats().Computed != 0 {
				t.Error("a hash was computed")
			}
		})
	}
}

func TestRegisterTakesWhatIsUsual(t *testing.T) {
	f := newFixture(t)
	for i, r := range []account.Registration{
		{Username: "a", Email: "first.last+tag@mail.example.co.uk"},
		{Username: "A-b_c.9", Email: "o'brien@example.com", FullName: "Seán Ó Briain"},
		{Username: strings.Repeat("n", 64), Email: "jörg@exämple.de"},
	} {
		r.Password, r.Active = goodWords, true
		u, err := f.users.Register(t.Context(), r)
		if err != nil {
			t.Errorf("%s: %v", r.Email, err)
		}
		if u.ID != int64(i+1) || len(u.Roles) != 1 || u.Roles[0] != account.DefaultRole {
			t.Errorf("got %+v", u)
		}
	}
}

func TestRegisterWithoutADefaultRole(t *testing.T) {
	roles, err := resource.ParseHierarchy("reader<writer")
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(d *account.Deps) { d.Roles = roles })
	r := alice()
	r.Roles = nil
	if u := f.register(t, r); len(u.Roles) != 0 {
		t.Errorf("got %v", u.Roles)
	}
	r.Username, r.Email, r.Roles = "bob", "bob@example.com", []string{account.DefaultRole}
	if _, err := f.users.Register(t.Context(), r); err == nil {
		t.Error("an unknown role was given")
	}
}

// ACC-003, ACC-005: who is there already is said, the e-mail address first.
func TestNamesAreTakenWhateverTheirCase(t *testing.T) {
	for _, tc := range []struct {
		name, username, email string
		want                  error
	}{
		{"ACC-003 the same address", "bob", "alice@example.com", authserver.ErrEmailTaken},
		{"ACC-005 the same address in capitals", "bob", "ALICE@Example.com", authserver.ErrEmailTaken},
		{"ACC-005 the same name in capitals", "ALICE", "bob@example.com", authserver.ErrUsernameTaken},
		{"both", "alice", "alice@example.com", authserver.ErrEmailTaken},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.register(t, alice())
			r := alice()
			r.Username, r.Email = tc.username, tc.email
			if _, err := f.users.Register(t.Context(), r); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if u, err := f.login(t.Context(), "Alice@EXAMPLE.com", goodWords); err != nil || u.Username != "alice" {
				t.Errorf("login with the address: %v, %v", u.Username, err)
			}
		})
	}
}

func TestOneOfManyRegistrationsWins(t *testing.T) {
	t.Run("ACC-006 100 parallel registrations of one address make one user", func(t *testing.T) {
		f := newFixture(t)
		var wg sync.WaitGroup
		errs := make([]error, 100)
		for i := range errs {
			wg.Go(func() {
				r := alice()
				r.Username = "user" + strings.Repeat("x", i%60)
				_, errs[i] = f.users.Register(t.Context(), r)
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, authserver.ErrEmailTaken):
				t.Errorf("got %v", err)
			}
		}
		if won != 1 {
			t.Errorf("%d won", won)
		}
	})
}

func TestRegistrationsAreLimited(t *testing.T) {
	three := func(d *account.Deps) {
		d.RegistrationRate = limit.Rule{Name: "registration", Burst: 3, Per: time.Hour}
	}
	named := func(i int) account.Registration {
		r := alice()
		r.Username = "alice" + strings.Repeat("x", i)
		r.Email = r.Username + "@example.com"
		return r
	}
	t.Run("ACC-003 an answer about a taken address costs as much as an account", func(t *testing.T) {
		f := newFixture(t, three)
		ctx := from(t, "192.0.2.1")
		for range 3 {
			f.users.Register(ctx, alice())
		}
		_, err := f.users.Register(ctx, named(1))
		if e, ok := errors.AsType[*limit.ExceededError](err); !ok || e.RetryAfter <= 0 {
			t.Errorf("got %v", err)
		}
		if _, err := f.users.Register(from(t, "192.0.2.2"), named(1)); err != nil {
			t.Errorf("another address: %v", err)
		}
	})
	t.Run("what cannot be made costs nothing, and an administrator is not bound", func(t *testing.T) {
		f := newFixture(t, three)
		ctx := from(t, "192.0.2.1")
		for range 10 {
			r := alice()
			r.Email = "nonsense"
			f.users.Register(ctx, r)
		}
		for i := range 5 {
			r := named(i)
			r.Actor = "somebody"
			if _, err := f.users.Register(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		if e := f.lastEvent(t); e.Actor != "somebody" {
			t.Errorf("event %+v", e)
		}
	})
}

func TestBcryptsLimitsAreThePasswordsFault(t *testing.T) {
	f := newFixture(t, func(d *account.Deps) { d.Hasher = newHasher(t, password.Config{Algorithm: password.Bcrypt}) })
	for _, pw := range []string{goodWords + strings.Repeat("turtles and more ", 4), goodWords + "\x00"} {
		r := alice()
		r.Password = pw
		_, err := f.users.Register(t.Context(), r)
		if e, ok := errors.AsType[*account.InvalidError](err); !ok || e.Field != "password" {
			t.Errorf("got %v", err)
		}
	}
}
