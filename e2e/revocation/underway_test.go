//go:build proof

package revocation

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
)

// REF-020: somebody with the password logs in again and again while the owner ends
// all other sessions, or changes it. A second after the answer no token of what had
// been opened by then is good anywhere, and none of them could throw the owner out.
func TestLoginsUnderWay(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(t *testing.T) shape
	}{
		{"SQLite and Redis", func(t *testing.T) shape { return shape{redis: redistest.Start(t)} }},
		{"PostgreSQL and Redis", func(t *testing.T) shape { return shape{database: pgtest.Start(t), redis: redistest.Start(t)} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rounds := size(6, 60)
			s := tc.make(t)
			s.auth, s.api, s.users = 2, 1, rounds
			s.env = []string{"SESSIONS_PER_USER=10000"} // or the owner is put out
			d := deploy(t, s)
			ended, denied := 0, 0
			for i := range rounds {
				e, n := d.underWay(i)
				ended, denied = ended+e, denied+n
			}
			t.Logf("%d sessions of others had ended, %d times one of them changed nothing", ended, denied)
			if ended < rounds {
				t.Error("too few logins were under way")
			}
		})
	}
}

// underWay has the i-th user log in in a loop while the owner ends all others, or
// changes the password in every second round.
func (d *deployment) underWay(i int) (ended, denied int) {
	d.t.Helper()
	t, user := d.t, userName(i)
	owner, err := d.login(d.auth[0], user, "spa")
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu        sync.Mutex
		opened    []tokens
		over      atomic.Bool
		strangers sync.WaitGroup
		some      = make(chan struct{}, 100)
	)
	for n := range 4 {
		strangers.Go(func() {
			for !over.Load() {
				s, err := d.login(d.auth[n%2], user, "spa")
				if err != nil {
					continue // the password has changed
				}
				mu.Lock()
				opened = append(opened, s)
				mu.Unlock()
				select {
				case some <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 4 {
		<-some
	}
	changes := i%2 == 1
	if changes {
		err = d.changePassword(d.auth[0], owner.Access, "another horse battery, longer than bcrypt takes it")
	} else {
		err = d.want(http.StatusNoContent, http.MethodDelete, d.auth[0].Base+"/auth/sessions", owner.Access, nil)
	}
	answered := time.Now()
	over.Store(true)
	if err != nil {
		t.Fatal(err)
	}
	strangers.Wait()
	kept := claimsOf(t, owner.Access)
	var dead []tokens
	for _, s := range opened {
		// With the same password a login after the change is as good as any.
		if changes || claimsOf(t, s.Access).SessionEpoch == kept.SessionEpoch {
			dead = append(dead, s)
		}
	}
	for n, s := range dead { // at once, while news of it may be under way
		a, err := d.ask(http.MethodDelete, d.auth[n%2].Base+"/auth/sessions", s.Access, nil)
		if err != nil || a.Status != http.StatusUnauthorized {
			t.Errorf("round %d: a session that had ended ends others: %d, %v", i, a.Status, err)
		}
		denied++
	}
	time.Sleep(time.Until(answered.Add(bound)))
	for _, s := range dead {
		if err := d.everywhere(s.Access, false); err != nil {
			t.Errorf("round %d: %v", i, err)
		}
		if err := d.refused(d.auth[1], "spa", s.Refresh, http.StatusBadRequest, "invalid_grant"); err != nil {
			t.Errorf("round %d: %v", i, err)
		}
	}
	if err := d.everywhere(owner.Access, true); err != nil {
		t.Errorf("round %d, the owner: %v", i, err)
	}
	if _, err := d.refresh(d.auth[1], "spa", owner.Refresh); err != nil {
		t.Errorf("round %d, the owner: %v", i, err)
	}
	return len(dead), denied
}
