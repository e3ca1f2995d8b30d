package account_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/limit"
)

// asked counts what a limiter is asked.
type asked struct {
	limit.Limiter
	n atomic.Int64
}

func (a *asked) Take(ctx context.Context, r limit.Rule, key string) (limit.Decision, error) {
	a.n.Add(1)
	return a.Limiter.Take(ctx, r, key)
}

// twoServers are two servers' clients over one limiter, and a try at one of them.
func twoServers(t *testing.T) (*asked, func(server int, secret string) error) {
	t.Helper()
	master, err := keys.NewMaster("a test's secret of many letters 0123456789")
	if err != nil {
		t.Fatal(err)
	}
	shared := &asked{Limiter: limit.NewMemory(1000)}
	d := account.Deps{Master: master, Limiter: shared, ClientRate: limit.Rule{Name: "client", Burst: 20, Per: time.Minute}}
	servers := []*account.Clients{account.NewClients(d), account.NewClients(d)}
	client := &authserver.Client{ID: "conf", SecretHash: master.HashClientSecret(confSecret)}
	ctx := authserver.WithCaller(t.Context(), authserver.Caller{IP: "192.0.2.1"})
	return shared, func(server int, secret string) error {
		return servers[server].Authenticate(ctx, client, "conf", secret)
	}
}

func TestARightSecretSeldomAsksTheLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared, try := twoServers(t)
		for range 3 {
			for range 100 {
				if err := try(0, confSecret); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
		}
		if n := shared.n.Load(); n != 3 {
			t.Errorf("300 right secrets in three seconds: the limiter was asked %d times, want 3", n)
		}
	})
}

// CLI-012, INT-008, REV-011: wrong secrets count together, whichever server they
// are sent to, and whoever has run out is refused with the right one too.
func TestGuessersOnTwoServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, try := twoServers(t)
		for server := range 2 {
			if err := try(server, confSecret); err != nil {
				t.Fatal(err)
			}
		}
		var looked, limited atomic.Int64
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				switch err := try(i%2, "wrong-secret-wrong-secret"); {
				case errors.Is(err, account.ErrWrongClientSecret):
					looked.Add(1)
				case err != nil:
					limited.Add(1)
				default:
					t.Error("a wrong secret is taken")
				}
			})
		}
		all.Wait()
		if looked.Load() != 20 || limited.Load() != 44 {
			t.Errorf("%d guesses were looked at and %d refused, want 20 and 44", looked.Load(), limited.Load())
		}
		for server := range 2 {
			if err := try(server, confSecret); err == nil {
				t.Errorf("server %d: the right secret is taken from where the allowance is used up", server)
			}
		}
	})
}

// What one server knows it believes for a second.
func TestOtherServersAreHeardWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, try := twoServers(t)
		if err := try(1, confSecret); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			try(0, "wrong-secret-wrong-secret")
		}
		time.Sleep(time.Second)
		if err := try(1, confSecret); err == nil {
			t.Error("a second after the allowance was used up elsewhere, the right secret is taken")
		}
	})
}
