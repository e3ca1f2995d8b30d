package account_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
)

// listed is a store of clients that may be away.
type listed struct {
	authserver.ClientStore
	clients []authserver.Client
	err     error
	reads   atomic.Int64
}

func (l *listed) Clients(context.Context) ([]authserver.Client, error) {
	l.reads.Add(1)
	return l.clients, l.err
}

func TestOrigins(t *testing.T) {
	const one, two = "https://one.example.test", "https://two.example.test"
	client := func(origins ...string) authserver.Client {
		return authserver.Client{Public: true, RedirectURIs: origins}
	}
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		store := &listed{clients: []authserver.Client{client(one + "/cb"), client("com.example.app:/cb")}}
		o, err := account.NewOrigins(t.Context(), store, f.Logger)
		if err != nil {
			t.Fatal(err)
		}
		expect := func(when string, want map[string]bool) {
			t.Helper()
			for origin, allowed := range want {
				if got := o.Has(t.Context(), origin); got != allowed {
					t.Errorf("%s: %s: %v", when, origin, got)
				}
			}
		}
		expect("at the start", map[string]bool{one: true, two: false, "": false, "null": false, one + "/cb": false})

		store.clients = []authserver.Client{client(two)}
		for range 1000 {
			o.Has(t.Context(), two)
		}
		if n := store.reads.Load(); n != 1 {
			t.Errorf("a thousand requests in one second read %d times", n)
		}
		time.Sleep(time.Second)
		if !o.Has(t.Context(), one) {
			t.Error("the clients were read though the origin was known a second ago")
		}
		expect("a second later", map[string]bool{two: true})
		expect("once they were read", map[string]bool{one: false})

		store.clients = nil
		time.Sleep(10 * time.Second)
		expect("ten seconds after the last is gone", map[string]bool{two: false})
		store.clients = []authserver.Client{client(two)}
		time.Sleep(time.Second)
		expect("when it is back", map[string]bool{two: true})

		store.err = errors.New("database is away")
		time.Sleep(time.Second)
		expect("while the store is away", map[string]bool{one: false, two: true})
		if !strings.Contains(f.log.String(), "clients' origins are not read") {
			t.Errorf("log %s", &f.log)
		}
		if _, err := account.NewOrigins(t.Context(), store, f.Logger); err == nil {
			t.Error("a server starts without the clients")
		}
	})
}
