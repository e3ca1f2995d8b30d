package redisstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/storetest"
)

func TestSentinel(t *testing.T) {
	set := redistest.Sentinel(t)
	t.Run("sessions", func(t *testing.T) {
		storetest.Sessions(t, func(t *testing.T) authserver.SessionStore { return open(t, set.URL) })
	})
	t.Run("limiters", func(t *testing.T) {
		storetest.Limiters(t, func(t *testing.T) []limit.Limiter { return limiters(t, set.URL) })
	})
	t.Run("the database is the one that is named", func(t *testing.T) {
		session, _ := newSession(uuid.NewString())
		mustOpen(t, open(t, set.URL+"?db=3"), session)
		if _, err := open(t, set.URL).Session(t.Context(), session.ID); !errors.Is(err, authserver.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a master that the Sentinels do not know", func(t *testing.T) { wantRefusal(t, set.URL+"x", "no master of that name") })
	s := open(t, set.URL)
	session, secret := newSession(uuid.NewString())
	mustOpen(t, s, session)
	t.Run("REF-025 everything hangs", func(t *testing.T) {
		all := append([]*redistest.Server{set.Primary, set.Replica}, set.Sentinels...)
		for _, srv := range all {
			srv.Hang()
		}
		wantAway(t, s, session, secret)
		for _, srv := range all {
			srv.Resume()
		}
	})
	t.Run("REF-025 everything has stopped but the Sentinels", func(t *testing.T) {
		set.Primary.Stop()
		set.Replica.Stop()
		wantAway(t, s, session, secret)
	})
	t.Run("REF-025 everything has stopped", func(t *testing.T) {
		for _, srv := range set.Sentinels {
			srv.Stop()
		}
		wantAway(t, s, session, secret)
	})
}

// TestSentinelFailover kills the primary under load after its last writes did
// not reach the replica.
func TestSentinelFailover(t *testing.T) {
	set := redistest.Sentinel(t)
	one, two := open(t, set.URL), open(t, set.URL)
	woken := listen(t, one)
	primary := redis.NewClient(&redis.Options{Addr: set.Primary.Addr, Password: set.Password})
	defer primary.Close()

	l := startLoad(t, 20, one, two)
	dropped, droppedSecret := newSession(uuid.NewString())
	mustOpen(t, one, dropped)
	l.progress(20)
	if n, err := primary.Wait(t.Context(), 1, time.Second).Result(); err != nil || n != 1 {
		t.Fatalf("replication: %d, %v", n, err)
	}
	set.Replica.Hang()
	if err := primary.Do(t.Context(), "client", "kill", "type", "replica").Err(); err != nil {
		t.Fatal(err)
	}
	l.progress(20)
	lost, lostSecret := newSession(uuid.NewString())
	mustOpen(t, one, lost)
	if err := one.Drop(t.Context(), dropped.ID); err != nil {
		t.Fatal(err)
	}
	set.Primary.Stop()
	set.Replica.Resume()
	start := time.Now()
	l.progress(1)
	t.Logf("sessions go on after %v", time.Since(start))
	wantBack(t, one, 2*time.Second)
	wantBack(t, two, 2*time.Second)
	l.progress(20)

	t.Run("REF-031 sessions go on from where their tokens are", func(t *testing.T) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if n := l.outcomes[authserver.Recovered]; n != len(l.clients) {
			t.Errorf("%d recovered, want each of %d once", n, len(l.clients))
		}
	})
	t.Run("a session that was opened in the lost window is not there", func(t *testing.T) {
		if _, _, err := two.Advance(t.Context(), lost.ID, present(lost, lostSecret)); !errors.Is(err, authserver.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("REF-032 one that was dropped in it is back, which is why the database is asked first", func(t *testing.T) {
		if _, outcome, err := two.Advance(t.Context(), dropped.ID, present(dropped, droppedSecret)); err != nil || outcome != authserver.Rotated {
			t.Errorf("got %v, %v", outcome, err)
		}
	})
	t.Run("wake-ups and limiters go on", func(t *testing.T) {
		wantWoken(t, woken) // for what may have been missed
		for len(woken) > 0 {
			<-woken
		}
		if err := two.Wake(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantWoken(t, woken)
		r := limit.Rule{Name: "login", Burst: 10, Per: time.Minute}
		if d, err := two.Limiter(limiterKey).Take(t.Context(), r, "alice"); err != nil || !d.Allowed {
			t.Errorf("got %+v, %v", d, err)
		}
	})
	t.Run("REF-014 there are no two live counters", func(t *testing.T) { l.wantOneCounter() })
}
