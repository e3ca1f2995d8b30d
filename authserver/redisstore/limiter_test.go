package redisstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/storetest"
)

var limiterKey = []byte("0123456789abcdef0123456789abcdef")

// limiters are what two servers have of the Redis at rawURL.
func limiters(t *testing.T, rawURL string) []limit.Limiter {
	return []limit.Limiter{open(t, rawURL).Limiter(limiterKey), open(t, rawURL).Limiter(limiterKey)}
}

func TestLimiters(t *testing.T) {
	t.Run("miniredis", func(t *testing.T) {
		url := "redis://" + miniredis.RunT(t).Addr()
		storetest.Limiters(t, func(t *testing.T) []limit.Limiter { return limiters(t, url) })
	})
	t.Run("redis", func(t *testing.T) {
		url := redistest.Start(t)
		storetest.Limiters(t, func(t *testing.T) []limit.Limiter { return limiters(t, url) })
	})
}

func TestLimiterKeys(t *testing.T) {
	rawURL := redistest.Start(t)
	l, c := open(t, rawURL).Limiter(limiterKey), inspect(t, rawURL)
	r := limit.Rule{Name: "login", Burst: 10, Per: time.Minute}
	const name = "alice@example.com\x00192.0.2.7"
	take := func(t *testing.T, l limit.Limiter) {
		t.Helper()
		if _, err := l.Take(t.Context(), r, name); err != nil {
			t.Fatal(err)
		}
	}
	key := func(t *testing.T) string {
		t.Helper()
		keys := c.Keys(t.Context(), "*").Val()
		if len(keys) != 1 {
			t.Fatalf("got keys %q", keys)
		}
		return keys[0]
	}
	t.Run("no name and no address is in Redis", func(t *testing.T) {
		take(t, l)
		got := key(t)
		if !strings.HasPrefix(got, "tw:limit:{") || strings.Contains(got, "alice") || strings.Contains(got, "192.0") || len(got) > 40 {
			t.Errorf("got key %q", got)
		}
		take(t, open(t, rawURL).Limiter([]byte("another key")))
		if n := c.DBSize(t.Context()).Val(); n != 2 {
			t.Error("the name of the key can be computed without the limiter's key")
		}
		c.FlushAll(t.Context())
	})
	t.Run("a key leaves when its allowance is whole", func(t *testing.T) {
		for n := range 10 {
			take(t, l)
			want := time.Duration(n+1) * 6 * time.Second
			if ttl := c.PTTL(t.Context(), key(t)).Val(); ttl > want+time.Millisecond || ttl < want-3*time.Second {
				t.Errorf("%d taken: expires after %v, want %v", n+1, ttl, want)
			}
		}
		for range 10 {
			if err := l.Return(t.Context(), r, name); err != nil {
				t.Fatal(err)
			}
		}
		if n := c.DBSize(t.Context()).Val(); n != 0 {
			t.Errorf("%d keys are left", n)
		}
	})
	t.Run("a clock that was set back locks nobody out for longer than the rule says", func(t *testing.T) {
		take(t, l)
		ahead := time.Now().Add(time.Hour).UnixMicro()
		c.Set(t.Context(), key(t), fmt.Sprint(ahead), 2*time.Hour)
		d, err := l.Take(t.Context(), r, name)
		if err != nil || d.Allowed || d.RetryAfter != 6*time.Second {
			t.Errorf("got %+v, %v", d, err)
		}
	})
}

func TestLimiterWithoutRedis(t *testing.T) {
	srv := redistest.New(t, "")
	l := open(t, srv.URL).Limiter(limiterKey)
	r := limit.Rule{Name: "login", Burst: 10, Per: time.Minute}
	take := func(t *testing.T, within time.Duration) {
		t.Helper()
		start := time.Now()
		d, err := l.Take(t.Context(), r, "alice")
		if took := time.Since(start); d.Allowed || !errors.Is(err, authserver.ErrUnavailable) || took > within {
			t.Errorf("got %+v, %v after %v", d, err, took)
		}
	}
	srv.Hang()
	t.Run("REF-025 it says soon that it cannot tell, and then at once", func(t *testing.T) {
		take(t, 700*time.Millisecond)
		for range 100 {
			take(t, 10*time.Millisecond)
		}
		if err := l.Return(t.Context(), r, "alice"); !errors.Is(err, authserver.ErrUnavailable) {
			t.Errorf("Return: got %v", err)
		}
	})
	srv.Resume()
	t.Run("it asks again after a second", func(t *testing.T) {
		time.Sleep(time.Second) // what Limiter promises
		if d, err := l.Take(t.Context(), r, "bob"); err != nil || !d.Allowed {
			t.Errorf("got %+v, %v", d, err)
		}
	})
}

func BenchmarkTake(b *testing.B) {
	l := open(b, redistest.Start(b)).Limiter(limiterKey)
	r := limit.Rule{Name: "login", Burst: 1_000_000, Per: time.Second}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Take(b.Context(), r, "alice\x00192.0.2.7"); err != nil {
			b.Fatal(err)
		}
		if err := l.Return(b.Context(), r, "alice\x00192.0.2.7"); err != nil {
			b.Fatal(err)
		}
	}
}
