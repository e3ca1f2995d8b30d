package password

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const hashTime = 35 * time.Millisecond

// A storm from one address, of however many accounts and connections, keeps
// nobody else from logging in.
func TestAStormLeavesOthersTheirLogins(t *testing.T) {
	for _, tc := range []struct {
		name                  string
		accounts, connections int
		cost                  int64 // of its hashes, in those of others
	}{
		{"one account on 32 connections", 1, 32, 1},
		{"ten accounts on 300 connections", 10, 300, 1},
		{"an account with a slow hash", 1, 32, 8},
	} {
		storm := func(t *testing.T, g *gate) (end func()) {
			var over atomic.Bool
			var all sync.WaitGroup
			for i := range tc.connections {
				all.Go(func() {
					for !over.Load() {
						if _, err := logIn(t, g, tc.cost, "attacker", fmt.Sprint("account ", i%tc.accounts)); err != nil {
							time.Sleep(20 * time.Millisecond)
						}
					}
				})
			}
			synctest.Wait()
			return func() { over.Store(true); all.Wait() }
		}
		slow := time.Duration(tc.cost) * hashTime
		t.Run(tc.name+", others now and then", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(1, newQueue(64, 1), 2*time.Second)
				defer storm(t, g)()
				var took []time.Duration
				for i := range 200 {
					d, err := logIn(t, g, 1, fmt.Sprint("address ", i), "alice")
					if err != nil {
						t.Fatalf("login %d: %v", i, err)
					}
					took = append(took, d)
					time.Sleep(73 * time.Millisecond)
				}
				// The hash that is being computed, one turn of the storm, its own.
				slices.Sort(took)
				if p99 := took[197]; p99 > slow+slow+hashTime {
					t.Errorf("99 of 100 logins within %v, where a hash takes %v", p99, hashTime)
				}
			})
		})
		t.Run(tc.name+", 25 others at once", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(1, newQueue(64, 1), 2*time.Second)
				defer storm(t, g)()
				var others sync.WaitGroup
				for i := range 25 {
					others.Go(func() {
						if d, err := logIn(t, g, 1, fmt.Sprint("address ", i), "alice"); err != nil || d > 26*hashTime+26*slow/time.Duration(tc.cost)+slow {
							t.Errorf("other %d: %v, %v", i, d, err)
						}
					})
				}
				others.Wait()
			})
		})
	}
}

// logIn takes the time of a hash in its turn, and says how long it took in all.
func logIn(t *testing.T, g *gate, cost int64, names ...string) (time.Duration, error) {
	start := time.Now()
	if err := g.enter(t.Context(), cost, names...); err != nil {
		if _, busy := errors.AsType[*BusyError](err); !busy {
			t.Error(err)
		}
		return 0, err
	}
	defer g.leave()
	time.Sleep(time.Duration(cost) * hashTime)
	return time.Since(start), nil
}

// Who is sent away for another is told so at once.
func TestSentAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, newQueue(2, 1), time.Minute)
		enter(t, g)
		start := time.Now()
		told := make(chan error, 2)
		for range 2 {
			go func() { told <- g.enter(t.Context(), 1, "1", "alice") }()
			synctest.Wait()
		}
		go func() {
			if err := g.enter(t.Context(), 1, "2", "bob"); err != nil {
				t.Errorf("bob: %v", err)
			}
			g.leave()
		}()
		synctest.Wait()
		if _, busy := errors.AsType[*BusyError](<-told); !busy || time.Since(start) != 0 || g.refused != 1 {
			t.Errorf("busy %v after %v, %d refused", busy, time.Since(start), g.refused)
		}
		g.leave()
		if err := <-told; err != nil {
			t.Errorf("alice's first: %v", err)
		}
		g.leave()
		synctest.Wait()
		if g.inUse != 0 || g.queue.waiting != 0 {
			t.Errorf("%d slots in use, %d wait", g.inUse, g.queue.waiting)
		}
	})
}

// Lines that always have somebody waiting get the same, whatever it costs.
func TestTheTimeIsShared(t *testing.T) {
	q := newQueue(1000, 1)
	costs := map[string]int64{"argon2id": 1, "bcrypt": 8, "bcrypt of another address": 8, "some": 3}
	spent := map[string]int64{}
	of := map[*line]string{}
	come := func(name string) { of[q.join([]string{name}, costs[name])] = name }
	for name := range costs {
		come(name)
		come(name)
	}
	for range 10_000 {
		w := q.take()
		name := of[w]
		delete(of, w)
		spent[name] += costs[name]
		come(name)
	}
	for name, n := range spent {
		if d := n - spent["argon2id"]; d < -8 || d > 8 {
			t.Errorf("%s got %d, argon2id %d", name, n, spent["argon2id"])
		}
	}
}
