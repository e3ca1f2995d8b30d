package bench

import (
	"slices"
	"sync"
	"time"
)

// tally is what one loop has seen.
type tally struct {
	mu        sync.Mutex // the loop's own, but for progress
	latencies []time.Duration
	errors    map[string]int
}

func (t *tally) add(took time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.latencies = append(t.latencies, took)
		return
	}
	if t.errors == nil {
		t.errors = map[string]int{}
	}
	t.errors[err.Error()]++
}

func (t *tally) answered() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.latencies)
}

// summary adds up what all loops have seen.
func summary(name string, tallies []tally, elapsed time.Duration) Result {
	r := Result{Operation: name}
	var all []time.Duration
	for i := range tallies {
		all = append(all, tallies[i].latencies...)
		for what, n := range tallies[i].errors {
			if r.Errors == nil {
				r.Errors = map[string]int{}
			}
			r.Errors[what] += n
		}
	}
	slices.Sort(all)
	r.Requests = len(all)
	r.PerSecond = float64(len(all)) / elapsed.Seconds()
	r.P50, r.P99, r.P999 = quantile(all, 0.5), quantile(all, 0.99), quantile(all, 0.999)
	r.Max = quantile(all, 1)
	return r
}

// quantile is the least of sorted that at least the share q of it does not
// exceed, in microseconds; 0 of nothing.
func quantile(sorted []time.Duration, q float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(q * float64(len(sorted)))
	if float64(rank) < q*float64(len(sorted)) {
		rank++
	}
	return sorted[max(rank, 1)-1].Microseconds()
}
