package doctor

import (
	"fmt"
	"math"
	"slices"
	"time"
)

const (
	// minChance is the p-value below which two samples count as different. Of a
	// hundred comparisons of what is the same, one falls below it.
	minChance = 0.01
	// maxShift is how far apart their medians may be, as a part of the first.
	maxShift = 0.05
)

// comparison is what the durations of two kinds of answers look like side by side.
type comparison struct {
	medians [2]time.Duration
	shift   float64 // of the medians, as a part of the first
	d, p    float64 // of the Kolmogorov–Smirnov test
}

// compare looks at two samples, which it sorts.
func compare(a, b []time.Duration) comparison {
	slices.Sort(a)
	slices.Sort(b)
	c := comparison{medians: [2]time.Duration{median(a), median(b)}}
	c.shift = math.Abs(float64(c.medians[1]-c.medians[0])) / float64(c.medians[0])
	c.d = distance(a, b)
	c.p = chance(c.d, len(a), len(b))
	return c
}

// same says whether the two kinds cannot be told apart.
func (c comparison) same() bool { return c.p > minChance && c.shift < maxShift }

func (c comparison) String() string {
	return fmt.Sprintf("medians %v and %v (%.1f %%), D = %.3f, p = %.3g", c.medians[0].Round(time.Microsecond), c.medians[1].Round(time.Microsecond), 100*c.shift, c.d, c.p)
}

func median(sorted []time.Duration) time.Duration {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// distance is the two-sample Kolmogorov–Smirnov statistic: how far apart the
// empirical distributions of two sorted samples are where they are farthest.
func distance(a, b []time.Duration) float64 {
	i, j, d := 0, 0, 0.0
	for i < len(a) && j < len(b) {
		x := min(a[i], b[j])
		for i < len(a) && a[i] == x {
			i++
		}
		for j < len(b) && b[j] == x {
			j++
		}
		d = max(d, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	return d
}

// chance is the probability of a distance of d or more between two samples of one
// distribution, by Kolmogorov's limit with Stephens' correction for finite samples
// (Use of the Kolmogorov–Smirnov, Cramér–von Mises and related statistics without
// extensive tables, JRSS B 32, 1970).
func chance(d float64, n, m int) float64 {
	root := math.Sqrt(float64(n) * float64(m) / float64(n+m))
	return kolmogorov((root + 0.12 + 0.11/root) * d)
}

// kolmogorov is the upper tail of Kolmogorov's distribution,
// 2 Σ (-1)^(k-1) exp(-2 k² x²).
func kolmogorov(x float64) float64 {
	if x < 0.2 { // the series converges slowly, and to 1 within 1e-12
		return 1
	}
	sum, sign := 0.0, 1.0
	for k := 1.0; ; k++ {
		term := math.Exp(-2 * k * k * x * x)
		if term < 1e-16 {
			return 2 * sum
		}
		sum += sign * term
		sign = -sign
	}
}
