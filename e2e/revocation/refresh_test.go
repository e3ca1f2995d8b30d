//go:build proof

package revocation

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/redisstore"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
)

// REF-015: fifty at once present one token, at two servers.
func TestParallelRefreshOverTwoServers(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(t *testing.T) shape
	}{
		{"SQLite", func(*testing.T) shape { return shape{} }},
		{"SQLite and Redis", func(t *testing.T) shape { return shape{redis: redistest.Start(t)} }},
		{"PostgreSQL", func(t *testing.T) shape { return shape{database: pgtest.Start(t)} }},
	} {
		t.Run("REF-015 "+tc.name, func(t *testing.T) {
			rounds := size(5, 50)
			s := tc.make(t)
			s.auth, s.users = 2, rounds
			d := deploy(t, s)
			for round := range rounds {
				first, err := d.login(d.auth[0], userName(round), "spa")
				if err != nil {
					t.Fatal(err)
				}
				next := d.refreshAtOnce(50, first.Refresh)
				if len(next) != 1 {
					t.Fatalf("got %d refresh tokens, want 1", len(next))
				}
				for token := range next {
					last, err := d.refresh(d.auth[1], "spa", token)
					if err != nil {
						t.Errorf("the successor: %v", err)
					}
					d.wantOneSession(last.Access)
				}
			}
			if n := d.count("refresh.reuse_detected"); n > 0 {
				t.Errorf("%d reuses were detected, want none", n)
			}
		})
	}
}

// refreshAtOnce presents a token n times, at all authorization servers, and
// returns the refresh tokens that came back.
func (d *deployment) refreshAtOnce(n int, token string) map[string]bool {
	next := map[string]bool{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			t, err := d.refresh(d.auth[i%len(d.auth)], "spa", token)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				d.t.Errorf("one of %d: %v", n, err)
				return
			}
			next[t.Refresh] = true
		})
	}
	all.Wait()
	return next
}

func (d *deployment) wantOneSession(access string) {
	d.t.Helper()
	for _, p := range d.auth {
		a, err := d.ask(http.MethodGet, p.Base+"/auth/sessions", access, nil)
		if err != nil {
			d.t.Fatal(err)
		}
		var list struct {
			Total int `json:"total"`
		}
		if err := json.Unmarshal([]byte(a.Body), &list); err != nil || list.Total != 1 {
			d.t.Errorf("%s lists %s, want one session", p.name, a.Body)
		}
	}
}

// count is how many rows of an act the audit log has.
func (d *deployment) count(act string) int {
	d.t.Helper()
	ctx := context.Background()
	db, err := sqlstore.Open(ctx, sqlstore.Config{URL: d.database})
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close()
	events, err := db.Events(ctx, authserver.Page{})
	if err != nil {
		d.t.Fatal(err)
	}
	n := 0
	for _, e := range events {
		if e.Act == act {
			n++
		}
	}
	return n
}

