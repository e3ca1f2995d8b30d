package account_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/password"
)

// imported makes n users whose hash is from elsewhere.
func (f *fixture) imported(t *testing.T, name string, n int, hash string) {
	t.Helper()
	for i := range n {
		r := alice()
		r.Username = fmt.Sprint(name, i)
		r.Email = r.Username + "@example.com"
		u := f.register(t, r)
		f.setHash(t, u.Subject, hash)
	}
}

func (f *fixture) setHash(t *testing.T, subject, hash string) {
	t.Helper()
	if _, err := f.db.ChangeUser(t.Context(), subject, authserver.UserChange{PasswordHash: &hash}, authserver.Event{Act: "test"}); err != nil {
		t.Fatal(err)
	}
}

// bcrypts is how many of 1000 unknown names get a dummy of bcrypt.
func (f *fixture) bcrypts() (n int) {
	for i := range 1000 {
		if strings.HasPrefix(f.Hasher.Dummy(fmt.Sprint("nobody", i)), "$2a$04$") {
			n++
		}
	}
	return n
}

func near(n, want int) bool { return n >= want-50 && n <= want+50 }

func TestStrangersAreLikeUsers(t *testing.T) {
	bc, err := newHasher(t, password.Config{Algorithm: password.Bcrypt}).Hash(t.Context(), goodWords)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("PWD-023 in the proportions of the table, also after an import", func(t *testing.T) {
		f := newFixture(t)
		strangers := account.NewStrangers(f.Deps)
		learn := func(most int) {
			if err := strangers.Learn(t.Context(), most); err != nil {
				t.Fatal(err)
			}
		}
		learn(math.MaxInt)
		if n := f.bcrypts(); n != 0 {
			t.Errorf("%d bcrypt with no users", n)
		}
		f.imported(t, "old", 30, bc)
		f.imported(t, "odd", 5, "md5$nonsense")
		for i := range 5 {
			r := alice()
			r.Username, r.Email = fmt.Sprint("new", i), fmt.Sprint("new", i, "@example.com")
			f.register(t, r)
		}
		if learn(math.MaxInt); !near(f.bcrypts(), 750) {
			t.Errorf("%d of 1000 bcrypt, want 30 of 40", f.bcrypts())
		}
		learn(math.MaxInt)
		if !near(f.bcrypts(), 750) {
			t.Error("users were counted again")
		}
		f.imported(t, "more", 20, bc)
		if learn(1); !near(f.bcrypts(), 833) {
			t.Errorf("%d of 1000 bcrypt, want 50 of 60", f.bcrypts())
		}
	})
	t.Run("PWD-023 hashes that are replaced", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			f.imported(t, "old", 10, bc)
			ctx, stop := context.WithCancel(t.Context())
			defer synctest.Wait()
			defer stop()
			go account.NewStrangers(f.Deps).Run(ctx)
			time.Sleep(time.Second)
			if n := f.bcrypts(); n != 1000 {
				t.Errorf("%d of 1000 bcrypt where all are", n)
			}
			for i := range 5 {
				if _, err := f.login(t.Context(), fmt.Sprint("old", i), goodWords); err != nil {
					t.Fatal(err)
				}
			}
			f.imported(t, "new", 10, bc)
			time.Sleep(5 * time.Second)
			if n := f.bcrypts(); n != 1000 {
				t.Errorf("%d of 1000 bcrypt before all are looked at again", n)
			}
			time.Sleep(time.Hour)
			if n := f.bcrypts(); !near(n, 750) {
				t.Errorf("%d of 1000 bcrypt, want 15 of 20", n)
			}
		})
	})
	t.Run("PWD-023 a stranger's login computes the dummy of that name, however it is written", func(t *testing.T) {
		hash, err := bcrypt.GenerateFromPassword([]byte(goodWords), 10)
		if err != nil {
			t.Fatal(err)
		}
		f := newFixture(t)
		f.imported(t, "slow", 1, string(hash))
		f.register(t, alice())
		if err := account.NewStrangers(f.Deps).Learn(t.Context(), math.MaxInt); err != nil {
			t.Fatal(err)
		}
		// Of these two hashes one takes a thousand times as long as the other.
		fastest := func(login string) time.Duration {
			least := time.Hour
			for range 3 {
				start := time.Now()
				f.login(t.Context(), login, "wrong")
				least = min(least, time.Since(start))
			}
			return least
		}
		least := map[bool]time.Duration{false: time.Hour, true: time.Hour}
		most := map[bool]time.Duration{}
		for i := range 8 {
			name := fmt.Sprint("nobody", i)
			slow := strings.HasPrefix(f.Hasher.Dummy(authserver.Fold(name)), "$2a$10$")
			took := fastest(strings.ToUpper(name))
			least[slow], most[slow] = min(least[slow], took), max(most[slow], took)
		}
		if most[true] == 0 || most[false] == 0 || least[true] < most[false] {
			t.Errorf("slow ones took at least %v, fast ones at most %v", least[true], most[false])
		}
	})
}
