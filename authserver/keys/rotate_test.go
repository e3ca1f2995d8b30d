package keys_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/resource"
)

const access = 30 * time.Minute

// server is one of several on a database.
type server struct {
	db   *sqlstore.DB
	ring *keys.Ring
}

// servers opens n on one new database, each with its own connections, and ends
// them with the test.
func servers(t *testing.T, n int, algorithm string) []server {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	m := master(t, secretOne)
	all := make([]server, n)
	for i := range all {
		s := storeAt(t, path)
		if err := s.RaiseLifetimes(t.Context(), access, access); err != nil {
			t.Fatal(err)
		}
		all[i] = server{s, ring(t, s, m, algorithm)}
	}
	return all
}

// run keeps the rings of all up to date until the returned function is called.
func run(t *testing.T, period time.Duration, all []server) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for i, s := range all {
		wg.Go(func() {
			time.Sleep(time.Duration(i) * keys.Interval / 3) // servers do not read in step
			s.ring.Run(ctx, period, slog.New(slog.DiscardHandler))
		})
	}
	return func() { cancel(); wg.Wait() }
}

func kidOf(t *testing.T, token string) string {
	t.Helper()
	var header struct{ KID string }
	segment(t, token, 0, &header)
	return header.KID
}

func list(t *testing.T, s server, algorithm string) []keys.Listed {
	t.Helper()
	all, err := keys.List(t.Context(), s.db, algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func states(t *testing.T, s server, algorithm string) (out []keys.State) {
	t.Helper()
	for _, k := range list(t, s, algorithm) {
		out = append(out, k.State)
	}
	return out
}

// TestRotation looks at two servers on one database, once a minute while they rotate twice.
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const period = keys.Lead + 10*time.Minute
		all := servers(t, 2, "ES256")
		defer run(t, period, all)()

		type signed struct {
			token   string
			expires time.Time
		}
		var (
			alive   []signed
			kept    [][]string // what who keeps the set for MaxAge has, the oldest first
			signers []string
		)
		// Between the beats of both: what the first has made on its own, the
		// second has read on the next.
		time.Sleep(keys.Interval / 2)
		for range 160 {
			time.Sleep(time.Minute)
			now := time.Now()
			sets := [][]string{kids(t, all[0].ring.JWKS()), kids(t, all[1].ring.JWKS())}
			if !slices.Equal(sets[0], sets[1]) {
				t.Fatalf("MET-014 the servers publish %v and %v", sets[0], sets[1])
			}
			if kept = append(kept, sets[0]); len(kept) > int(keys.MaxAge/time.Minute)+1 {
				kept = kept[1:]
			}
			for _, s := range all {
				token := sign(t, s.ring, claims())
				kid := kidOf(t, token)
				if !slices.Contains(kept[0], kid) {
					t.Fatalf("MET-012 a token is signed with %s, which who keeps the set for %v has not", kid, keys.MaxAge)
				}
				if !slices.Contains(signers, kid) {
					signers = append(signers, kid)
				}
				alive = append(alive, signed{token, now.Add(access)})
			}
			alive = slices.DeleteFunc(alive, func(s signed) bool { return now.After(s.expires) })
			for _, s := range alive[:min(2, len(alive))] { // the oldest are the first that a removal would hit
				for _, other := range all {
					if _, err := verify(t, other.ring, s.token); err != nil {
						t.Fatalf("RSV-032 a token that lives until %v is refused: %v", s.expires, err)
					}
				}
			}
			if len(sets[0]) > 3 {
				t.Fatalf("%d keys are published", len(sets[0]))
			}
		}
		if len(signers) != 3 {
			t.Errorf("%d keys have signed, want one each %v", len(signers), period)
		}
		want := []keys.State{keys.Removed, keys.Retiring, keys.Signing, keys.Waiting}
		if got := states(t, all[0], "ES256"); !slices.Equal(got, want) {
			t.Errorf("the keys are %v, want %v", got, want)
		}
	})
}

func TestKeysOfAServiceThatRests(t *testing.T) {
	for _, tc := range []struct {
		name   string
		period time.Duration
		rest   time.Duration
		want   []keys.State
	}{
		{"a key is not followed before its time", 24 * time.Hour, 22 * time.Hour, []keys.State{keys.Signing}},
		{"the next is made a lead before", 24 * time.Hour, 23 * time.Hour, []keys.State{keys.Signing, keys.Waiting}},
		{"after a long rest the next still waits for its lead", 24 * time.Hour, 1000 * time.Hour, []keys.State{keys.Signing, keys.Waiting}},
		{"0 is never", 0, 10000 * time.Hour, []keys.State{keys.Signing}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := servers(t, 1, "EdDSA")
				time.Sleep(tc.rest)
				defer run(t, tc.period, all)()
				time.Sleep(10 * time.Second)
				if got := states(t, all[0], "EdDSA"); !slices.Equal(got, tc.want) {
					t.Errorf("the keys are %v, want %v", got, tc.want)
				}
			})
		})
	}
}

func TestRotateByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := servers(t, 2, "ES256")
		first := kidOf(t, sign(t, all[0].ring, claims()))
		next, made, err := all[0].ring.Rotate(t.Context(), "cli")
		if err != nil || !made {
			t.Fatalf("made %v, %v", made, err)
		}
		again, made, err := all[1].ring.Rotate(t.Context(), "cli")
		if err != nil || made || again.KID != next.KID {
			t.Errorf("another key was made: %v, %v", made, err)
		}
		time.Sleep(keys.Lead - 10*time.Second)
		defer run(t, 0, all)()
		time.Sleep(9 * time.Second)
		if got := kidOf(t, sign(t, all[1].ring, claims())); got != first {
			t.Error("it signs before its lead is over")
		}
		time.Sleep(2 * time.Second)
		for _, s := range all {
			if got := kidOf(t, sign(t, s.ring, claims())); got != next.KID {
				t.Error("it does not sign after its lead")
			}
		}
		time.Sleep(2 * time.Minute)
		if got := states(t, all[0], "ES256"); !slices.Equal(got, []keys.State{keys.Retiring, keys.Signing}) {
			t.Errorf("the keys are %v", got)
		}
	})
	t.Run("HS256 has no key to rotate", func(t *testing.T) {
		t.Parallel()
		_, _, err := ring(t, store(t), master(t, secretOne), "HS256").Rotate(t.Context(), "cli")
		if !errors.Is(err, keys.ErrSecretIsKey) {
			t.Errorf("got %v, want %v", err, keys.ErrSecretIsKey)
		}
	})
}

func TestALongerLifeOfTokensIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := servers(t, 1, "ES256")
		if _, _, err := all[0].ring.Rotate(t.Context(), "cli"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(keys.Lead - time.Minute)
		// A server that gives its tokens a day starts after the rotation began.
		if err := all[0].db.RaiseLifetimes(t.Context(), 24*time.Hour, 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		token := sign(t, all[0].ring, claims())
		defer run(t, 0, all)()
		time.Sleep(5 * time.Minute)
		old := list(t, all[0], "ES256")[0]
		if old.KID != kidOf(t, token) || time.Until(old.RemoveAt) < 24*time.Hour-5*time.Minute {
			t.Errorf("the key of a token that lives a day is removed at %v", old.RemoveAt)
		}
	})
}

// MET-014: whoever does not know ALGORITHM to have changed has the key before it
// is used.
func TestAnotherAlgorithmWaitsForItsLead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := servers(t, 1, "ES256")
		stored := ring(t, all[0].db, master(t, secretOne), "EdDSA")
		changed := append(all, server{all[0].db, stored})
		time.Sleep(keys.Lead - 10*time.Second)
		defer run(t, 0, changed)()
		time.Sleep(9 * time.Second)
		if got := stored.Algorithm(); got != "ES256" || len(kids(t, all[0].ring.JWKS())) != 2 {
			t.Errorf("it signs with %s, and the other publishes %s", got, all[0].ring.JWKS())
		}
		time.Sleep(2 * time.Second)
		if got, other := stored.Algorithm(), all[0].ring.Algorithm(); got != "EdDSA" || other != "ES256" {
			t.Errorf("it signs with %s, the other with %s", got, other)
		}
	})
}

func TestAKeyThatCannotBeOpenedStopsNoOther(t *testing.T) {
	t.Parallel()
	s := store(t)
	r := ring(t, s, master(t, secretOne), "ES256")
	// Another server makes the next under a secret that this one has not.
	ahead, err := keys.Open(t.Context(), s, master(t, secretTwo, secretOne), "ES256")
	if err != nil {
		t.Fatal(err)
	}
	next, _, err := ahead.Rotate(t.Context(), "cli")
	if err != nil {
		t.Fatal(err)
	}
	token := sign(t, r, claims())
	if err := r.Reload(t.Context()); !errors.Is(err, keys.ErrWrongSecretKey) {
		t.Errorf("got %v, want %v", err, keys.ErrWrongSecretKey)
	}
	if _, err := r.Key(t.Context(), next.KID); !errors.Is(err, resource.ErrUnknownKey) {
		t.Errorf("got %v, want %v", err, resource.ErrUnknownKey)
	}
	if _, err := verify(t, r, token); err != nil {
		t.Error(err)
	}
	sign(t, r, claims())
}

func TestAStoreThatIsAwayChangesNothing(t *testing.T) {
	t.Parallel()
	s := store(t)
	r := ring(t, s, master(t, secretOne), "ES256")
	before := string(r.JWKS())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(t.Context()); !errors.Is(err, authserver.ErrUnavailable) {
		t.Errorf("got %v, want %v", err, authserver.ErrUnavailable)
	}
	if string(r.JWKS()) != before {
		t.Error("the published set has changed")
	}
	sign(t, r, claims())
}
