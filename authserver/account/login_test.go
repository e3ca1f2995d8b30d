package account_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/limit"
)

func TestLogin(t *testing.T) {
	long := strings.Repeat("sixteen letters ", 6) + "abcd" // 100 bytes
	for _, tc := range []struct {
		name    string
		login   string
		pw      string // of an account whose password is long
		disable bool
		want    error
	}{
		{"by name", "alice", long, false, nil},
		{"by e-mail address", "alice@example.com", long, false, nil},
		{"by name in another case", "ALICE", long, false, nil},
		{"a wrong password", "alice", goodWords, false, account.ErrWrongCredentials},
		{"an empty password", "alice", "", false, account.ErrWrongCredentials},
		{"an unknown user", "bob", long, false, account.ErrWrongCredentials},
		{"an unknown address", "bob@example.com", long, false, account.ErrWrongCredentials},
		{"PWD-005 a disabled user with the right password", "alice", long, true, account.ErrWrongCredentials},
		{"PWD-006 a trailing space", "alice", long + " ", false, account.ErrWrongCredentials},
		{"PWD-006 another case", "alice", strings.ToUpper(long), false, account.ErrWrongCredentials},
		{"PWD-006 a NUL byte", "alice", long + "\x00", false, account.ErrWrongCredentials},
		{"PWD-006 the 73rd byte changed", "alice", long[:72] + "X" + long[73:], false, account.ErrWrongCredentials},
		{"PWD-006 cut at 72 bytes", "alice", long[:72], false, account.ErrWrongCredentials},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			r := alice()
			r.Password = long
			u := f.register(t, r)
			if tc.disable {
				if err := f.users.Disable(t.Context(), u.Subject, "cli"); err != nil {
					t.Fatal(err)
				}
			}
			before := f.Hasher.Stats().Computed
			got, err := f.login(t.Context(), tc.login, tc.pw)
			if err != tc.want { // not errors.Is: there is nothing around it to tell them apart
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			if err == nil && got.Subject != u.Subject {
				t.Errorf("got %+v", got)
			}
			if n := f.Hasher.Stats().Computed - before; n != 1 {
				t.Errorf("PWD-004 %d hashes computed, want 1 whoever asks", n)
			}
		})
	}
}

func TestLongPasswords(t *testing.T) {
	f := newFixture(t)
	for i, pw := range []string{strings.Repeat("b4 ", 20) + "tail", strings.Repeat("ab c", 32), strings.Repeat("é", 99) + "ab", strings.Repeat("ab c", 255) + "ends"} {
		t.Run(fmt.Sprintf("PWD-007 %d bytes", len(pw)), func(t *testing.T) {
			r := alice()
			r.Username = fmt.Sprintf("user%d", i)
			r.Email = r.Username + "@example.com"
			// One long piece that is not repeated throughout.
			r.Password = "start " + pw[6:]
			f.register(t, r)
			if _, err := f.login(t.Context(), r.Username, r.Password); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("PWD-007 TOK-022 more than 1024 bytes are refused without a hash, known user or not", func(t *testing.T) {
		before := f.Hasher.Stats().Computed
		for _, login := range []string{"user0", "nobody"} {
			if _, err := f.login(t.Context(), login, strings.Repeat("x", 1025)); err != account.ErrWrongCredentials {
				t.Errorf("got %v", err)
			}
		}
		if f.Hasher.Stats().Computed != before {
			t.Error("a hash was computed")
		}
	})
}

// long is a limiter that says how long the longest key was.
type long struct {
	limit.Limiter
	longest int
}

func (l *long) Take(ctx context.Context, r limit.Rule, key string) (limit.Decision, error) {
	l.longest = max(l.longest, len(key))
	return l.Limiter.Take(ctx, r, key)
}

// A name that is too long to be anybody's is nobody's, and goes nowhere.
func TestLongLogins(t *testing.T) {
	keys := &long{Limiter: limit.NewMemory(100)}
	f := newFixture(t, func(d *account.Deps) { d.Limiter = keys }, loginRates(2, 100))
	f.register(t, alice())
	for i := range 3 {
		before := f.Hasher.Stats().Computed
		_, err := f.users.Authenticate(from(t, "192.0.2.7"), strings.Repeat(fmt.Sprint(i), account.MaxLogin+1), goodWords, authserver.Facts{})
		if _, exceeded := errors.AsType[*limit.ExceededError](err); exceeded != (i == 2) || !exceeded && err != account.ErrWrongCredentials {
			t.Errorf("%d: got %v", i, err)
		}
		if n := f.Hasher.Stats().Computed - before; i < 2 && n != 1 {
			t.Errorf("%d hashes computed, want 1 as for any name", n)
		}
	}
	if keys.longest > 100 {
		t.Errorf("a key of %d bytes", keys.longest)
	}
}

// asking is a limiter that is asked over a network: not for a caller who has
// hung up.
type asking struct{ limit.Limiter }

func (a asking) Take(ctx context.Context, r limit.Rule, key string) (limit.Decision, error) {
	if ctx.Err() != nil {
		return limit.Decision{}, ctx.Err()
	}
	return a.Limiter.Take(ctx, r, key)
}

func (a asking) Return(ctx context.Context, r limit.Rule, key string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return a.Limiter.Return(ctx, r, key)
}

// Who hangs up while a password is checked has not failed.
func TestHangingUpCostsNothing(t *testing.T) {
	f := newFixture(t, func(d *account.Deps) {
		d.Limiter = asking{d.Limiter}
		d.LoginRate = limit.Rule{Name: "login", Burst: 2, Per: time.Hour}
	})
	f.register(t, alice())
	for range 5 {
		ctx, hangUp := context.WithCancel(from(t, "192.0.2.7"))
		hangUp()
		if _, err := f.login(ctx, "alice", alice().Password); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want %v", err, context.Canceled)
		}
	}
	if _, err := f.login(from(t, "192.0.2.7"), "alice", alice().Password); err != nil {
		t.Errorf("after five who hung up: %v", err)
	}
	if strings.Contains(f.log.String(), "level=ERROR") {
		t.Errorf("an expected thing is logged as an error: %s", f.log.String())
	}
}