// REF-024: the server is killed when the store has consumed the token, and
// before the server knows.
func TestKilledBetweenConsumeAndAnswer(t *testing.T) {
	for _, tc := range []struct {
		name string
		// make returns a shape whose sessions are behind the withholder.
		make func(t *testing.T) (shape, *withholder)
		// marker is in the reply to the step on the session with that sid.
		marker func(sid string) string
	}{
		{
			"Redis",
			func(t *testing.T) (shape, *withholder) {
				w := newWithholder(t, redistest.New(t, "").Addr)
				return shape{redis: "redis://" + w.addr()}, w
			},
			func(string) string { return "" }, // Redis is asked for nothing else
		},
		{
			"PostgreSQL",
			func(t *testing.T) (shape, *withholder) {
				u, err := url.Parse(pgtest.Start(t))
				if err != nil {
					t.Fatal(err)
				}
				w := newWithholder(t, u.Host)
				u.Host = w.addr()
				return shape{database: u.String()}, w
			},
			func(sid string) string { return sid },
		},
	} {
		t.Run("REF-024 "+tc.name, func(t *testing.T) {
			s, w := tc.make(t)
			rounds := size(3, 30)
			s.users = rounds
			d := deploy(t, s)
			p := d.auth[0]
			for round := range rounds {
				session, err := d.login(p, userName(round), "spa")
				if err != nil {
					t.Fatal(err)
				}
				if session, err = d.refresh(p, "spa", session.Refresh); err != nil {
					t.Fatal(err)
				}
				sid := claimsOf(t, session.Access).SessionID
				before := d.counter(sid)
				consumed := w.await(tc.marker(sid))
				failed := make(chan error, 1)
				go func() {
					_, err := d.refresh(p, "spa", session.Refresh)
					failed <- err
				}()
				select {
				case <-consumed:
				case err := <-failed:
					t.Fatalf("the store has not consumed the token, and the server said: %v", err)
				case <-time.After(10 * time.Second):
					t.Fatal("the store has not consumed the token within 10 s")
				}
				p.Kill()
				if <-failed == nil {
					t.Fatal("the server had answered")
				}
				if n := d.counter(sid); n != before+1 {
					t.Fatalf("the session's counter is %d, want %d: the token was to be consumed", n, before+1)
				}
				d.again(p)
				d.wantSameSuccessor(session.Refresh, "")
			}
		})
	}
	t.Run("REF-024 SQLite, at random points", func(t *testing.T) {
		const sessions = 8
		rounds := size(10, 100)
		d := deploy(t, shape{users: sessions})
		p := d.auth[0]
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		chance := rand.New(rand.NewPCG(seed, 0))
		for range rounds {
			var held [sessions]tokens
			for i := range held {
				s, err := d.login(p, userName(i), "spa")
				if err != nil {
					t.Fatal(err)
				}
				held[i] = s
			}
			var answers [sessions]tokens
			var all sync.WaitGroup
			for i := range held {
				all.Go(func() {
					if s, err := d.refresh(p, "spa", held[i].Refresh); err == nil {
						answers[i] = s
					}
				})
			}
			time.Sleep(time.Duration(chance.Int64N(int64(6 * time.Millisecond))))
			p.Kill()
			all.Wait()
			d.http.CloseIdleConnections()
			d.again(p)
			for i := range held {
				d.wantSameSuccessor(held[i].Refresh, answers[i].Refresh)
			}
		}
	})
}

// counter is how often the session has been refreshed, as the store has it.
func (d *deployment) counter(sid string) uint32 {
	d.t.Helper()
	ctx := context.Background()
	var store interface {
		authserver.SessionStore
		io.Closer
	}
	var err error
	if d.redis != "" {
		store, err = redisstore.Open(ctx, d.redis, slog.New(slog.DiscardHandler))
	} else {
		store, err = sqlstore.Open(ctx, sqlstore.Config{URL: d.database})
	}
	if err != nil {
		d.t.Fatal(err)
	}
	defer store.Close()
	s, err := store.Session(ctx, sid)
	if err != nil {
		d.t.Fatal(err)
	}
	return s.Counter
}

// wantSameSuccessor presents a token twice more and wants one and the same new
// one, that of the answer if there was one.
func (d *deployment) wantSameSuccessor(token, answered string) {
	d.t.Helper()
	p := d.auth[0]
	again, err := d.refresh(p, "spa", token)
	if err != nil {
		d.t.Fatalf("sent again: %v", err)
	}
	more, err := d.refresh(p, "spa", token)
	if err != nil {
		d.t.Fatalf("sent again, twice: %v", err)
	}
	if again.Refresh != more.Refresh || answered != "" && answered != again.Refresh {
		d.t.Error("a token that was sent again got another successor")
	}
	if err := d.everywhere(again.Access, true); err != nil {
		d.t.Error(err)
	}
	if _, err := d.refresh(p, "spa", again.Refresh); err != nil {
		d.t.Errorf("the successor: %v", err)
	}
}
