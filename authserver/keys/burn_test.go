package keys_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/keys"
)

// burn burns kid on a ring of its own, as a command does.
func burn(ctx context.Context, t *testing.T, s server, kid string) error {
	t.Helper()
	return ring(t, s.db, master(t, secretOne), "ES256").Burn(ctx, kid, "cli", func(context.Context) {})
}

// ended lists the kids of the feed's entries.
func ended(t *testing.T, s server) (ids []string) {
	t.Helper()
	live, _, err := s.db.Revocations(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range live {
		if r.Kind == authserver.KindKey {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// TestBurn looks at two servers every 10 ms while the key that signs is burnt.
func TestBurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := servers(t, 2, "ES256")
		defer run(t, 0, all)()
		time.Sleep(time.Minute)
		old := kidOf(t, sign(t, all[0].ring, claims()))

		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() {
			time.Sleep(55 * time.Millisecond)
			if err := burn(t.Context(), t, all[0], old); err != nil {
				t.Error(err)
			}
		})
		begun := time.Now()
		var next string
		for time.Since(begun) < 5*time.Second {
			time.Sleep(10 * time.Millisecond)
			gone := slices.Contains(ended(t, all[0]), old)
			for _, s := range all {
				kid := kidOf(t, sign(t, s.ring, claims()))
				if gone && kid == old {
					t.Fatalf("RSV-033 a token is signed with the burnt key %v after the burn began", time.Since(begun))
				}
				if kid != old {
					next = kid
				}
				for _, other := range all {
					if !slices.Contains(kids(t, other.ring.JWKS()), kid) && kid != old {
						t.Fatal("MET-014 a token is signed with a key that the other server does not publish")
					}
				}
			}
		}
		for _, s := range all {
			if got := kids(t, s.ring.JWKS()); len(got) != 1 || got[0] != next || next == "" {
				t.Errorf("published are %v after the burn, want %v", got, next)
			}
		}
		if got := ended(t, all[0]); !slices.Equal(got, []string{old}) {
			t.Errorf("the feed ends the keys %v, want %v", got, old)
		}
	})
}

// TestABurntKeyLeavesEverySet measures from the commit of the burn.
func TestABurntKeyLeavesEverySet(t *testing.T) {
	for _, tc := range []struct {
		name  string
		wake  bool
		bound time.Duration
	}{
		{"RSV-033 by itself", false, keys.Interval},
		{"RSV-033 at once when woken", true, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := servers(t, 1, "ES256")
				defer run(t, 0, all)()
				time.Sleep(time.Minute + keys.Interval/2)
				kid := kids(t, all[0].ring.JWKS())[0]
				if err := all[0].db.BurnKey(t.Context(), kid, authserver.Event{Act: "key.burn"}); err != nil {
					t.Fatal(err)
				}
				if tc.wake {
					all[0].ring.Wake()
				} else {
					time.Sleep(tc.bound)
				}
				synctest.Wait()
				if slices.Contains(kids(t, all[0].ring.JWKS()), kid) {
					t.Errorf("it is published %v after the burn", tc.bound)
				}
				if got := kidOf(t, sign(t, all[0].ring, claims())); got == kid {
					t.Errorf("it signs %v after the burn", tc.bound)
				}
			})
		})
	}
}

func TestWhatIsBurnt(t *testing.T) {
	for _, tc := range []struct {
		name string
		// burn burns one or more of the keys, of which the first has signed and the
		// second signs; the third waits.
		burn func(t *testing.T, s server, kids []string) error
		want []keys.State
		err  error
	}{
		{"the one that signs: the one that waits follows, and none is made", func(t *testing.T, s server, kids []string) error {
			return burn(t.Context(), t, s, kids[1])
		}, []keys.State{keys.Retiring, keys.Burnt, keys.Signing}, nil},
		{"one that has signed", func(t *testing.T, s server, kids []string) error {
			return burn(t.Context(), t, s, kids[0])
		}, []keys.State{keys.Burnt, keys.Signing, keys.Waiting}, nil},
		{"one that waits", func(t *testing.T, s server, kids []string) error {
			return burn(t.Context(), t, s, kids[2])
		}, []keys.State{keys.Retiring, keys.Signing, keys.Burnt}, nil},
		{"all, one after the other", func(t *testing.T, s server, kids []string) error {
			return errors.Join(burn(t.Context(), t, s, kids[0]), burn(t.Context(), t, s, kids[2]), burn(t.Context(), t, s, kids[1]))
		}, []keys.State{keys.Burnt, keys.Burnt, keys.Burnt, keys.Signing}, nil},
		{"one that is burnt is no error", func(t *testing.T, s server, kids []string) error {
			return errors.Join(burn(t.Context(), t, s, kids[0]), burn(t.Context(), t, s, kids[0]))
		}, []keys.State{keys.Burnt, keys.Signing, keys.Waiting}, nil},
		{"one that is not there", func(t *testing.T, s server, kids []string) error {
			return burn(t.Context(), t, s, "none")
		}, []keys.State{keys.Retiring, keys.Signing, keys.Waiting}, authserver.ErrNotFound},
		{"none, if it is interrupted", func(t *testing.T, s server, kids []string) error {
			ctx, cancel := context.WithTimeout(t.Context(), keys.Interval)
			defer cancel()
			return burn(ctx, t, s, kids[1])
		}, []keys.State{keys.Retiring, keys.Signing, keys.Waiting}, context.DeadlineExceeded},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := servers(t, 1, "ES256")
				rotate := func() {
					if _, _, err := all[0].ring.Rotate(t.Context(), "cli"); err != nil {
						t.Fatal(err)
					}
				}
				rotate()
				time.Sleep(keys.Lead + 2*time.Minute)
				defer run(t, 0, all)()
				time.Sleep(keys.Interval + time.Millisecond) // after what the ring does on that beat
				rotate()
				var kids []string
				for _, k := range list(t, all[0], "ES256") {
					kids = append(kids, k.KID)
				}
				if err := tc.burn(t, all[0], kids); !errors.Is(err, tc.err) {
					t.Errorf("got %v, want %v", err, tc.err)
				}
				if got := states(t, all[0], "ES256"); !slices.Equal(got, tc.want) {
					t.Errorf("the keys are %v, want %v", got, tc.want)
				}
				for _, k := range list(t, all[0], "ES256") {
					if k.Burnt() != (k.State == keys.Burnt) {
						t.Errorf("what is sealed of a burnt key is still there")
					}
				}
			})
		})
	}
}
