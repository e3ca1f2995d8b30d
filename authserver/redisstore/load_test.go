package redisstore_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/redisstore"
)

// load is clients that refresh their sessions all the time, through several
// servers in turn. Each does as an answer of 503 asks: it presents the same
// token again.
type load struct {
	t       *testing.T
	stores  []*redisstore.Store
	stop    context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	clients  []*client
	outcomes map[authserver.Outcome]int
	refused  int // answers of 503
}

type client struct {
	session authserver.Session
	secret  [16]byte
	counter uint32 // of the token it has
	answers int
}

// startLoad opens n sessions and keeps them busy until finish.
func startLoad(t *testing.T, n int, stores ...*redisstore.Store) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{t: t, stores: stores, stop: stop, outcomes: map[authserver.Outcome]int{}}
	for range n {
		session, secret := newSession(uuid.NewString())
		mustOpen(t, stores[0], session)
		l.clients = append(l.clients, &client{session: session, secret: secret})
	}
	for _, c := range l.clients {
		l.running.Go(func() { l.refresh(ctx, c) })
	}
	t.Cleanup(l.finish)
	return l
}

func (l *load) finish() {
	l.stop()
	l.running.Wait()
}

// refresh goes on every few milliseconds until ctx ends. The grace period is
// longer than any failover here, so that no presentation is reuse.
func (l *load) refresh(ctx context.Context, c *client) {
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
		a := present(c.session, c.secret)
		a.Counter, a.Grace = c.counter, time.Minute
		start := time.Now()
		// Not ctx: a call that finish broke off might have happened.
		session, outcome, err := l.stores[i%len(l.stores)].Advance(l.t.Context(), c.session.ID, a)
		if took := time.Since(start); took > 2*time.Second {
			l.t.Errorf("an answer after %v", took)
		}
		l.mu.Lock()
		switch {
		case errors.Is(err, authserver.ErrUnavailable):
			l.refused++
		case err != nil:
			l.t.Errorf("session %s: %v", c.session.ID, err)
		case outcome == authserver.Reused:
			l.t.Errorf("session %s: reuse of %d, the store has %d", c.session.ID, c.counter, session.Counter)
		case session.Counter != c.counter+1:
			l.t.Errorf("session %s: %v made %d of %d", c.session.ID, outcome, session.Counter, c.counter)
		default:
			l.outcomes[outcome]++
			c.counter++
			c.answers++
		}
		l.mu.Unlock()
	}
}

// progress waits until every session has been refreshed n times more.
func (l *load) progress(n int) {
	l.t.Helper()
	l.mu.Lock()
	start := make([]int, len(l.clients))
	for i, c := range l.clients {
		start[i] = c.answers
	}
	l.mu.Unlock()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; <-tick.C {
		least := n
		l.mu.Lock()
		for i, c := range l.clients {
			least = min(least, c.answers-start[i])
		}
		l.mu.Unlock()
		if least >= n {
			return
		}
		if time.Since(began) > 15*time.Second {
			l.t.Fatalf("a session was refreshed %d times in 15 s, want %d", least, n)
		}
	}
}

// wantBack asks each store for each session until it answers: in a cluster a
// store may know where some of them are and not yet where all are.
func (l *load) wantBack(within time.Duration) {
	l.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	start := time.Now()
	for _, s := range l.stores {
		for _, c := range l.clients {
			for {
				_, err := s.Session(l.t.Context(), c.session.ID)
				if err == nil {
					break
				}
				if time.Since(start) > within {
					l.t.Fatalf("not back after %v: %v", within, err)
				}
				<-tick.C
			}
		}
	}
	l.t.Logf("all sessions are back at all servers after %v", time.Since(start))
}

// wantOneCounter ends the load and looks for two live counters: the store has
// each client's, and takes an older token for reuse.
func (l *load) wantOneCounter() {
	l.t.Helper()
	l.finish()
	for _, c := range l.clients {
		session, err := l.stores[0].Session(l.t.Context(), c.session.ID)
		// A last answer that was lost may have left the store one ahead.
		if err != nil || session.Counter != c.counter && session.Counter != c.counter+1 {
			l.t.Errorf("the store has %d, the client %d; %v", session.Counter, c.counter, err)
			continue
		}
		for _, s := range l.stores {
			a := present(c.session, c.secret)
			a.Counter = session.Counter - 2
			if _, outcome, err := s.Advance(l.t.Context(), c.session.ID, a); err != nil || outcome != authserver.Reused {
				l.t.Errorf("an older token: got %v, %v; want %v", outcome, err, authserver.Reused)
			}
		}
	}
	l.t.Logf("outcomes %v, refused %d", l.outcomes, l.refused)
}
