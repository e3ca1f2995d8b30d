package redisstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver/redisstore"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
)

// listen starts Wakes and waits until it has said that it is there. It ends
// with the test.
func listen(t *testing.T, s *redisstore.Store) <-chan struct{} {
	t.Helper()
	woken := make(chan struct{}, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Wakes(ctx, func() { woken <- struct{}{} })
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			t.Error("Wakes outlives its context")
		}
	})
	wantWoken(t, woken)
	return woken
}

func wantWoken(t *testing.T, woken <-chan struct{}) {
	t.Helper()
	select {
	case <-woken:
	case <-time.After(10 * time.Second):
		t.Fatal("not woken")
	}
}

func TestWakes(t *testing.T) {
	srv := redistest.New(t, "")
	one, two := open(t, srv.URL), open(t, srv.URL)
	hearsOne, hearsTwo := listen(t, one), listen(t, two)
	t.Run("RSV-040 every server hears of a wake-up, its own too", func(t *testing.T) {
		for range 100 {
			if err := one.Wake(t.Context()); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			wantWoken(t, hearsOne)
			wantWoken(t, hearsTwo)
			if took := time.Since(start); took > 500*time.Millisecond {
				t.Errorf("took %v", took)
			}
		}
		if len(hearsOne)+len(hearsTwo) > 0 {
			t.Errorf("%d and %d more than there were", len(hearsOne), len(hearsTwo))
		}
	})
	t.Run("nobody listens after the context has ended", func(t *testing.T) {
		three := open(t, srv.URL)
		t.Run("a listener", func(t *testing.T) { listen(t, three) })
		if n := inspect(t, srv.URL).PubSubNumSub(t.Context(), "tw:wake").Val()["tw:wake"]; n != 2 {
			t.Errorf("%d listen, want 2", n)
		}
	})
	t.Run("after Redis was started again it is woken, for what it may have missed", func(t *testing.T) {
		srv.Stop()
		srv.Start()
		wantWoken(t, hearsOne)
		wantWoken(t, hearsTwo)
		if err := two.Wake(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantWoken(t, hearsOne)
		wantWoken(t, hearsTwo)
	})
}
