package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

// inTurns lets two servers lock the same rows in different orders.
func inTurns(t *testing.T, a, b *sqlstore.DB, raw *sql.DB) {
	servers := []*sqlstore.DB{a, b}
	var subjects []string
	for i := range 4 {
		u := authserver.NewUser{PasswordHash: "hash"}
		u.Subject, u.Username, u.Email = uuid.NewString(), fmt.Sprint("user", i), fmt.Sprintf("user%d@example.com", i)
		if _, err := a.AddUser(t.Context(), u, authserver.Event{}); err != nil {
			t.Fatal(err)
		}
		subjects = append(subjects, u.Subject)
	}
	endings := func() (all []authserver.Ending) {
		for i := range 20 {
			all = append(all, authserver.Ending{Kind: authserver.KindSession, ID: fmt.Sprint("sid", i), Reason: authserver.ReasonLogout})
		}
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return all
	}
	work := []func(d *sqlstore.DB, i int) error{
		func(d *sqlstore.DB, i int) error { return d.End(t.Context(), endings(), authserver.Event{}) },
		func(d *sqlstore.DB, i int) error {
			c := authserver.UserChange{EndTokens: true, EndSessions: true, End: endings()}
			_, err := d.ChangeUser(t.Context(), subjects[i%4], c, authserver.Event{})
			return err
		},
		func(d *sqlstore.DB, i int) error { // names go round
			name := fmt.Sprint("user", rand.IntN(4))
			_, err := d.ChangeUser(t.Context(), subjects[i%4], authserver.UserChange{Username: &name}, authserver.Event{})
			if errors.Is(err, authserver.ErrUsernameTaken) {
				return nil
			}
			return err
		},
		func(d *sqlstore.DB, i int) error {
			u := authserver.NewUser{PasswordHash: "hash"}
			u.Subject = uuid.NewString()
			u.Username, u.Email = u.Subject, u.Subject+"@example.com"
			if _, err := d.AddUser(t.Context(), u, authserver.Event{}); err != nil {
				return err
			}
			for range 3 {
				s, _ := benchSession(u.Subject)
				s.Deadline = time.Now().Add(-time.Second)
				if _, err := d.Open(t.Context(), s, 0); err != nil {
					return err
				}
			}
			return d.RemoveUser(t.Context(), u.Subject, authserver.Event{})
		},
		func(d *sqlstore.DB, i int) error { return d.Sweep(t.Context()) },
	}
	var wg sync.WaitGroup
	for n, f := range slices.Concat(work, work) {
		wg.Go(func() {
			for i := range 25 {
				if err := f(servers[n%2], i+n); err != nil {
					t.Errorf("work %d: %v", n%len(work), err)
				}
			}
		})
	}
	wg.Wait()
	var deadlocks int
	err := raw.QueryRowContext(t.Context(), "select deadlocks from pg_stat_database where datname = current_database()").Scan(&deadlocks)
	if err != nil || deadlocks != 0 {
		t.Errorf("%d deadlocks, %v", deadlocks, err)
	}
	live, head, err := b.Revocations(t.Context(), 0)
	if err != nil || int(head) != len(live) {
		t.Errorf("%d entries up to %d, %v: the sequence has gaps", len(live), head, err)
	}
}

func removeBesideAdd(t *testing.T, a, b *sqlstore.DB) {
	if err := a.RaiseLifetimes(t.Context(), time.Hour, time.Hour); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		c := authserver.Client{ID: fmt.Sprint("client", i), Incarnation: 1}
		if err := a.AddClient(t.Context(), c, authserver.Event{}); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := a.RemoveClient(t.Context(), c.ID, authserver.Event{}); err != nil {
				t.Errorf("RemoveClient: %v", err)
			}
		})
		for range 3 {
			wg.Go(func() {
				if err := b.AddClient(t.Context(), c, authserver.Event{}); !errors.Is(err, authserver.ErrConflict) {
					t.Errorf("AddClient: got %v, want %v", err, authserver.ErrConflict)
				}
			})
		}
		wg.Wait()
	}
}

func notText(t *testing.T, d *sqlstore.DB) {
	ctx := t.Context()
	for _, bad := range []string{"a\x00b", "a\xffb", "\xed\xa0\x80"} {
		f, err := d.Facts(ctx, authserver.Ask{ClientID: bad, Login: bad, SessionID: bad})
		if err != nil || f.Client != nil || f.User != nil || f.Ended != nil {
			t.Errorf("%q: Facts: got %v, %v; want nothing", bad, f, err)
		}
		if _, err := d.Client(ctx, bad); !errors.Is(err, authserver.ErrNotFound) {
			t.Errorf("%q: Client: got %v, want %v", bad, err, authserver.ErrNotFound)
		}
		if _, err := d.Session(ctx, bad); !errors.Is(err, authserver.ErrNotFound) {
			t.Errorf("%q: Session: got %v, want %v", bad, err, authserver.ErrNotFound)
		}
		s, _ := benchSession(uuid.NewString())
		s.UserAgent = bad
		if _, err := d.Open(ctx, s, 0); err != nil {
			t.Errorf("%q: Open: %v", bad, err)
		}
		if err := d.Record(ctx, authserver.Event{Act: "login", Subject: bad}); err != nil {
			t.Errorf("%q: Record: %v", bad, err)
		}
	}
}

func wake(t *testing.T, a, b *sqlstore.DB, raw *sql.DB) {
	ctx, stop := context.WithCancel(t.Context())
	woken, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		b.Wakes(ctx, func() { woken <- struct{}{} })
	}()
	hear := func(what string) {
		t.Helper()
		select {
		case <-woken:
		case <-time.After(5 * time.Second):
			t.Fatalf("not woken %s", what)
		}
	}
	hear("when it listens")
	began := time.Now()
	if err := a.Wake(ctx); err != nil {
		t.Fatal(err)
	}
	hear("by the other server")
	t.Logf("woken after %v", time.Since(began))
	run(t, raw, `select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen tokenwright'`)
	hear("when it listens again")
	if err := a.Wake(ctx); err != nil {
		t.Fatal(err)
	}
	hear("by the other server after that")
	stop()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("Wakes goes on")
	}
}

func TestSQLiteWakes(t *testing.T) {
	d := openNew(t)
	if err := d.Wake(t.Context()); err != nil {
		t.Error(err)
	}
	d.Wakes(t.Context(), func() { t.Error("woken by nothing") })
}
