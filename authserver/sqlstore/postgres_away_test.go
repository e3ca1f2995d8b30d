package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
)

// within is how soon a store that is away says so.
const within = 2 * time.Second

// asks are one of each way to ask a database.
func asks(t *testing.T, d *sqlstore.DB) map[string]func() error {
	t.Helper()
	s, secret := benchSession(uuid.NewString())
	if _, err := d.Open(t.Context(), s, 0); err != nil {
		t.Fatal(err)
	}
	a := authserver.Advance{Secret: secret, ClientID: "web", ClientIncarnation: 7, Now: time.Now(), Grace: time.Minute, IdleLifetime: time.Hour}
	return map[string]func() error{
		"Facts":   func() error { _, err := d.Facts(t.Context(), authserver.Ask{ClientID: "web"}); return err },
		"Advance": func() error { _, _, err := d.Advance(t.Context(), s.ID, a); return err },
		"Open": func() error {
			s, _ := benchSession(uuid.NewString())
			_, err := d.Open(t.Context(), s, 100)
			return err
		},
		"End":         func() error { return endOne(t, d, uuid.NewString()) },
		"Revocations": func() error { _, _, err := d.Revocations(t.Context(), 0); return err },
		"Drop":        func() error { return d.Drop(t.Context(), "none") },
		"Ping":        func() error { _, err := d.Ping(t.Context()); return err },
	}
}

func endOne(t *testing.T, d *sqlstore.DB, sid string) error {
	ending := authserver.Ending{Kind: authserver.KindSession, ID: sid, Reason: authserver.ReasonLogout}
	return d.End(t.Context(), []authserver.Ending{ending}, authserver.Event{Act: "session.end", SessionID: sid})
}

// wantAway asks in all ways at once, each n times.
func wantAway(t *testing.T, asks map[string]func() error, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for name, ask := range asks {
		for range n {
			wg.Go(func() {
				began := time.Now()
				err := ask()
				if took := time.Since(began); took > within || !errors.Is(err, authserver.ErrUnavailable) {
					t.Errorf("%s: got %v after %v, want %v within %v", name, err, took, authserver.ErrUnavailable, within)
				}
			})
		}
	}
	wg.Wait()
}

