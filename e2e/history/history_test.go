package history

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/tokenwright/tokenwright/authserver/audit"
	// What the binary is made of: a result is taken from the cache only while
	// that is the same.
	_ "github.com/tokenwright/tokenwright/authserver/cli"
	"github.com/tokenwright/tokenwright/e2e/program"
)

var (
	binary program.Binary
	proof  = flag.Bool("proof", false, "run at full size: 1,000,000 operations per store")
	size   = flag.Int("operations", 0, "how many operations per store, instead of the default")
	seed   = flag.Uint64("seed", 0, "begin with this seed, instead of by chance")
)

func TestMain(m *testing.M) { os.Exit(program.Main(m, &binary)) }

func operations() int {
	switch {
	case *size > 0:
		return *size
	case *proof:
		return 1_000_000
	}
	return 5_000
}

// begin is the seed to begin with.
func begin(t *testing.T) uint64 {
	start := *seed
	if start == 0 {
		start = rand.Uint64N(1 << 40)
	}
	t.Logf("seed %d", start)
	return start
}

var everyone = []string{"strict", "brief", "plain"}

// apart is a minute between the clocks of two servers.
var apart = clock{fast, 30 * time.Second}

// fast is a rate at which grace periods pass within a history.
const fast = 1000

// REF-010, REF-012 … REF-016, REF-019, REF-031, REF-032, REV-001, REV-014: under
// concurrent clients of two servers, every answer is one that section 5 of the
// contract allows, in an order that respects who answered before whom asked.
func TestHistoriesAreLinearizable(t *testing.T) {
	type load struct {
		name    string
		clock   clock
		clients []string
		rewinds bool
		share   int // of the store's operations, in percent
	}
	sound := clock{rate: fast}
	mixed := []load{
		{"grace 0", sound, everyone[:1], false, 25},
		{"grace 10 s", sound, everyone[2:], false, 25},
		{"mixed", sound, everyone, false, 25},
		{"mixed, clocks a minute apart", apart, everyone, false, 25},
	}
	rewinds := load{"REF-031 REF-032 goes back to what it had", sound, everyone, true, 25}
	for _, kind := range []struct {
		name  string
		start func(*testing.T) func(*testing.T) store
		loads []load
	}{
		{"SQLite", sqlite, mixed},
		{"PostgreSQL", postgres, mixed},
		{"a Redis in memory", miniRedis, []load{{"mixed, clocks a minute apart", apart, everyone, false, 100}}},
		{"Redis", realRedis, append(mixed, rewinds)},
		{"PostgreSQL and Redis", postgresAndRedis, []load{{"mixed, clocks a minute apart", apart, everyone, false, 10}}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			fresh := kind.start(t)
			for _, l := range kind.loads {
				t.Run(l.name, func(t *testing.T) {
					at := fresh(t)
					w := newWorld(t, at, l.clock, l.clients...)
					if l.rewinds {
						w.redis = newRewinder(t, at.redis)
					}
					w.check(t, begin(t), operations()*l.share/100)
				})
			}
		})
	}
}

// check records and checks histories of n operations in all, two at a time, the
// first with the seed start.
func (w *world) check(t *testing.T, start uint64, n int) {
	t.Helper()
	began := time.Now()
	var seen tally
	var next atomic.Uint64
	next.Store(start)
	var pair sync.WaitGroup
	for range 2 {
		pair.Go(func() {
			for seen.total() < n && !t.Failed() {
				h, err := w.newHistory(t.Context(), next.Add(1)-1)
				if err == nil {
					err = h.record()
				}
				if err != nil {
					t.Error(err)
					return
				}
				seen.add(h.ops)
				checkHistory(t, h.seed, h.ops)
			}
		})
	}
	pair.Wait()
	t.Logf("%d operations in %v: %v", seen.all, time.Since(began).Round(time.Millisecond), &seen)
	if seen.rotated == 0 || seen.refused == 0 || seen.redeemed == 0 || seen.replayed == 0 {
		t.Error("too little happened for this to prove anything")
	}
	w.verifyLog(t)
}

// verifyLog wants an event log without faults.
func (w *world) verifyLog(t *testing.T) {
	t.Helper()
	report, err := audit.Verify(t.Context(), w.desk.db, []audit.Key{w.desk.key})
	if err != nil || len(report.Faults) > 0 {
		t.Errorf("the event log: %v, %v", report.Faults, err)
	}
}

// markCrossed says of each login whether something was under way beside it that
// ends all sessions, or all others, or all access tokens.
func markCrossed(ops []porcupine.Operation) {
	for i, op := range ops {
		c := op.Input.(call)
		if c.act != login && c.act != authorize {
			continue
		}
		c.crossed = slices.ContainsFunc(ops, func(other porcupine.Operation) bool {
			act := other.Input.(call).act
			return (act == endOthers || act == change || act == disable || act == setRoles) && other.Call < op.Return && op.Call < other.Return
		})
		ops[i].Input = c
	}
}

// leavesNoTrace says of an operation that whether it took effect is seen by no
// other: nobody knows of the session that an unheard login has opened. Each would
// double the orders to look through.
func leavesNoTrace(op porcupine.Operation) bool {
	c, a := op.Input.(call), op.Output.(answer)
	return c.act == setRoles || a.nothing && (c.act == login || c.act == authorize || c.act == use)
}

func checkHistory(t *testing.T, seed uint64, ops []porcupine.Operation) {
	t.Helper()
	markCrossed(ops)
	checkRoles(t, seed, ops)
	ops = slices.DeleteFunc(ops, leavesNoTrace)
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
	// Of codes: given, redeemed, and refused as they came again.
	codes, redeemed, replayed int
	changed, roles, used      int
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
		case c.act == authorize && a.granted:
			s.codes++
		case c.act == refresh && c.token == 0 && a.granted:
			s.redeemed++
		case c.act == refresh && c.token == 0 && c.asked:
			s.replayed++
		case c.act == refresh && !a.granted:
			s.refused++
		case c.act == refresh && a.token == c.token+1 && c.asked:
			s.rotated++
		case c.act == login && a.granted:
			s.opened++
		case c.act == change && a.granted:
			s.changed++
		case c.act == use && a.granted:
			s.used++
		case c.act == setRoles:
			s.roles++
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
	return fmt.Sprintf("%d opened, %d codes, %d redeemed, %d codes again, %d granted, %d refused, %d endings, %d passwords, %d roles, %d used, %d disabled, %d rewound, %d without an answer",
		s.opened, s.codes, s.redeemed, s.replayed, s.rotated, s.refused, s.ended, s.changed, s.roles, s.used, s.disabled, s.lost, s.unheardOf)
}
