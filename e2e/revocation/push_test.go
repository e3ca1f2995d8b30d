//go:build proof

package revocation

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
)

const (
	loadRate   = 150 // requests a second with tokens that are good
	loadTokens = 8
	parallel   = 8 // changes under way at once
	// longestPause is how long at most a server is not asked about an ended token:
	// the fault of a long delay. Of a short one it is less.
	longestPause = 20 * time.Millisecond
)

// RSV-035, RSV-036, RSV-040: from the answer to a change to the first refusal
// of what it ended, on every server.
func TestEndedWithinTheBound(t *testing.T) {
	changes := size(100, 1000)
	for _, tc := range []struct {
		name string
		make func(t *testing.T) shape
	}{
		{"one process", func(*testing.T) shape { return shape{} }},
		{"two of each on SQLite", func(*testing.T) shape { return shape{auth: 2, api: 2} }},
		{"two of each on SQLite and Redis", func(t *testing.T) shape {
			return shape{auth: 2, api: 2, redis: redistest.Start(t)}
		}},
		{"two of each on PostgreSQL", func(t *testing.T) shape {
			return shape{auth: 2, api: 2, database: pgtest.Start(t)}
		}},
		{"two of each on PostgreSQL and Redis", func(t *testing.T) shape {
			return shape{auth: 2, api: 2, database: pgtest.Start(t), redis: redistest.Start(t)}
		}},
	} {
		t.Run("RSV-035 RSV-036 RSV-040 "+tc.name, func(t *testing.T) {
			s := tc.make(t)
			s.users, s.leaving = changes+loadTokens, changes/kinds+1
			d := deploy(t, s)
			good := startLoad(d, changes, d.servers())
			defer good.stop()
			times := d.endAll(changes)
			good.stop()
			times.report(t)
			good.report(t)
		})
	}
}

// delays are what was measured, by what it was measured of.
type delays struct {
	mu sync.Mutex
	of map[string][]time.Duration
}

func (x *delays) add(delay time.Duration, of ...string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.of == nil {
		x.of = map[string][]time.Duration{}
	}
	for _, name := range of {
		x.of[name] = append(x.of[name], delay)
	}
}

func (x *delays) report(t *testing.T) {
	names := make([]string, 0, len(x.of))
	for name := range x.of {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		all := x.of[name]
		slices.Sort(all)
		at := func(q float64) time.Duration { return all[int(q*float64(len(all)-1))].Round(100 * time.Microsecond) }
		t.Logf("%-30s n=%-5d p50=%-8v p99=%-8v max=%v", name, len(all), at(0.5), at(0.99), at(1))
		if all[len(all)-1] > bound {
			t.Errorf("%s: the slowest took %v, want %v at most", name, all[len(all)-1], bound)
		}
	}
}

// endAll makes that many changes of every kind in turn, and measures them.
func (d *deployment) endAll(changes int) *delays {
	times := &delays{}
	var workers sync.WaitGroup
	var next atomic.Int64
	for range parallel {
		workers.Go(func() {
			for {
				i := int(next.Add(1) - 1)
				if i >= changes {
					return
				}
				kind := endings[i%kinds]
				at := d.auth[i/kinds%len(d.auth)]
				if err := d.measure(times, i, at); err != nil {
					d.t.Errorf("%s at %s: %v", kind.name, at.name, err)
				}
			}
		})
	}
	workers.Wait()
	return times
}

// measure makes the i-th change and asks every server until it refuses what has
// ended.
func (d *deployment) measure(times *delays, i int, at *server) error {
	kind := endings[i%kinds]
	e, err := kind.prepare(d, at, i)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	for _, token := range slices.Concat(e.dead, e.alive) {
		if err := d.everywhere(token, true); err != nil {
			return fmt.Errorf("before: %w", err)
		}
	}
	if err := e.make(); err != nil {
		return err
	}
	answered := time.Now()
	errs := make([]error, len(d.servers()))
	var probes sync.WaitGroup
	for n, p := range d.servers() {
		probes.Go(func() {
			var delay time.Duration
			for _, token := range e.dead {
				took, err := d.refusal(p, token, answered)
				if err != nil {
					errs[n] = err
					return
				}
				delay = max(delay, took)
			}
			times.add(delay, "all", "at "+p.name, "to "+kind.name)
		})
	}
	probes.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, token := range e.dead {
		if err := d.everywhere(token, false); err != nil {
			return fmt.Errorf("after the first refusal: %w", err)
		}
	}
	for _, token := range e.alive {
		if err := d.everywhere(token, true); err != nil {
			return fmt.Errorf("a token that did not end: %w", err)
		}
	}
	return e.after()
}

// refusal returns how long after answered p has refused the token.
func (d *deployment) refusal(p *server, token string, answered time.Time) (time.Duration, error) {
	for pause := time.Millisecond; ; pause = min(2*pause, longestPause) {
		took, err := d.takes(p, token)
		delay := time.Since(answered)
		switch {
		case err != nil:
			return 0, err
		case !took:
			return delay, nil
		case delay > 10*bound:
			return 0, fmt.Errorf("%s still takes an ended token after %v", p.name, delay)
		}
		time.Sleep(pause)
	}
}

// load is requests with tokens that are good, at a steady rate.
type load struct {
	done     chan struct{}
	stopping sync.Once
	running  sync.WaitGroup
	asked    atomic.Int64
	began    time.Time
	took     time.Duration

	mu     sync.Mutex
	faults []error
}

// startLoad logs users in that no change concerns, the first of whom is user
// number first, and asks servers about them in turn.
func startLoad(d *deployment, first int, servers []*server) *load {
	d.t.Helper()
	l := &load{done: make(chan struct{}), began: time.Now()}
	var good []string
	for i := range loadTokens {
		s, err := d.login(d.auth[0], userName(first+i), "spa")
		if err != nil {
			d.t.Fatal(err)
		}
		good = append(good, s.Access)
	}
	l.running.Go(func() {
		tick := time.NewTicker(time.Second / loadRate)
		defer tick.Stop()
		for {
			select {
			case <-l.done:
				return
			case <-tick.C:
			}
			n := int(l.asked.Add(1))
			p := servers[n%len(servers)]
			l.running.Go(func() {
				took, err := d.takes(p, good[n%len(good)])
				if err == nil && !took {
					err = fmt.Errorf("%s refuses a good token", p.name)
				}
				if err != nil {
					l.mu.Lock()
					defer l.mu.Unlock()
					l.faults = append(l.faults, err)
				}
			})
		}
	})
	return l
}

func (l *load) stop() {
	l.stopping.Do(func() {
		close(l.done)
		l.running.Wait()
		l.took = time.Since(l.began)
	})
}

func (l *load) report(t *testing.T) {
	t.Helper()
	n := l.asked.Load()
	t.Logf("good tokens: %d requests, %.0f a second, %d failed", n, float64(n)/l.took.Seconds(), len(l.faults))
	if n == 0 {
		t.Error("no request with a good token was made")
	}
	slices.SortFunc(l.faults, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	for _, err := range l.faults[:min(len(l.faults), 3)] {
		t.Errorf("a good token: %v", err)
	}
}
