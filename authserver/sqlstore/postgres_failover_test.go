package sqlstore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
)

// promises are clients of several servers that end and register all the time,
// and remember what was acknowledged.
type promises struct {
	t       *testing.T
	servers []*sqlstore.DB
	stop    chan struct{}
	running sync.WaitGroup

	mu         sync.Mutex
	ended      []string // sids
	registered []string // names
	away       int
}

func startPromises(t *testing.T, servers ...*sqlstore.DB) *promises {
	t.Helper()
	p := &promises{t: t, servers: servers, stop: make(chan struct{})}
	for worker := range 8 {
		p.running.Go(func() { p.work(worker) })
	}
	t.Cleanup(p.finish)
	return p
}

func (p *promises) work(worker int) {
	d := p.servers[worker%len(p.servers)]
	for i := 0; ; i++ {
		select {
		case <-p.stop:
			return
		default:
		}
		name := fmt.Sprintf("%d-%d", worker, i)
		began := time.Now()
		err := endOne(p.t, d, name)
		p.took(began, err, &p.ended, name)
		u := authserver.NewUser{PasswordHash: "hash"}
		u.Subject, u.Username, u.Email = uuid.NewString(), name, name+"@example.com"
		began = time.Now()
		_, err = d.AddUser(p.t.Context(), u, authserver.Event{Act: "user.register"})
		p.took(began, err, &p.registered, name)
	}
}

func (p *promises) took(began time.Time, err error, acknowledged *[]string, name string) {
	took := time.Since(began)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case took > within:
		p.t.Errorf("an answer took %v", took)
	case err == nil:
		*acknowledged = append(*acknowledged, name)
	case errors.Is(err, authserver.ErrUnavailable):
		p.away++
	default:
		p.t.Errorf("got %v, want %v", err, authserver.ErrUnavailable)
	}
}

// progress returns when n more of each were acknowledged.
func (p *promises) progress(n int) {
	p.t.Helper()
	p.mu.Lock()
	ended, registered := len(p.ended)+n, len(p.registered)+n
	p.mu.Unlock()
	p.await(func() bool { return len(p.ended) >= ended && len(p.registered) >= registered })
}

// answers returns when n more were, whatever they were.
func (p *promises) answers(n int) {
	p.t.Helper()
	all := func() int { return len(p.ended) + len(p.registered) + p.away }
	p.mu.Lock()
	n += all()
	p.mu.Unlock()
	p.await(func() bool { return all() >= n })
}

func (p *promises) await(done func() bool) {
	p.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; <-tick.C {
		p.mu.Lock()
		ok := done()
		p.mu.Unlock()
		if ok {
			return
		}
		if time.Since(began) > 20*time.Second {
			p.t.Fatal("no such load in 20 s")
		}
	}
}

// finish may be called again.
func (p *promises) finish() {
	select {
	case <-p.stop:
	default:
		close(p.stop)
	}
	p.running.Wait()
}

// wantKept ends the load. All that was acknowledged has to be in d.
func (p *promises) wantKept(d *sqlstore.DB) {
	p.t.Helper()
	p.finish()
	live, head, err := d.Revocations(p.t.Context(), 0)
	if err != nil || int(head) != len(live) {
		p.t.Fatalf("%d entries up to %d, %v: the sequence has gaps", len(live), head, err)
	}
	ended := map[string]bool{}
	for _, r := range live {
		ended[r.ID] = true
	}
	for _, sid := range p.ended {
		if !ended[sid] {
			p.t.Errorf("the ending of %s was acknowledged and is lost", sid)
		}
	}
	for _, name := range p.registered {
		if _, err := d.UserByLogin(p.t.Context(), name); err != nil {
			p.t.Errorf("the registration of %s was acknowledged: %v", name, err)
		}
	}
	if p.away == 0 {
		p.t.Error("nothing was refused: this was no load")
	}
	p.t.Logf("%d endings and %d registrations acknowledged, %d refused", len(p.ended), len(p.registered), p.away)
}

// A primary that confirms nothing before its standby has it dies under load,
// when the standby had been cut off for a while; the servers find the standby,
// which takes over, by the same URL.
func TestPostgresFailover(t *testing.T) {
	primary := pgtest.New(t)
	standby := primary.Standby()
	primary.Synchronize()
	url := pgtest.Both(t, primary, standby)
	one, two := openURL(t, url), openURL(t, url)
	if err := one.RaiseLifetimes(t.Context(), time.Hour, time.Hour); err != nil {
		t.Fatal(err)
	}
	asks := asks(t, one)
	p := startPromises(t, one, two)
	p.progress(50)
	standby.Kill()
	p.answers(16) // what it will not have must not have been acknowledged
	t.Run("without its standby the primary is read, and writes are refused in time", func(t *testing.T) {
		wantReadOnly(t, asks)
	})
	primary.Kill()
	began := time.Now()
	wantAway(t, asks, 1)
	standby.Start()
	standby.Promote()
	p.progress(50)
	t.Logf("writes go on %v after the primary's death", time.Since(began))
	wantBack(t, asks)
	p.wantKept(two)
}

func wantReadOnly(t *testing.T, asks map[string]func() error) {
	t.Helper()
	reads := []string{"Facts", "Revocations", "Ping", "Drop"} // there is nothing to drop
	var wg sync.WaitGroup
	for name, ask := range asks {
		wg.Go(func() {
			began := time.Now()
			err := ask()
			refused := errors.Is(err, authserver.ErrUnavailable)
			if took := time.Since(began); took > within || refused == slices.Contains(reads, name) {
				t.Errorf("%s: got %v after %v", name, err, took)
			}
		})
	}
	wg.Wait()
}

// What replication cannot promise: a standby that is asynchronous lacks what it
// was not sent, an ending that was acknowledged, too.
func TestPostgresAsynchronousStandbyLosesWhatItWasNotSent(t *testing.T) {
	primary := pgtest.New(t)
	standby := primary.Standby()
	d := openURL(t, pgtest.Both(t, primary, standby))
	if err := d.RaiseLifetimes(t.Context(), time.Hour, time.Hour); err != nil {
		t.Fatal(err)
	}
	standby.Kill() // as a network that is cut off from it would
	if err := endOne(t, d, "lost"); err != nil {
		t.Fatal(err)
	}
	primary.Kill()
	standby.Start()
	t.Run("a standby that was not promoted is said to be one", func(t *testing.T) {
		_, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: pgtest.Both(t, primary, standby)})
		if err == nil || !strings.Contains(err.Error(), "DATABASE_URL must name the primary") || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v", err)
		}
		t.Log(err)
	})
	standby.Promote()
	f, err := openURL(t, standby.URL).Facts(t.Context(), authserver.Ask{SessionID: "lost"})
	if err != nil {
		t.Fatal(err)
	}
	if f.Ended != nil {
		t.Error("the ending was sent: this shows nothing")
	}
}
