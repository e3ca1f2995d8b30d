package history

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/tokenwright/tokenwright/authserver/audit"
)

var (
	proof = flag.Bool("proof", false, "run at full size: 1,000,000 operations per store")
	size  = flag.Int("operations", 0, "how many operations per store, instead of the default")
	seed  = flag.Uint64("seed", 0, "begin with this seed, instead of by chance")
)

func operations() int {
	switch {
	case *size > 0:
		return *size
	case *proof:
		return 1_000_000
	}
	return 5_000
}

// REF-010, REF-012 … REF-016, REF-019, REF-031, REF-032, REV-001, REV-014: under
// concurrent clients of two servers, every answer is one that section 5 of the
// contract allows, in an order that respects who answered before whom asked.
func TestHistoriesAreLinearizable(t *testing.T) {
	all := []string{"strict", "brief", "plain"}
	for _, tc := range []struct {
		name    string
		redis   func(*testing.T) string
		rewinds bool
		skew    time.Duration
		clients []string
		share   int // of the operations, in percent
	}{
		{"SQLite, grace 0", nil, false, 0, all[:1], 25},
		{"SQLite, grace 10 s", nil, false, 0, all[2:], 25},
		{"SQLite, mixed", nil, false, 0, all, 25},
		{"SQLite, mixed, clocks a minute apart", nil, false, 30 * time.Second, all, 25},
		{"a Redis in memory, mixed, clocks a minute apart", miniRedis, false, 30 * time.Second, all, 100},
		{"Redis, grace 0", realRedis, false, 0, all[:1], 20},
		{"Redis, grace 10 s", realRedis, false, 0, all[2:], 20},
		{"Redis, mixed", realRedis, false, 0, all, 20},
		{"Redis, mixed, clocks a minute apart", realRedis, false, 30 * time.Second, all, 20},
		{"REF-031 REF-032 Redis that goes back to what it had", realRedis, true, 0, all, 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			url := ""
			if tc.redis != nil {
				url = tc.redis(t)
			}
			w := newWorld(t, url, tc.skew, tc.clients...)
			if tc.rewinds {
				w.redis = newRewinder(t, url)
			}
			w.check(t, operations()*tc.share/100)
		})
	}
}

// check records and checks histories of n operations in all, two at a time.
func (w *world) check(t *testing.T, n int) {
	start := *seed
	if start == 0 {
		start = rand.Uint64N(1 << 40)
	}
	t.Logf("seed %d", start)
	began := time.Now()
	var seen tally
	var next atomic.Uint64
	next.Store(start)
	var pair sync.WaitGroup
	for range 2 {
		pair.Go(func() {
			for seen.total() < n && !t.Failed() {
				w.checkOne(t, next.Add(1)-1, &seen)
			}
		})
	}
	pair.Wait()
	t.Logf("%d operations in %v: %v", seen.all, time.Since(began).Round(time.Millisecond), &seen)
	if seen.rotated == 0 || seen.refused == 0 {
		t.Error("too little happened for this to prove anything")
	}
	report, err := audit.Verify(t.Context(), w.servers[0].db, []audit.Key{w.servers[0].key})
	if err != nil || len(report.Faults) > 0 {
		t.Errorf("the event log: %v, %v", report.Faults, err)
	}
}

func (w *world) checkOne(t *testing.T, seed uint64, seen *tally) {
	ops := w.recordHistory(t, seed)
	seen.add(ops)
	result, info := porcupine.CheckOperationsVerbose(model, ops, time.Minute)
	if result == porcupine.Ok {
		return
	}
	t.Errorf("seed %d: %v", seed, result)
	for _, op := range ops {
		if op.Input.(call).act != refresh || op.Output.(answer).granted {
			t.Logf("%8d %8d %s", op.Call/1000, op.Return/1000, model.DescribeOperation(op.Input, op.Output))
		}
	}
	name := filepath.Join(os.TempDir(), fmt.Sprintf("history-%d.html", seed))
	if err := porcupine.VisualizePath(model, info, name); err == nil {
		t.Logf("the history is drawn in %s", name)
	}
}

// tally counts what happened, to show that it did.
type tally struct {
	mu                                                              sync.Mutex
	all, opened, rotated, refused, ended, disabled, lost, unheardOf int
}

func (s *tally) add(ops []porcupine.Operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range ops {
		s.all++
		c, a := op.Input.(call), op.Output.(answer)
		switch {
		case a.nothing:
			s.unheardOf++
		case c.act == refresh && !a.granted:
			s.refused++
		case c.act == refresh && a.token == c.token+1 && c.asked:
			s.rotated++
		case c.act == login && a.granted:
			s.opened++
		case c.act == disable:
			s.disabled++
		case c.act == revoke, c.act == logout, c.act == endOthers:
			s.ended++
		case c.act == lose:
			s.lost++
		}
	}
}

func (s *tally) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}

func (s *tally) String() string {
	return fmt.Sprintf("%d opened, %d granted, %d refused, %d endings, %d disabled, %d rewound, %d hung up",
		s.opened, s.rotated, s.refused, s.ended, s.disabled, s.lost, s.unheardOf)
}