func wantBack(t *testing.T, asks map[string]func() error) {
	t.Helper()
	for name, ask := range asks {
		if err := ask(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// keptLock is a slow statement and, with more of them than there are
// connections, an exhausted pool.
func keptLock(t *testing.T, d *sqlstore.DB, raw *sql.DB) {
	asks := asks(t, d)
	wantBack(t, asks)
	other, err := raw.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Rollback()
	if _, err := other.ExecContext(t.Context(), "lock table sessions, counters, clients"); err != nil {
		t.Fatal(err)
	}
	wantAway(t, asks, 1)
	wantAway(t, asks, 15)
	if pool := d.Stats()["all"]; pool.WaitCount == 0 || pool.OpenConnections > pool.MaxOpenConnections {
		t.Errorf("the pool was not exhausted: %+v", pool)
	}
	// What waits still was begun late: its caller had waited for a connection.
	var waiting int
	err = other.QueryRowContext(t.Context(), `
		select count(*) from pg_stat_activity
		where wait_event_type = 'Lock' and clock_timestamp() - query_start > interval '1700 ms'`).Scan(&waiting)
	if err != nil || waiting != 0 {
		t.Errorf("%d statements wait on, %v", waiting, err)
	}
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	wantBack(t, asks)
}

// silence is a network, or a machine, that takes everything and says nothing.
func silence(t *testing.T, databaseURL string) {
	p := newProxy(t, databaseURL)
	d := openURL(t, p.url)
	asks := asks(t, d)
	wantBack(t, asks)
	p.silent.Store(true)
	wantAway(t, asks, 1)
	wantAway(t, asks, 15) // on connections that are to be made
	p.silent.Store(false)
	// Connections that were being made end as they began, and may still be some
	// caller's answer; then there are none of them.
	for began := time.Now(); asks["Ping"]() != nil || asks["End"]() != nil; {
		if time.Since(began) > within {
			t.Fatalf("still away after %v", within)
		}
	}
	wantBack(t, asks)
}

// proxy stands between a server and its database.
type proxy struct {
	url    string
	silent atomic.Bool
	mu     sync.Mutex
	conns  []net.Conn
}

func newProxy(t *testing.T, databaseURL string) *proxy {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	database := u.Host
	u.Host = l.Addr().String()
	p := &proxy{url: u.String()}
	t.Cleanup(p.hangUp)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", database)
			if err != nil {
				in.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, in, out)
			p.mu.Unlock()
			go p.copy(in, out)
			go p.copy(out, in)
		}
	}()
	return p
}

func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 1<<16)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if p.silent.Load() {
			_, _ = io.Copy(io.Discard, from)
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func hangUp(t *testing.T, d *sqlstore.DB, raw *sql.DB) {
	asks := asks(t, d)
	backends := func() (pids []int) {
		rows, err := raw.QueryContext(t.Context(), "select pid from pg_stat_activity where application_name = 'tokenwright' and datname = current_database()")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var pid int
			if err := rows.Scan(&pid); err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
		return pids
	}
	crowd := func(life time.Duration) {
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				for i := range 20 {
					ctx, cancel := context.WithTimeout(t.Context(), life+time.Duration(i)*50*time.Microsecond)
					_, err := d.Facts(ctx, authserver.Ask{ClientID: "web"})
					if err != nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("Facts: %v", err)
					}
					cancel()
				}
			})
		}
		wg.Wait()
	}
	crowd(time.Second)
	before := backends()
	crowd(100 * time.Microsecond)
	wantBack(t, asks)
	kept := 0
	for _, pid := range backends() {
		if slices.Contains(before, pid) {
			kept++
		}
	}
	if kept < len(before)-1 || len(before) == 0 {
		t.Errorf("of %d connections %d are left", len(before), kept)
	}
}

func TestPostgresIsKilledUnderLoad(t *testing.T) {
	server := pgtest.New(t, "fsync=on")
	servers := []*sqlstore.DB{openURL(t, server.URL), openURL(t, server.URL)}
	if err := servers[0].RaiseLifetimes(t.Context(), time.Hour, time.Hour); err != nil {
		t.Fatal(err)
	}
	asks := asks(t, servers[0])
	var (
		mu           sync.Mutex
		acknowledged []string
		away         int
		wg           sync.WaitGroup
	)
	stop := make(chan struct{})
	for worker := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				sid := fmt.Sprintf("sid-%d-%d", worker, i)
				began := time.Now()
				err := endOne(t, servers[worker%2], sid)
				if took := time.Since(began); took > within {
					t.Errorf("an answer took %v", took)
				}
				mu.Lock()
				switch {
				case err == nil:
					acknowledged = append(acknowledged, sid)
				case errors.Is(err, authserver.ErrUnavailable):
					away++
				default:
					t.Errorf("got %v, want %v", err, authserver.ErrUnavailable)
				}
				mu.Unlock()
			}
		})
	}
	for range 3 {
		time.Sleep(300 * time.Millisecond) // the load
		server.Kill()
		wantAway(t, asks, 1)
		server.Start()
		wantBack(t, asks)
	}
	close(stop)
	wg.Wait()
	live, head, err := servers[1].Revocations(t.Context(), 0)
	if err != nil || int(head) != len(live) {
		t.Fatalf("%d entries up to %d, %v: the sequence has gaps", len(live), head, err)
	}
	ended := map[string]bool{}
	for _, r := range live {
		ended[r.ID] = true
	}
	for _, sid := range acknowledged {
		if !ended[sid] {
			t.Errorf("%s was acknowledged and is lost", sid)
		}
	}
	if len(acknowledged) == 0 || away == 0 {
		t.Errorf("%d acknowledged and %d refused: this was no load", len(acknowledged), away)
	}
	t.Logf("%d endings acknowledged, %d refused", len(acknowledged), away)
}
