package account_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver/account"
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
