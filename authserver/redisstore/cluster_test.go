package redisstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/storetest"
)

func TestCluster(t *testing.T) {
	set := redistest.Cluster(t)
	t.Run("sessions", func(t *testing.T) {
		storetest.Sessions(t, func(t *testing.T) authserver.SessionStore { return open(t, set.URL) })
	})
	t.Run("limiters", func(t *testing.T) {
		storetest.Limiters(t, func(t *testing.T) []limit.Limiter { return limiters(t, set.URL) })
	})
	t.Run("one server's address is enough", func(t *testing.T) {
		first, _, _ := strings.Cut(set.URL, ",")
		storetest.Sessions(t, func(t *testing.T) authserver.SessionStore { return open(t, first) })
	})
	t.Run("one of its servers as if it were alone", func(t *testing.T) {
		wantRefusal(t, set.Primaries[0].URL, "redis+cluster://")
	})
	s := open(t, set.URL)
	session, secret := newSession(uuid.NewString())
	mustOpen(t, s, session)
	t.Run("a listing goes over all its servers", func(t *testing.T) {
		subject := uuid.NewString()
		for range 30 {
			other, _ := newSession(subject)
			mustOpen(t, s, other)
		}
		list, total, err := s.Sessions(t.Context(), subject, authserver.Page{})
		if err != nil || len(list) != 30 || total != 30 {
			t.Errorf("got %d of %d, %v; want 30", len(list), total, err)
		}
	})
	all := append(set.Primaries, set.Replicas...)
	t.Run("REF-025 everything hangs", func(t *testing.T) {
		for _, srv := range all {
			srv.Hang()
		}
		wantAway(t, s, session, secret)
		for _, srv := range all {
			srv.Resume()
		}
	})
	t.Run("REF-025 everything has stopped", func(t *testing.T) {
		for _, srv := range all {
			srv.Stop()
		}
		wantAway(t, s, session, secret)
	})
}

// TestClusterFailover kills a primary under load.
func TestClusterFailover(t *testing.T) {
	set := redistest.Cluster(t)
	one, two := open(t, set.URL), open(t, set.URL)
	woken := listen(t, two)
	l := startLoad(t, 20, one, two)
	l.progress(20)
	set.Primaries[0].Stop()
	start := time.Now()
	l.progress(20)
	t.Logf("all sessions were refreshed 20 times after %v", time.Since(start))
	l.wantBack(2 * time.Second)
	t.Run("wake-ups go on", func(t *testing.T) {
		for len(woken) > 0 {
			<-woken
		}
		if err := one.Wake(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantWoken(t, woken)
	})
	t.Run("REF-014 there are no two live counters", func(t *testing.T) { l.wantOneCounter() })
}
