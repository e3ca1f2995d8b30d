package password_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/tokenwright/tokenwright/authserver/password"
)

// made is how a hash was: all of it that says what it costs.
func made(hash string) string {
	if strings.HasPrefix(hash, "$2") {
		return hash[3:6] // bcrypt's variants take the same time
	}
	return strings.Join(strings.Split(hash, "$")[:4], "$")
}

func TestDummiesAreLikeTheUsersHashes(t *testing.T) {
	h := newHasher(t, password.Config{DummyKey: []byte("a test's key")})
	argon := hash(t, h, "correct horse")
	other := hash(t, newHasher(t, password.Config{Argon2: password.Argon2Params{Memory: 128, Time: 2, Threads: 1}}), "correct horse")
	bc, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	b := "$2b" + string(bc[3:])
	y := "$2y" + string(bc[3:])
	// imitate has dummies like so many of each.
	imitate := func(h *password.Hasher, users map[string]int) {
		var f password.Formats
		for hash, n := range users {
			for range n {
				f.Add(hash)
			}
		}
		h.Imitate(f)
	}
	const names = 20_000
	dummies := func(h *password.Hasher) (each []string) {
		for i := range names {
			each = append(each, made(h.Dummy(fmt.Sprint("name", i))))
		}
		return each
	}
	for _, tc := range []struct {
		name  string
		users map[string]int
		want  map[string]float64 // shares
	}{
		{"nobody is there", nil, map[string]float64{argon: 1}},
		{"all have the hash that is made now", map[string]int{argon: 5}, map[string]float64{argon: 1}},
		{"all have another", map[string]int{b: 5}, map[string]float64{b: 1}},
		{"after an import", map[string]int{argon: 10, b: 80, y: 10}, map[string]float64{argon: 0.1, b: 0.9}},
		{"three kinds, one of them rare", map[string]int{argon: 690, b: 300, other: 10}, map[string]float64{argon: 0.69, b: 0.3, other: 0.01}},
		{"what cannot be verified takes the time of what is made now", map[string]int{argon: 10, "md5$nonsense": 40, "": 20, b: 30}, map[string]float64{argon: 0.7, b: 0.3}},
	} {
		t.Run("PWD-023 "+tc.name, func(t *testing.T) {
			imitate(h, tc.users)
			got := map[string]int{}
			for _, m := range dummies(h) {
				got[m]++
			}
			total := 0
			for hash, share := range tc.want {
				n := got[made(hash)]
				total += n
				// Four standard deviations: with one key the counts are always the same.
				if off := math.Abs(float64(n) - share*names); off > 4*math.Sqrt(names*share*(1-share)) {
					t.Errorf("%d of %d are like %.20s, want %.0f %%", n, names, hash, 100*share)
				}
			}
			if total != names {
				t.Errorf("%d of %d are like no user's: %v", names-total, names, got)
			}
		})
	}
	t.Run("PWD-023 a name keeps its dummy, and gets another only as hashes that are replaced do", func(t *testing.T) {
		imitate(h, map[string]int{argon: 300, other: 300, b: 400})
		before := dummies(h)
		for i, m := range dummies(h) {
			if m != before[i] {
				t.Fatal("asked again, it is another")
			}
		}
		imitate(h, map[string]int{argon: 500, other: 300, b: 200}) // after 200 logins
		moved := 0
		for i, m := range dummies(h) {
			if m == before[i] {
				continue
			}
			moved++
			if before[i] == made(argon) || m == made(b) {
				t.Fatalf("from %s to %s", before[i], m)
			}
		}
		if moved == 0 || moved > names/2 {
			t.Errorf("%d of %d have another", moved, names)
		}
	})
	t.Run("PWD-023 who does not know the key cannot say which", func(t *testing.T) {
		users := map[string]int{argon: 50, b: 50}
		with := func(key string) []string {
			h := newHasher(t, password.Config{DummyKey: []byte(key)})
			imitate(h, users)
			return dummies(h)
		}
		one, same, two := with("one"), with("one"), with("two")
		alike := 0
		for i := range one {
			if one[i] != same[i] {
				t.Fatal("two servers with one key differ")
			}
			if one[i] == two[i] {
				alike++
			}
		}
		if alike < names*48/100 || alike > names*52/100 {
			t.Errorf("%d of %d are alike under two keys", alike, names)
		}
	})
	t.Run("no password matches", func(t *testing.T) {
		imitate(h, map[string]int{argon: 1, b: 1})
		for i := range 100 {
			if ok, _, err := h.Verify(t.Context(), h.Dummy(fmt.Sprint(i)), "correct horse"); ok || err != nil {
				t.Errorf("got %v, %v", ok, err)
			}
		}
	})
}
