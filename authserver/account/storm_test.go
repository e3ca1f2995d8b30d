package account_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/password"
)

// Who waits for a hash waits with their address and account: where the queue is
// full of others, one of those has to go.
func TestAFullQueueIsNotFullForEverybody(t *testing.T) {
	for name, other := range map[string]struct{ address, login string }{
		"another address":                   {"192.0.2.8", "bob"},
		"the same account from elsewhere":   {"192.0.2.8", "alice"},
		"another account from that address": {"192.0.2.7", "bob"},
		"another network":                   {"2001:db8::1", "bob"},
	} {
		t.Run(name, func(t *testing.T) {
			const room = 4
			waits := make(chan struct{}, 100)
			h, err := password.New(password.Config{
				Algorithm: password.Bcrypt, BcryptCost: 10, Concurrency: 1, Queue: room, Wait: time.Minute,
				OnWait: func(context.Context) func(error) { waits <- struct{}{}; return func(error) {} },
			})
			if err != nil {
				t.Fatal(err)
			}
			f := newFixture(t, func(d *account.Deps) { d.Hasher = h })
			var storm sync.WaitGroup
			defer storm.Wait()
			for range 1 + room {
				storm.Go(func() {
					_, err := f.login(from(t, "192.0.2.7"), "alice", "wrong")
					if _, busy := errors.AsType[*password.BusyError](err); !busy && err != account.ErrWrongCredentials {
						t.Error(err)
					}
				})
			}
			for range room {
				<-waits
			}
			if _, err := f.login(from(t, other.address), other.login, "wrong"); err != account.ErrWrongCredentials {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Right logins cost nothing until there are more of them than anybody needs.
func TestRightLoginsAreLimited(t *testing.T) {
	refused := func(err error) bool {
		_, exceeded := errors.AsType[*limit.ExceededError](err)
		return exceeded
	}
	// admitted is how many of that many logins in a row are.
	admitted := func(t *testing.T, f *fixture, n int, address string, users ...string) (all int) {
		for i := range n {
			switch _, err := f.login(from(t, address), users[i%len(users)], goodWords); {
			case err == nil:
				all++
			case !refused(err):
				t.Fatal(err)
			}
		}
		return all
	}
	setup := func(t *testing.T, edits ...func(*account.Deps)) *fixture {
		f := newFixture(t, append(edits, func(d *account.Deps) { d.Limiter = limit.NewMemory(1000) })...)
		for _, name := range []string{"alice", "bobby", "carol"} {
			r := alice()
			r.Username, r.Email = name, name+"@example.com"
			f.register(t, r)
		}
		return f
	}
	bubble := func(t *testing.T, name string, account, address int, test func(t *testing.T, f *fixture)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, setup(t, loginRates(account, address))) })
		})
	}
	bubble(t, "of one user", 2, 1000, func(t *testing.T, f *fixture) {
		if n := admitted(t, f, 100, "192.0.2.7", "alice", "alice@example.com"); n != 20*2+2+2 { // under two names
			t.Errorf("%d of 100 admitted", n)
		}
		if n := admitted(t, f, 1, "192.0.2.7", "bobby"); n != 1 {
			t.Error("another user of that address is refused")
		}
		if n := admitted(t, f, 5, "192.0.2.8", "alice"); n != 2 {
			t.Errorf("from elsewhere %d are admitted, want what may fail", n)
		}
		time.Sleep(30 * time.Second)
		if n := admitted(t, f, 100, "192.0.2.7", "alice"); n != 20+1 {
			t.Errorf("%d admitted after half the time", n)
		}
	})
	bubble(t, "of one address", 1000, 10, func(t *testing.T, f *fixture) {
		if n := admitted(t, f, 100, "192.0.2.7", "alice", "bobby", "carol"); n != 6*10+10 {
			t.Errorf("%d of 100 admitted", n)
		}
		if n := admitted(t, f, 10, "192.0.2.8", "alice", "bobby", "carol"); n != 10 {
			t.Errorf("%d of 10 admitted from another address", n)
		}
	})
	bubble(t, "a company behind one address does not feel it", 10, 100, func(t *testing.T, f *fixture) {
		for range 5 * 60 { // five a second, for five minutes
			if n := admitted(t, f, 5, "192.0.2.7", "alice", "bobby", "carol"); n != 5 {
				t.Fatal("refused")
			}
			time.Sleep(time.Second)
		}
	})
	bubble(t, "off", 0, 0, func(t *testing.T, f *fixture) {
		if n := admitted(t, f, 200, "192.0.2.7", "alice"); n != 200 {
			t.Errorf("%d of 200 admitted", n)
		}
	})
	bubble(t, "a change of password is a right login too", 2, 1000, func(t *testing.T, f *fixture) {
		admitted(t, f, 100, "192.0.2.7", "alice")
		u := f.user(t, "alice")
		err := f.users.ChangePassword(from(t, "192.0.2.7"), authserver.Asker{Subject: u.Subject, SessionID: "sid"}, nil, goodWords, "nine patient herons")
		if !refused(err) {
			t.Errorf("got %v", err)
		}
	})
}
