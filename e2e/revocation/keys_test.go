//go:build proof

package revocation

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
)

// A signing key is rotated, and the one before burnt, while users log in at two
// authorization servers and go to two resource servers: no token of a key that
// is not burnt is ever refused, and none of the burnt one is taken.
func TestKeysUnderLoad(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(t *testing.T) shape
	}{
		{"SQLite", func(*testing.T) shape { return shape{} }},
		{"PostgreSQL and Redis", func(t *testing.T) shape {
			return shape{database: pgtest.Start(t), redis: redistest.Start(t)}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := tc.make(t)
			s.auth, s.api, s.users = 2, 2, keyUsers
			d := deploy(t, s)
			d.burnUnderLoad()
		})
	}
}

const keyUsers = 4

// use is one use of an access token.
type use struct {
	at    *server
	kid   string
	asked time.Time
	took  bool
	err   error
}

func (d *deployment) burnUnderLoad() {
	d.t.Helper()
	held, err := d.login(d.auth[0], userName(0), "spa")
	if err != nil {
		d.t.Fatal(err)
	}
	old, err := kidOf(held.Access)
	if err != nil {
		d.t.Fatal(err)
	}
	done := make(chan struct{})
	var users sync.WaitGroup
	var mu sync.Mutex
	var uses []use
	for i := range keyUsers {
		users.Go(func() {
			mine := d.goAbout(userName(i), done)
			mu.Lock()
			defer mu.Unlock()
			uses = append(uses, mine...)
		})
	}
	if _, err := d.operator(nil, "keys", "rotate"); err != nil {
		d.t.Error(err)
	}
	began := time.Now()
	if _, err := d.operator(nil, "keys", "burn", "--", old); err != nil {
		d.t.Error(err)
	}
	answered := time.Now()
	time.Sleep(2 * bound) // as long as what is looked for would be seen
	close(done)
	users.Wait()
	d.judge(uses, old, began, answered)

	next, err := d.refresh(d.auth[1], "spa", held.Refresh)
	if err != nil {
		d.t.Fatalf("a session that began under the burnt key: %v", err)
	}
	if err := d.everywhere(next.Access, true); err != nil {
		d.t.Error(err)
	}
	if err := d.everywhere(held.Access, false); err != nil {
		d.t.Error(err)
	}
}

// goAbout logs in again and again, and uses each access token everywhere at once
// and the first of them too.
func (d *deployment) goAbout(user string, done <-chan struct{}) (uses []use) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var first string
	for i := 0; ; i++ {
		at := d.auth[i%len(d.auth)]
		s, err := d.login(at, user, "spa")
		if err != nil {
			return append(uses, use{at: at, err: err})
		}
		if first == "" {
			first = s.Access
		}
		for _, p := range d.servers() {
			for _, token := range []string{s.Access, first} {
				u := use{at: p, asked: time.Now()}
				if u.kid, u.err = kidOf(token); u.err == nil {
					u.took, u.err = d.takes(p, token)
				}
				uses = append(uses, u)
			}
		}
		select {
		case <-done:
			return uses
		case <-tick.C:
		}
	}
}

// judge looks for tokens that were refused, or taken, and should not have been.
func (d *deployment) judge(uses []use, burnt string, began, answered time.Time) {
	d.t.Helper()
	good, refused := 0, 0
	latest := time.Duration(0)
	kids := map[string]bool{}
	for _, u := range uses {
		kids[u.kid] = true
		switch {
		case u.err != nil:
			d.t.Errorf("%s: %v", u.at.name, u.err)
		case u.kid != burnt && !u.took:
			d.t.Errorf("%s refuses a token of a key that is not burnt, %v after the burning began", u.at.name, u.asked.Sub(began))
		case u.kid == burnt && !u.took && u.asked.Before(began):
			d.t.Errorf("%s refuses a token of a key that is not burnt yet", u.at.name)
		case u.kid == burnt && u.took && u.asked.After(answered.Add(bound)):
			d.t.Errorf("%s takes a token of the burnt key %v after the answer", u.at.name, u.asked.Sub(answered))
		case u.took:
			good++
			if u.kid == burnt {
				latest = max(latest, u.asked.Sub(answered))
			}
		default:
			refused++
		}
	}
	if len(kids) < 2 || refused == 0 {
		d.t.Errorf("%d keys signed and %d tokens were refused: nothing was seen of the burning", len(kids), refused)
	}
	d.t.Logf("%d uses were taken and %d refused; the burning took %v, and the last token of the burnt key was taken %v after the answer",
		good, refused, answered.Sub(began).Round(time.Millisecond), latest.Round(time.Millisecond))
	for _, p := range d.auth {
		a, err := d.ask(http.MethodGet, p.Base+"/.well-known/jwks.json", "", nil)
		if err != nil || strings.Contains(a.Body, burnt) {
			d.t.Errorf("%s publishes the burnt key: %v, %s", p.name, err, a.Body)
		}
	}
}
