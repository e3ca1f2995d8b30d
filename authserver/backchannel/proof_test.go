//go:build proof

package backchannel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/backchannel"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/outbox"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
)

// mortal is a store that a server which is killed does not reach any more.
type mortal struct {
	outbox.Store
	dead atomic.Bool
}

var errKilled = errors.New("killed")

func (m *mortal) ClaimItems(ctx context.Context, q outbox.Query) ([]outbox.Item, error) {
	if m.dead.Load() {
		return nil, errKilled
	}
	return m.Store.ClaimItems(ctx, q)
}

func (m *mortal) FinishItem(ctx context.Context, i outbox.Item, e ...authserver.Event) error {
	if m.dead.Load() {
		return errKilled
	}
	return m.Store.FinishItem(ctx, i, e...)
}

// OUT-006: 10,000 logout tokens to 1,000 receivers of which 10 hang, from three
// servers of which one is killed: none is lost, and the others are not held up.
func TestTenThousand(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { tenThousand(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { tenThousand(t, pgtest.New(t).URL) })
}

func tenThousand(t *testing.T, url string) {
	const receivers, each, hang, servers = 1000, 10, 10, 3
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	got := map[string]int{}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		token := r.PostFormValue("logout_token")
		if strings.HasPrefix(r.URL.Path, "/hangs") {
			<-r.Context().Done()
			return
		}
		mu.Lock()
		got[r.URL.Path]++
		got[token]++
		mu.Unlock()
	}))
	defer receiver.Close()
	master, err := keys.NewMaster("one-secret-of-many-letters-0123456789")
	must(err)
	box, err := master.Box(outbox.Label)
	must(err)
	open := func() *sqlstore.DB {
		db, err := sqlstore.Open(ctx, sqlstore.Config{URL: url})
		must(err)
		t.Cleanup(func() { db.Close() })
		must(db.Migrate(ctx))
		db.SealOutbox(box)
		return db
	}
	db := open()
	ring, err := keys.Open(ctx, db, master, "ES256")
	must(err)

	for c := range receivers {
		id := fmt.Sprint("client-", c)
		path := "/" + id
		if c < hang {
			path = "/hangs-" + id
		}
		must(db.AddClient(ctx, authserver.Client{ID: id, Incarnation: 1, BackchannelLogoutURI: receiver.URL + path}, authserver.Event{}))
		var what []authserver.Ending
		for i := range each {
			what = append(what, authserver.Ending{
				Kind: authserver.KindSession, ID: fmt.Sprint(id, "-", i), Subject: fmt.Sprint("sub-", c, "-", i), ClientID: id, Reason: authserver.ReasonLogout,
			})
		}
		must(db.End(ctx, what, authserver.Event{Act: "session.end"}))
	}

	background, stop := context.WithCancel(context.Background())
	var runs sync.WaitGroup
	defer runs.Wait()
	defer stop()
	start := time.Now()
	killed := &mortal{}
	for s := range servers {
		own := open()
		store := &mortal{Store: own}
		if s == 0 {
			killed = store
		}
		o := outbox.New(outbox.Deps{Store: store, Box: box, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Kinds: backchannel.Kinds(backchannel.Deps{
			Issuer: issuer, Algorithm: "ES256", Sign: ring.SignAs, Facts: own, Sessions: own, Ended: own,
			Caller: outbox.NewCaller([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}),
		})})
		runs.Go(func() { o.Run(background) })
	}
	arrived := func() int {
		mu.Lock()
		defer mu.Unlock()
		n := 0
		for what, times := range got {
			if strings.HasPrefix(what, "/") {
				n += min(times, each)
			}
		}
		return n
	}
	const want = (receivers - hang) * each
	for arrived() < want/3 {
		time.Sleep(10 * time.Millisecond)
	}
	killed.dead.Store(true)
	t.Logf("%d after %v; one server is killed", arrived(), time.Since(start).Round(time.Millisecond))
	last := 0
	for n := arrived(); n < want && time.Since(start) < 3*time.Minute; n = arrived() {
		if n*10/want > last {
			last = n * 10 / want
			t.Logf("%d after %v", n, time.Since(start).Round(time.Millisecond))
		}
		time.Sleep(10 * time.Millisecond)
	}
	took := time.Since(start)
	for n, _, err := db.WaitingItems(ctx); n > hang*each && time.Since(start) < 4*time.Minute; n, _, err = db.WaitingItems(ctx) {
		must(err)
		time.Sleep(50 * time.Millisecond)
	}
	waiting, _, err := db.WaitingItems(ctx)
	must(err)
	mu.Lock()
	defer mu.Unlock()
	again, twice := 0, 0
	for what, n := range got {
		if strings.HasPrefix(what, "/") {
			again += n - each
		} else if n > 1 {
			twice++
		}
	}
	t.Logf("%d arrived after %v, %d of them again, %d wait", arrivedAll(got), took.Round(time.Millisecond), again, waiting)
	if waiting != hang*each || again < 0 || twice > 0 {
		t.Errorf("%d wait, want %d; %d too many, %d tokens sent twice", waiting, hang*each, again, twice)
	}
}

func arrivedAll(got map[string]int) int {
	n := 0
	for what, times := range got {
		if strings.HasPrefix(what, "/") {
			n += times
		}
	}
	return n
}
