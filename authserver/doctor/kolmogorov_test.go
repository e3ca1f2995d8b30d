package doctor

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// The upper percentage points of Kolmogorov's distribution, as tables have them
// (Smirnov, Table for estimating the goodness of fit of empirical distributions,
// Ann. Math. Stat. 19, 1948).
func TestKolmogorovIsTheTable(t *testing.T) {
	for _, tc := range []struct{ x, tail float64 }{
		{0.1, 1}, {0.5, 0.963945}, {0.82757, 0.5}, {1, 0.269999}, {1.22385, 0.1}, {1.35810, 0.05}, {1.48021, 0.025}, {1.62762, 0.01}, {1.94947, 0.001}, {3, 3.05e-8},
	} {
		if got := kolmogorov(tc.x); math.Abs(got-tc.tail) > 2e-5 || tc.tail < 1e-6 && math.Abs(got/tc.tail-1) > 0.01 {
			t.Errorf("kolmogorov(%v) = %v, want %v", tc.x, got, tc.tail)
		}
	}
}

func TestDistanceIsWhereTheTwoAreFarthestApart(t *testing.T) {
	for _, tc := range []struct {
		name string
		a, b []time.Duration
		want float64
	}{
		{"the same", []time.Duration{1, 2, 3}, []time.Duration{1, 2, 3}, 0},
		{"one after the other", []time.Duration{1, 2}, []time.Duration{3, 4, 5}, 1},
		{"in turns", []time.Duration{1, 3, 5, 7}, []time.Duration{2, 4, 6, 8}, 0.25},
		{"ties count once", []time.Duration{1, 1, 1, 2}, []time.Duration{1, 2, 2, 2}, 0.5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := distance(tc.a, tc.b); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			if got := distance(tc.b, tc.a); got != tc.want {
				t.Errorf("the other way round: got %v, want %v", got, tc.want)
			}
		})
	}
}

// sample draws durations such as answers take: a floor, and a tail.
func sample(r *rand.Rand, n int, floor, spread float64) []time.Duration {
	var all []time.Duration
	for range n {
		all = append(all, time.Duration(floor+spread*r.ExpFloat64()))
	}
	return all
}

func TestCompareTellsPathsApart(t *testing.T) {
	const base, spread = 25e6, 1e6 // 25 ms, and 1 ms of noise
	for _, tc := range []struct {
		name   string
		slower float64
		same   bool
	}{
		{"one path", 1, true},
		{"a path that is 5 % slower", 1.05, false},
		{"a path that is 5 % faster", 0.95, false},
		{"a path that takes no time", 0.01, false},
	} {
		t.Run("PWD-004 "+tc.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			c := compare(sample(r, 500, base, spread), sample(r, 500, base*tc.slower, spread))
			if c.same() != tc.same {
				t.Errorf("got %v: %s", c.same(), c)
			}
		})
	}
	t.Run("a shift of the medians alone is enough", func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		if c := compare(sample(r, 20, base, 4*base), sample(r, 20, base*1.3, 4*base)); c.same() || c.p < minChance {
			t.Errorf("got %s, want different by the medians alone", c)
		}
	})
	t.Run("of samples of one path, one in a hundred counts as different", func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 6))
		different := 0
		for range 1000 {
			if c := compare(sample(r, 500, base, spread), sample(r, 500, base, spread)); !c.same() {
				different++
			}
		}
		if different > 20 {
			t.Errorf("%d of 1000 count as different, want about 10", different)
		}
	})
}
