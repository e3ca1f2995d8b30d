package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokenwright/tokenwright/authserver"
)

// Keys holds a KeyStore to its contract.
func Keys(t *testing.T, open func(t *testing.T) Database) {
	key := func(algorithm string, generation int64) authserver.SealedKey {
		at := now()
		return authserver.SealedKey{
			KID: fmt.Sprint(algorithm, "-", generation), Algorithm: algorithm, Generation: generation,
			Sealed: []byte{0, 0xff, byte(generation)}, CreatedAt: at, ActiveAt: at.Add(time.Hour),
		}
	}
	t.Run("keys are listed by algorithm and generation", func(t *testing.T) {
		db := open(t)
		want := []authserver.SealedKey{key("ES256", 1), key("ES256", 2), key("RS256", 1)}
		want[0].RemoveAt = want[0].ActiveAt.Add(time.Hour)
		for _, i := range []int{2, 1, 0} {
			if err := db.AddKey(t.Context(), want[i], event("key.add")); err != nil {
				t.Fatal(err)
			}
		}
		got, err := db.Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same(t, want, got)
	})
	t.Run("of several servers one makes the next key", func(t *testing.T) {
		db := open(t)
		var (
			mu  sync.Mutex
			wg  sync.WaitGroup
			won int
		)
		for i := range 16 {
			wg.Go(func() {
				k := key("ES256", 1)
				k.KID = fmt.Sprint("kid-", i)
				err := db.AddKey(t.Context(), k, event("key.add"))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if !errors.Is(err, authserver.ErrConflict) {
					t.Errorf("got %v, want %v", err, authserver.ErrConflict)
				}
			})
		}
		wg.Wait()
		keys, err := db.Keys(t.Context())
		if err != nil || won != 1 || len(keys) != 1 {
			t.Errorf("%d won, %d keys, %v; want 1, 1", won, len(keys), err)
		}
		same(t, []string{"key.add"}, acts(t, db))
	})
	keyChanges(t, open)
}

// keyChanges are what a key goes through.
func keyChanges(t *testing.T, open func(t *testing.T) Database) {
	at := now()
	keys := []authserver.SealedKey{
		{KID: "one", Algorithm: "ES256", Generation: 1, Sealed: []byte{0, 1}, CreatedAt: at, ActiveAt: at.Add(-time.Hour)},
		{KID: "two", Algorithm: "ES256", Generation: 2, Sealed: []byte{0, 2}, CreatedAt: at, ActiveAt: at.Add(time.Hour)},
	}
	const access = time.Hour
	for _, tc := range []struct {
		name   string
		change func(db Database) error
		want   func(want []authserver.SealedKey)
		acts   []string
		ended  []string // kids
	}{
		{"a waiting key is activated, once", func(db Database) error {
			return errors.Join(db.ActivateKey(t.Context(), "two", event("key.activate")), db.ActivateKey(t.Context(), "two", event("key.activate")))
		}, func(want []authserver.SealedKey) { want[1].ActiveAt = at.Add(-time.Minute) }, []string{"key.activate"}, nil},
		{"one that signs is activated already", func(db Database) error {
			return db.ActivateKey(t.Context(), "one", event("key.activate"))
		}, func([]authserver.SealedKey) {}, nil, nil},
		{"a retired key is removed with its last token, and retired once", func(db Database) error {
			return errors.Join(db.RetireKey(t.Context(), "one", at, event("key.retire")), db.RetireKey(t.Context(), "one", at.Add(access), event("key.retire")))
		}, func(want []authserver.SealedKey) { want[0].RemoveAt = at.Add(access + time.Minute) }, []string{"key.retire"}, nil},
		{"a retired key is not activated", func(db Database) error {
			return errors.Join(db.RetireKey(t.Context(), "two", at, event("key.retire")), db.ActivateKey(t.Context(), "two", event("key.activate")))
		}, func(want []authserver.SealedKey) { want[1].RemoveAt = at.Add(access + time.Minute) }, []string{"key.retire"}, nil},
		{"RSV-033 a burnt key is destroyed and its tokens end, once", func(db Database) error {
			return errors.Join(db.BurnKey(t.Context(), "one", event("key.burn")), db.BurnKey(t.Context(), "one", event("key.burn")))
		}, func(want []authserver.SealedKey) { want[0].Sealed, want[0].RemoveAt = nil, at }, []string{"key.burn"}, []string{"one"}},
		{"a retired key can be burnt before it leaves", func(db Database) error {
			return errors.Join(db.RetireKey(t.Context(), "one", at, event("key.retire")), db.BurnKey(t.Context(), "one", event("key.burn")))
		}, func(want []authserver.SealedKey) { want[0].Sealed, want[0].RemoveAt = nil, at }, []string{"key.retire", "key.burn"}, []string{"one"}},
		{"what is sealed is replaced, but for burnt keys", func(db Database) error {
			resealed := []authserver.SealedKey{{KID: "one", Sealed: []byte{9, 1}}, {KID: "two", Sealed: []byte{9, 2}}}
			return errors.Join(db.BurnKey(t.Context(), "one", event("key.burn")), db.ResealKeys(t.Context(), resealed, "check", "new", event("key.reseal")))
		}, func(want []authserver.SealedKey) {
			want[0].Sealed, want[0].RemoveAt = nil, at
			want[1].Sealed = []byte{9, 2}
		}, []string{"key.burn", "key.reseal"}, []string{"one"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := open(t)
			if _, err := db.KeepMeta(t.Context(), "check", "old"); err != nil {
				t.Fatal(err)
			}
			if err := db.RaiseLifetimes(t.Context(), access, access); err != nil {
				t.Fatal(err)
			}
			want := slices.Clone(keys)
			for _, k := range keys {
				if err := db.AddKey(t.Context(), k, event("key.create")); err != nil {
					t.Fatal(err)
				}
			}
			if err := tc.change(db); err != nil {
				t.Fatal(err)
			}
			tc.want(want)
			got, err := db.Keys(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(10*time.Second)); diff != "" {
				t.Error(diff)
			}
			same(t, append([]string{"key.create", "key.create"}, tc.acts...), acts(t, db))
			var ended []string
			for _, e := range revocations(t, db, access) {
				if e.Kind != authserver.KindKey || e.Reason != authserver.ReasonKeyBurnt {
					t.Errorf("entry %v", e)
				}
				ended = append(ended, e.ID)
			}
			same(t, tc.ended, ended)
			check, err := db.Meta(t.Context(), "check")
			if err != nil || (check == "new") != slices.Contains(tc.acts, "key.reseal") {
				t.Errorf("check value %q, %v", check, err)
			}
		})
	}
	t.Run("what is not there is not found", func(t *testing.T) {
		db := open(t)
		for name, err := range map[string]error{
			"ActivateKey": db.ActivateKey(t.Context(), "none", event("key.activate")),
			"RetireKey":   db.RetireKey(t.Context(), "none", at, event("key.retire")),
			"BurnKey":     db.BurnKey(t.Context(), "none", event("key.burn")),
		} {
			if !errors.Is(err, authserver.ErrNotFound) {
				t.Errorf("%s: got %v, want %v", name, err, authserver.ErrNotFound)
			}
		}
		same(t, []string(nil), acts(t, db))
		same(t, []authserver.Revocation(nil), revocations(t, db, 0))
	})
}
