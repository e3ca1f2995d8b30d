package account_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/limit"
)

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
