package storetest

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tokenwright/tokenwright/authserver/limit"
)

// Limiters holds a limit.Limiter to its contract. open returns the views that
// several servers have of one limiter; they are asked in turn.
func Limiters(t *testing.T, open func(t *testing.T) []limit.Limiter) {
	t.Run("PWD-009 the burst is allowed at once, and RetryAfter says when the next is", func(t *testing.T) { limitBurst(t, open(t)) })
	t.Run("an allowance comes back with time", func(t *testing.T) { limitComesBack(t, open(t)) })
	t.Run("being refused costs nothing", func(t *testing.T) { limitRefused(t, open(t)) })
	t.Run("what is given back can be taken again, and no more than was taken", func(t *testing.T) { limitReturn(t, open(t)) })
	t.Run("PWD-012 keys and rules do not touch one another", func(t *testing.T) { limitApart(t, open(t)) })
	t.Run("PWD-011 any key is treated alike", func(t *testing.T) { limitAlike(t, open(t)) })
	t.Run("a rate that does not divide evenly allows its burst and no more", func(t *testing.T) { limitUneven(t, open(t)) })
	t.Run("a rule that is off allows everything", func(t *testing.T) { limitOff(t, open(t)) })
	t.Run("parallel callers get the burst together", func(t *testing.T) { limitParallel(t, open(t)) })
	t.Run("parallel callers who give back leave the whole burst", func(t *testing.T) { limitParallelReturn(t, open(t)) })
}

// tenADay gives nothing back while a case runs.
var tenADay = limit.Rule{Name: "login", Burst: 10, Per: 24 * time.Hour}

func newKey() string { return uuid.NewString() }

func take(t *testing.T, l limit.Limiter, r limit.Rule, key string) limit.Decision {
	t.Helper()
	d, err := l.Take(t.Context(), r, key)
	if err != nil {
		t.Fatalf("Take: %v", err)
	}
	if d.Allowed != (d.RetryAfter == 0) || d.RetryAfter < 0 {
		t.Errorf("got %+v", d)
	}
	return d
}

func giveBack(t *testing.T, l limit.Limiter, r limit.Rule, key string) {
	t.Helper()
	if err := l.Return(t.Context(), r, key); err != nil {
		t.Fatalf("Return: %v", err)
	}
}

// takeAll spends key's allowance and says how much it was.
func takeAll(t *testing.T, ls []limit.Limiter, r limit.Rule, key string) int {
	t.Helper()
	for n := 0; ; n++ {
		if !take(t, ls[n%len(ls)], r, key).Allowed {
			return n
		}
		if n > 10*r.Burst {
			t.Fatalf("%v: %d allowed", r, n)
		}
	}
}

func limitBurst(t *testing.T, ls []limit.Limiter) {
	key := newKey()
	start := time.Now()
	if n := takeAll(t, ls, tenADay, key); n != 10 {
		t.Fatalf("%d allowed at once, want 10", n)
	}
	interval := 24 * time.Hour / 10
	for _, l := range ls {
		d := take(t, l, tenADay, key)
		if d.RetryAfter > interval || d.RetryAfter < interval-time.Since(start)-time.Millisecond {
			t.Errorf("retry after %v, want %v from the first", d.RetryAfter, interval)
		}
	}
}

// limitComesBack waits for as long as it is told to.
func limitComesBack(t *testing.T, ls []limit.Limiter) {
	r := limit.Rule{Name: "login", Burst: 5, Per: time.Second}
	key := newKey()
	takeAll(t, ls, r, key)
	d := take(t, ls[0], r, key)
	if d.RetryAfter > 200*time.Millisecond {
		t.Errorf("retry after %v, want at most a fifth of a second", d.RetryAfter)
	}
	time.Sleep(d.RetryAfter)
	if d := take(t, ls[len(ls)-1], r, key); !d.Allowed {
		t.Errorf("in time: got %+v", d)
	}
}

func limitRefused(t *testing.T, ls []limit.Limiter) {
	key := newKey()
	takeAll(t, ls, tenADay, key)
	first := take(t, ls[0], tenADay, key)
	for range 100 {
		if d := take(t, ls[0], tenADay, key); d.Allowed || d.RetryAfter > first.RetryAfter {
			t.Fatalf("got %+v after %+v", d, first)
		}
	}
}

