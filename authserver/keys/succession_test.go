package keys_test

import (
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/resource"
)

// begun is a ring of a server that has started.
func begun(t *testing.T, s keys.Store, secret string, previous ...string) *keys.Ring {
	t.Helper()
	r := ring(t, s, master(t, secret, previous...), "HS256")
	if err := r.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// issued is claims of a token that is issued at a time.
func issued(at time.Time) resource.Claims {
	c := claims()
	c.IssuedAt, c.ExpiresAt = at.Unix(), at.Add(30*time.Minute).Unix()
	return c
}

// What was signed with a previous SECRET_KEY is good if it was issued before the
// change, and until the last of it has expired: a secret that leaked makes no
// tokens for as long as it is set.
func TestHS256Succession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store(t)
		if err := s.RaiseLifetimes(t.Context(), 30*time.Minute, time.Hour); err != nil {
			t.Fatal(err)
		}
		old := begun(t, s, secretOne)
		time.Sleep(24 * time.Hour)
		now := time.Now()
		before, later := sign(t, old, issued(now)), sign(t, old, issued(now.Add(2*time.Minute)))
		far := issued(now)
		far.ExpiresAt += 86400
		forged := sign(t, old, far)

		next := begun(t, s, secretTwo, secretOne)
		want := func(r *keys.Ring, name, token string, good bool) {
			t.Helper()
			if err := r.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := verify(t, r, token); (err == nil) != good {
				t.Errorf("%s after %v: %v, want good: %v", name, time.Since(now), err, good)
			}
		}
		want(next, "a token from before", before, true)
		time.Sleep(3 * time.Minute)
		want(next, "a token from before", before, true)
		want(next, "a token from later on", later, false)
		time.Sleep(26 * time.Minute)
		want(next, "a token from before", before, true)
		time.Sleep(4 * time.Minute)
		want(next, "a token that lives too long", forged, false)
		if again := begun(t, s, secretTwo, secretOne); true {
			want(again, "after a start: a token that lives too long", forged, false)
		}
		want(next, "a token of the next secret", sign(t, next, issued(time.Now())), true)
	})
}

// A change that reaches the servers one after the other loses no token, whichever
// server issued it and whichever is asked.
func TestHS256SuccessionOnTwoServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		one, other := storeAt(t, path), storeAt(t, path)
		for _, s := range []keys.Store{one, other} {
			begun(t, s, secretOne)
		}
		time.Sleep(time.Hour)
		waits := begun(t, other, secretOne, secretTwo)
		changed := begun(t, one, secretTwo, secretOne)
		for range 10 * 60 {
			for _, from := range []*keys.Ring{waits, changed} {
				token := sign(t, from, issued(time.Now()))
				for _, at := range []*keys.Ring{waits, changed} {
					if _, err := verify(t, at, token); err != nil {
						t.Fatalf("after %v: %v", time.Now(), err)
					}
				}
			}
			time.Sleep(time.Second)
			for _, r := range []*keys.Ring{waits, changed} {
				if err := r.Reload(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		var header struct{ KID string }
		segment(t, sign(t, waits, issued(time.Now())), 0, &header)
		if k, err := changed.Key(t.Context(), header.KID); err != nil || string(k.Public.([]byte)) != secretTwo {
			t.Errorf("the server that has not changed yet signs with another secret: %v", err)
		}
		if _, err := ring(t, one, master(t, secretOne), "HS256").Key(t.Context(), header.KID); !errors.Is(err, resource.ErrUnknownKey) {
			t.Errorf("a server that does not know the next secret: %v", err)
		}
	})
}
