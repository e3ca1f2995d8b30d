package password

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func enter(t *testing.T, g *gate) {
	t.Helper()
	if err := g.enter(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
}

func TestGate(t *testing.T) {
	t.Run("who waits is served in the order of coming", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(1, newQueue(8, 1), time.Minute)
			enter(t, g)
			var order []int
			for i := range 8 {
				go func() {
					if err := g.enter(t.Context(), 1); err != nil {
						t.Error(err)
					}
					order = append(order, i)
					g.leave()
				}()
				synctest.Wait()
			}
			g.leave()
			synctest.Wait()
			if want := []int{0, 1, 2, 3, 4, 5, 6, 7}; !slices.Equal(order, want) {
				t.Errorf("got %v", order)
			}
		})
	})
	t.Run("PWD-013 a full queue is answered at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(1, newQueue(2, 1), 5*time.Second)
			enter(t, g)
			for range 2 {
				go func() {
					if err := g.enter(t.Context(), 1); err != nil {
						t.Error(err)
					}
					g.leave()
				}()
			}
			synctest.Wait()
			start := time.Now()
			busy, ok := errors.AsType[*BusyError](g.enter(t.Context(), 1))
			if !ok || busy.RetryAfter != 5*time.Second || time.Since(start) != 0 {
				t.Errorf("got %+v after %v", busy, time.Since(start))
			}
			g.leave()
			synctest.Wait()
			enter(t, g)
		})
	})
	for name, g := range map[string]*gate{"no queue": newGate(1, newQueue(0, 1), time.Minute), "no wait": newGate(1, newQueue(10, 1), 0)} {
		t.Run("with "+name+" nobody waits", func(t *testing.T) {
			enter(t, g)
			if _, ok := errors.AsType[*BusyError](g.enter(t.Context(), 1)); !ok {
				t.Error("waited")
			}
			g.leave()
			enter(t, g)
		})
	}
	t.Run("PWD-013 nobody waits longer than the limit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(1, newQueue(2, 1), 2*time.Second)
			enter(t, g)
			start := time.Now()
			if _, ok := errors.AsType[*BusyError](g.enter(t.Context(), 1)); !ok || time.Since(start) != 2*time.Second {
				t.Errorf("busy %v after %v", ok, time.Since(start))
			}
			g.leave()
			enter(t, g)
		})
	})
	t.Run("PWD-014 a thousand who hang up while waiting lose no turn", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(2, newQueue(1000, 1), time.Minute)
			enter(t, g)
			enter(t, g)
			ctx, hangUp := context.WithCancel(t.Context())
			defer hangUp()
			var gone atomic.Int64
			for range 1000 {
				go func() {
					if err := g.enter(ctx, 1); errors.Is(err, context.Canceled) {
						gone.Add(1)
					}
				}()
				synctest.Wait()
			}
			hangUp()
			synctest.Wait()
			if gone.Load() != 1000 || g.queue.waiting != 0 {
				t.Fatalf("%d hung up, %d still wait", gone.Load(), g.queue.waiting)
			}
			g.leave()
			g.leave()
			enter(t, g)
			enter(t, g)
		})
	})
	t.Run("who has hung up before is not let in", func(t *testing.T) {
		g := newGate(1, newQueue(1, 1), time.Minute)
		ctx, hangUp := context.WithCancel(t.Context())
		hangUp()
		if err := g.enter(ctx, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		enter(t, g)
	})
}

func TestOnWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var began int
		var ended []error
		g := newGate(1, newQueue(1, 1), 5*time.Second)
		g.onWait = func(context.Context) func(error) {
			began++
			return func(err error) { ended = append(ended, err) }
		}
		enter(t, g)
		if began != 0 {
			t.Error("who does not wait is heard of")
		}
		go g.enter(t.Context(), 1)
		synctest.Wait()
		if began != 1 || len(ended) != 0 {
			t.Errorf("%d waits began and %d ended, want one that goes on", began, len(ended))
		}
		if err := g.enter(t.Context(), 1); err == nil || began != 1 {
			t.Errorf("a full queue: %v, %d waits", err, began)
		}
		g.leave()
		synctest.Wait()
		if err := g.enter(t.Context(), 1); err == nil { // the slot stays taken
			t.Error("entered")
		}
		if len(ended) != 2 || ended[0] != nil || ended[1] == nil {
			t.Errorf("the waits ended with %v, want a turn and none", ended)
		}
		if n := g.refused; n != 2 {
			t.Errorf("%d refused, want 2", n)
		}
	})
}