func limitReturn(t *testing.T, ls []limit.Limiter) {
	key := newKey()
	for i := range 100 {
		if !take(t, ls[i%len(ls)], tenADay, key).Allowed {
			t.Fatal("a success was counted")
		}
		giveBack(t, ls[(i+1)%len(ls)], tenADay, key)
	}
	for range 5 {
		giveBack(t, ls[0], tenADay, key)
	}
	if n := takeAll(t, ls, tenADay, key); n != 10 {
		t.Errorf("%d allowed, want 10", n)
	}
	giveBack(t, ls[0], tenADay, key)
	if n := takeAll(t, ls, tenADay, key); n != 1 {
		t.Errorf("%d allowed after one was given back", n)
	}
}

func limitApart(t *testing.T, ls []limit.Limiter) {
	key := newKey()
	takeAll(t, ls, tenADay, key)
	other := tenADay
	other.Name = "client"
	for _, tc := range []struct {
		r   limit.Rule
		key string
	}{{tenADay, newKey()}, {other, key}} {
		if n := takeAll(t, ls, tc.r, tc.key); n != 10 {
			t.Errorf("%s: %d allowed, want 10", tc.r.Name, n)
		}
	}
}

func limitAlike(t *testing.T, ls []limit.Limiter) {
	unique := newKey()
	for name, key := range map[string]string{
		"a name and an address": "alice\x00192.0.2.7" + unique,
		"an e-mail address":     "alice@example.com" + unique,
		"letters of any script": "Ünï😀" + unique,
		"no letters":            "\xff\x00\r\n" + unique,
		"braces":                "}{" + unique,
		"very long":             strings.Repeat("x", 100_000) + unique,
	} {
		if n := takeAll(t, ls, tenADay, key); n != 10 {
			t.Errorf("%s: %d allowed, want 10", name, n)
		}
	}
	r := tenADay
	r.Name = unique
	if n := takeAll(t, ls, r, ""); n != 10 {
		t.Errorf("empty: %d allowed, want 10", n)
	}
}

func limitUneven(t *testing.T, ls []limit.Limiter) {
	for _, burst := range []int{1, 3, 7, 997} {
		if n := takeAll(t, ls, limit.Rule{Name: "login", Burst: burst, Per: 24*time.Hour - 1}, newKey()); n != burst {
			t.Errorf("%d allowed, want %d", n, burst)
		}
	}
}

func limitOff(t *testing.T, ls []limit.Limiter) {
	key := newKey()
	for _, r := range []limit.Rule{{}, {Name: "login"}, {Name: "login", Burst: 10}, {Name: "login", Per: time.Minute}} {
		for range 100 {
			if !take(t, ls[0], r, key).Allowed {
				t.Fatalf("%+v: refused", r)
			}
		}
		giveBack(t, ls[0], r, key)
	}
}

func limitParallel(t *testing.T, ls []limit.Limiter) {
	key := newKey()
	var allowed atomic.Int64
	inParallel(32, func(i int) error {
		for range 10 {
			d, err := ls[i%len(ls)].Take(t.Context(), tenADay, key)
			if err != nil {
				return err
			}
			if d.Allowed {
				allowed.Add(1)
			}
		}
		return nil
	}, t.Error)
	if allowed.Load() != 10 {
		t.Errorf("%d allowed, want 10", allowed.Load())
	}
}

func limitParallelReturn(t *testing.T, ls []limit.Limiter) {
	key := newKey()
	inParallel(10, func(i int) error { // no more than the burst, so that nobody is refused
		l := ls[i%len(ls)]
		for range 20 {
			d, err := l.Take(t.Context(), tenADay, key)
			if err != nil {
				return err
			}
			if !d.Allowed {
				return fmt.Errorf("refused: %+v", d)
			}
			if err := l.Return(t.Context(), tenADay, key); err != nil {
				return err
			}
		}
		return nil
	}, t.Error)
	if n := takeAll(t, ls, tenADay, key); n != 10 {
		t.Errorf("%d allowed, want 10", n)
	}
}

func inParallel(n int, call func(i int) error, fault func(...any)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := call(i); err != nil {
				fault(err)
			}
		})
	}
	wg.Wait()
}
