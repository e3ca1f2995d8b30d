package limit

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var tenAMinute = Rule{Name: "login", Burst: 10, Per: time.Minute}

func take(t testing.TB, m *Memory, r Rule, key string) Decision {
	t.Helper()
	d, err := m.Take(t.Context(), r, key)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// takeAll spends key's allowance and says how much it was.
func takeAll(t testing.TB, m *Memory, r Rule, key string) int {
	t.Helper()
	n := 0
	for take(t, m, r, key).Allowed {
		n++
	}
	return n
}

func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestMemory(t *testing.T) {
	bubble(t, "PWD-009 the eleventh in a minute is too many, and RetryAfter is when it would not be", func(t *testing.T) {
		m := NewMemory(100)
		if n := takeAll(t, m, tenAMinute, "alice"); n != 10 {
			t.Fatalf("%d allowed at once", n)
		}
		d := take(t, m, tenAMinute, "alice")
		if d.RetryAfter != 6*time.Second {
			t.Errorf("retry after %v", d.RetryAfter)
		}
		time.Sleep(d.RetryAfter - 1)
		if d := take(t, m, tenAMinute, "alice"); d.Allowed || d.RetryAfter != 1 {
			t.Errorf("a nanosecond early: %+v", d)
		}
		time.Sleep(time.Nanosecond)
		if d := take(t, m, tenAMinute, "alice"); !d.Allowed || d.RetryAfter != 0 {
			t.Errorf("in time: %+v", d)
		}
		if take(t, m, tenAMinute, "alice").Allowed {
			t.Error("two came back for one interval")
		}
	})
	bubble(t, "being refused costs nothing", func(t *testing.T) {
		m := NewMemory(100)
		takeAll(t, m, tenAMinute, "alice")
		for range 1000 {
			take(t, m, tenAMinute, "alice")
		}
		time.Sleep(time.Minute)
		if n := takeAll(t, m, tenAMinute, "alice"); n != 10 {
			t.Errorf("%d allowed after a minute", n)
		}
	})
	bubble(t, "the allowance does not grow beyond the burst", func(t *testing.T) {
		m := NewMemory(100)
		take(t, m, tenAMinute, "alice")
		time.Sleep(24 * time.Hour)
		if n := takeAll(t, m, tenAMinute, "alice"); n != 10 {
			t.Errorf("%d allowed after a day", n)
		}
	})
	bubble(t, "what is given back can be taken again, and no more than was taken", func(t *testing.T) {
		m := NewMemory(100)
		for range 1000 {
			if !take(t, m, tenAMinute, "alice").Allowed {
				t.Fatal("a success was counted")
			}
			m.Return(t.Context(), tenAMinute, "alice")
		}
		for range 5 {
			m.Return(t.Context(), tenAMinute, "alice")
		}
		if n := takeAll(t, m, tenAMinute, "alice"); n != 10 {
			t.Errorf("%d allowed", n)
		}
	})
	bubble(t, "PWD-012 keys and rules do not touch one another", func(t *testing.T) {
		m := NewMemory(100)
		takeAll(t, m, tenAMinute, "alice")
		other := tenAMinute
		other.Name = "client"
		for _, tc := range []struct {
			r   Rule
			key string
		}{{tenAMinute, "bob"}, {tenAMinute, ""}, {other, "alice"}} {
			if n := takeAll(t, m, tc.r, tc.key); n != 10 {
				t.Errorf("%s %q: %d allowed", tc.r.Name, tc.key, n)
			}
		}
	})
	bubble(t, "a rate that does not divide evenly allows its burst and no more", func(t *testing.T) {
		for _, burst := range []int{1, 3, 7, 9_973} {
			m := NewMemory(100)
			if n := takeAll(t, m, Rule{"r", burst, time.Second}, "k"); n != burst {
				t.Errorf("burst %d: %d allowed", burst, n)
			}
		}
	})
	bubble(t, "a rule that is off counts nothing", func(t *testing.T) {
		m := NewMemory(100)
		for range 1000 {
			if !take(t, m, Rule{Name: "login"}, "alice").Allowed {
				t.Fatal("refused")
			}
		}
		if len(m.entries) != 0 {
			t.Errorf("%d keys are kept", len(m.entries))
		}
	})
	t.Run("parallel callers get the burst together", func(t *testing.T) {
		m := NewMemory(100)
		r := Rule{Name: "login", Burst: 10, Per: time.Hour}
		var allowed atomic.Int64
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				for range 10 {
					if take(t, m, r, "alice").Allowed {
						allowed.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if allowed.Load() != 10 {
			t.Errorf("%d allowed", allowed.Load())
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	bubble(t, "a flood of new keys pushes out the flood, not an allowance that is spent", func(t *testing.T) {
		m := NewMemory(100)
		takeAll(t, m, tenAMinute, "attacked")
		for i := range 10_000 { // without asking about "attacked" in between
			take(t, m, tenAMinute, fmt.Sprint(i))
		}
		if take(t, m, tenAMinute, "attacked").Allowed {
			t.Error("a spent allowance was forgotten for keys that were asked about once")
		}
		if len(m.entries) != 100 || len(m.order) != 100 {
			t.Errorf("%d keys in a queue of %d", len(m.entries), len(m.order))
		}
	})
	bubble(t, "a faster rule's keys push out none of a slower rule's", func(t *testing.T) {
		m := NewMemory(100)
		take(t, m, tenAMinute, "attacked") // whole in 6 s
		client := Rule{Name: "client", Burst: 20, Per: time.Minute}
		for i := range 10_000 { // each whole in 3 s
			take(t, m, client, fmt.Sprint(i))
		}
		if n := takeAll(t, m, tenAMinute, "attacked"); n != 9 {
			t.Errorf("%d left, want 9", n)
		}
	})
	bubble(t, "to push out a spent allowance, as many others have to be spent", func(t *testing.T) {
		m := NewMemory(100)
		takeAll(t, m, tenAMinute, "attacked")
		for i := range 99 {
			time.Sleep(time.Millisecond) // they are whole again after it
			takeAll(t, m, tenAMinute, fmt.Sprint(i))
			if take(t, m, tenAMinute, "attacked").Allowed {
				t.Fatalf("%d other keys pushed it out", i+1)
			}
		}
	})
	bubble(t, "a whole allowance goes before a spent one", func(t *testing.T) {
		m := NewMemory(3)
		slow := Rule{Name: "registration", Burst: 1, Per: time.Hour}
		take(t, m, slow, "spent")
		take(t, m, tenAMinute, "whole again soon")
		take(t, m, slow, "spent too")
		time.Sleep(6 * time.Second)
		take(t, m, slow, "new")
		if take(t, m, slow, "spent").Allowed || take(t, m, slow, "spent too").Allowed {
			t.Error("a spent allowance was forgotten")
		}
	})
	bubble(t, "what is whole again is forgotten by and by", func(t *testing.T) {
		m := NewMemory(10_000)
		for i := range 1000 {
			take(t, m, tenAMinute, fmt.Sprint(i))
		}
		time.Sleep(time.Minute)
		for range 1000 {
			take(t, m, tenAMinute, "alice")
		}
		if len(m.entries) != 1 {
			t.Errorf("%d keys are kept", len(m.entries))
		}
	})
	t.Run("PWD-012 a million addresses take no more memory than the bound", func(t *testing.T) {
		const addresses, keys = 1_000_000, 10_000
		m := NewMemory(keys)
		long := strings.Repeat("x", 100)
		slow := Rule{"login", 10, time.Hour} // so that time brings nothing back meanwhile
		takeAll(t, m, slow, "attacked")
		var was, is runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&was)
		for i := range addresses {
			take(t, m, tenAMinute, fmt.Sprint(long, i))
		}
		runtime.GC()
		runtime.ReadMemStats(&is)
		each := int64(is.HeapAlloc-was.HeapAlloc) / keys
		t.Logf("%d bytes for each of %d keys", each, keys)
		if len(m.entries) > keys || each > 300 {
			t.Errorf("%d keys, %d bytes each", len(m.entries), each)
		}
		if take(t, m, slow, "attacked").Allowed {
			t.Error("a spent allowance was forgotten")
		}
	})
}

func BenchmarkTake(b *testing.B) {
	m := NewMemory(100_000)
	r := Rule{Name: "login", Burst: 1_000_000, Per: time.Second}
	b.ReportAllocs()
	for b.Loop() {
		m.Take(b.Context(), r, "alice\x00192.0.2.7")
		m.Return(b.Context(), r, "alice\x00192.0.2.7")
	}
}
