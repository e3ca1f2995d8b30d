package account_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/password"
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

// Guesses from many /64s of one network are guesses of one.
func TestGuessingFromManyNetworks(t *testing.T) {
	for name, tc := range map[string]struct {
		address func(i int) string
		want    int // of 200 guesses, with 10 for an address
	}{
		"a /64":                   {func(i int) string { return fmt.Sprintf("2001:db8:1:1::%x", i) }, 10},
		"the /64s of a /56":       {func(i int) string { return fmt.Sprintf("2001:db8:1:%x::1", i) }, 20},
		"the /64s of a /48":       {func(i int) string { return fmt.Sprintf("2001:db8:1:%x::1", i<<8) }, 40},
		"networks far apart":      {func(i int) string { return fmt.Sprintf("2001:db8:%x::1", i) }, 200},
		"IPv4 addresses, 20 each": {func(i int) string { return fmt.Sprintf("192.0.2.%d", i/20) }, 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(d *account.Deps) {
				d.LoginRate = limit.Rule{Name: "login", Burst: 10, Per: time.Hour}
			})
			f.register(t, alice())
			admitted := 0
			for i := range 200 {
				_, err := f.login(from(t, tc.address(i)), "alice", "wrong")
				if _, exceeded := errors.AsType[*limit.ExceededError](err); !exceeded {
					admitted++
				}
			}
			if admitted != tc.want {
				t.Errorf("%d of 200 guesses were admitted, want %d", admitted, tc.want)
			}
		})
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

func loginRates(account10, address10 int) func(*account.Deps) {
	return func(d *account.Deps) {
		d.LoginRate = limit.Rule{Name: "login", Burst: account10, Per: time.Minute}
		d.LoginRateIP = limit.Rule{Name: "login_ip", Burst: address10, Per: time.Minute}
	}
}

func TestFailedLoginsAreLimited(t *testing.T) {
	t.Run("PWD-009 PWD-010 the 11th wrong password waits, the owner elsewhere does not", func(t *testing.T) {
		f := newFixture(t, loginRates(10, 100))
		f.register(t, alice())
		attacker, owner := from(t, "192.0.2.1"), from(t, "192.0.2.2")
		for range 10 {
			if _, err := f.login(attacker, "alice", "wrong"); err != account.ErrWrongCredentials {
				t.Fatal(err)
			}
		}
		before := f.Hasher.Stats().Computed
		for _, pw := range []string{"wrong", goodWords} {
			_, err := f.login(attacker, "alice", pw)
			if e, ok := errors.AsType[*limit.ExceededError](err); !ok || e.RetryAfter <= 0 {
				t.Errorf("got %v", err)
			}
		}
		if _, err := f.login(attacker, "ALICE", goodWords); err == nil {
			t.Error("another case has an allowance of its own")
		}
		if f.Hasher.Stats().Computed != before {
			t.Error("a hash was computed for a refused login")
		}
		if _, err := f.login(owner, "alice", goodWords); err != nil {
			t.Errorf("PWD-010 the owner: %v", err)
		}
	})
	t.Run("PWD-009 32 parallel guesses get no more hashes than the burst", func(t *testing.T) {
		for _, login := range []string{"alice", "nobody"} {
			f := newFixture(t, loginRates(10, 100))
			f.register(t, alice())
			before := f.Hasher.Stats().Computed
			var checked, limited atomic.Int64
			var wg sync.WaitGroup
			start := make(chan struct{})
			for range 32 {
				wg.Go(func() {
					<-start
					_, err := f.login(from(t, "192.0.2.1"), login, "wrong")
					if err == account.ErrWrongCredentials {
						checked.Add(1)
					} else if _, ok := errors.AsType[*limit.ExceededError](err); ok {
						limited.Add(1)
					} else {
						t.Error(err)
					}
				})
			}
			close(start)
			wg.Wait()
			if checked.Load() != 10 || limited.Load() != 22 || f.Hasher.Stats().Computed-before != 10 {
				t.Errorf("%s: %d checked, %d limited, %d hashes", login, checked.Load(), limited.Load(), f.Hasher.Stats().Computed-before)
			}
		}
	})
	t.Run("PWD-009 an e-mail address in another case is the same account's, of any script", func(t *testing.T) {
		f := newFixture(t, loginRates(2, 100))
		attacker := from(t, "192.0.2.1")
		for i, login := range []string{"ÄRGER@example.com", "ärger@EXAMPLE.com", "Ärger@example.com"} {
			_, err := f.login(attacker, login, "wrong")
			if _, limited := errors.AsType[*limit.ExceededError](err); limited != (i == 2) {
				t.Errorf("%s: %v", login, err)
			}
		}
		// An IPv4 address is one, however the connection came.
		if _, err := f.login(from(t, "::ffff:192.0.2.1"), "ärger@example.com", "wrong"); err == account.ErrWrongCredentials {
			t.Error("the address goes on as IPv4 in IPv6")
		}
	})
	t.Run("logins that succeed cost nothing", func(t *testing.T) {
		f := newFixture(t, loginRates(2, 2))
		f.register(t, alice())
		ctx := from(t, "192.0.2.1")
		for range 10 {
			if _, err := f.login(ctx, "alice", goodWords); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("PWD-012 one password on many names runs into the address's limit, others do not", func(t *testing.T) {
		f := newFixture(t, loginRates(10, 100))
		f.register(t, alice())
		ctx := from(t, "2001:db8::1")
		tried := 0
		for i := range 500 {
			_, err := f.login(ctx, fmt.Sprintf("name%d", i), "spring rain")
			if _, ok := errors.AsType[*limit.ExceededError](err); ok {
				break
			}
			tried++
		}
		if tried != 100 {
			t.Errorf("%d names tried, want 100", tried)
		}
		if _, err := f.login(from(t, "2001:db8::2"), "alice", goodWords); err == nil {
			t.Error("the same /64 goes on")
		}
		if _, err := f.login(from(t, "2001:db8:0:1::1"), "alice", goodWords); err != nil {
			t.Errorf("another /64: %v", err)
		}
	})
	t.Run("attempts that are refused do not use up the address", func(t *testing.T) {
		f := newFixture(t, loginRates(3, 10))
		f.register(t, alice())
		ctx := from(t, "192.0.2.1")
		for range 50 {
			f.login(ctx, "bob", "wrong")
		}
		if _, err := f.login(ctx, "alice", goodWords); err != nil {
			t.Errorf("a neighbour behind the same address: %v", err)
		}
	})
	t.Run("PWD-011 a stranger's sequence of answers is a user's", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, loginRates(10, 100))
			f.register(t, alice())
			sequence := func(login, ip string) (all []string) {
				for range 25 {
					_, err := f.login(from(t, ip), login, "wrong")
					e, _ := errors.AsType[*limit.ExceededError](err)
					all = append(all, fmt.Sprintf("%T %v %v", err, err, e))
					time.Sleep(time.Second)
				}
				return all
			}
			user, stranger := sequence("alice", "192.0.2.1"), sequence("nobody", "192.0.2.2")
			for i := range user {
				if user[i] != stranger[i] {
					t.Errorf("answer %d: %s for a user, %s for a stranger", i, user[i], stranger[i])
				}
			}
			if !strings.Contains(strings.Join(user, " "), "too many") {
				t.Error("nothing was limited")
			}
		})
	})
}

// awayLimiter is a limiter that cannot be asked, as one over a network can be.
type awayLimiter struct{}

func (awayLimiter) Take(context.Context, limit.Rule, string) (limit.Decision, error) {
	return limit.Decision{}, authserver.ErrUnavailable
}
func (awayLimiter) Return(context.Context, limit.Rule, string) error {
	return authserver.ErrUnavailable
}

func TestLoginGoesOnWithoutALimiter(t *testing.T) {
	f := newFixture(t, loginRates(10, 100), func(d *account.Deps) { d.Limiter = awayLimiter{} })
	f.register(t, alice())
	if _, err := f.login(t.Context(), "alice", goodWords); err != nil {
		t.Error(err)
	}
	if !strings.Contains(f.log.String(), "limiter could not be asked") {
		t.Errorf("log: %s", f.log.String())
	}
}

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
