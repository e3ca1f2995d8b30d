package outbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/backchannel"
	"github.com/tokenwright/tokenwright/authserver/outbox"
	"github.com/tokenwright/tokenwright/authserver/seal"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

// fixture is a database with sessions that end, and servers on it that note each
// try.
type fixture struct {
	t    testing.TB
	db   *sqlstore.DB
	box  seal.Box
	log  log
	stop context.CancelFunc
	ctx  context.Context
	runs sync.WaitGroup
}

func newFixture(t testing.TB, url string) *fixture {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, db: db}
	if f.box, err = seal.NewBox(seal.Key{ID: [4]byte{1}}); err != nil {
		t.Fatal(err)
	}
	db.SealOutbox(f.box)
	f.ctx, f.stop = context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(func() {
		f.end()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func sqlite(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") }

// end stops the servers.
func (f *fixture) end() {
	f.stop()
	f.runs.Wait()
}

// inTime runs a test on SQLite under a clock of its own.
func inTime(t *testing.T, test func(t *testing.T, f *fixture)) {
	synctest.Test(t, func(t *testing.T) { test(t, newFixture(t, sqlite(t))) })
}

// serve runs a server whose tries do send.
func (f *fixture) serve(send func(ctx context.Context, facts []byte) error) *outbox.Outbox {
	return f.serveOn(f.db, send)
}

func (f *fixture) serveOn(store outbox.Store, send func(ctx context.Context, facts []byte) error) *outbox.Outbox {
	kind := backchannel.Kinds(backchannel.Deps{})[0]
	kind.Send = send
	o := outbox.New(outbox.Deps{Store: store, Box: f.box, Kinds: []outbox.Kind{kind}, Logger: slog.New(slog.NewTextHandler(&f.log, nil))})
	f.runs.Go(func() { o.Run(f.ctx) })
	return o
}

// ends ends sessions of clients, in order, each with so many.
func (f *fixture) ends(clients, each int, name string) {
	f.t.Helper()
	for c := range clients {
		id := fmt.Sprint(name, "-", c)
		err := f.db.AddClient(f.t.Context(), authserver.Client{ID: id, Incarnation: 1, BackchannelLogoutURI: "https://" + id + ".test/out"}, authserver.Event{})
		if err != nil {
			f.t.Fatal(err)
		}
		f.endsOf(id, each, "first")
	}
}

func (f *fixture) endsOf(client string, n int, name string) {
	f.t.Helper()
	var what []authserver.Ending
	for i := range n {
		what = append(what, authserver.Ending{
			Kind: authserver.KindSession, ID: fmt.Sprint(client, "-", name, "-", i), Subject: fmt.Sprint("sub-", i), ClientID: client, Reason: authserver.ReasonLogout,
		})
	}
	if err := f.db.End(f.t.Context(), what, authserver.Event{Act: "session.end"}); err != nil {
		f.t.Fatal(err)
	}
}

// waiting is how many items there are.
func (f *fixture) waiting() int {
	f.t.Helper()
	n, _, err := f.db.WaitingItems(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

// events counts the audit log's rows of an act, with a reason if it is not empty.
func (f *fixture) events(act, reason string) int {
	f.t.Helper()
	events, err := f.db.Events(f.t.Context(), authserver.Page{})
	if err != nil {
		f.t.Fatal(err)
	}
	n := 0
	for _, e := range events {
		if e.Act == act && (reason == "" || e.Reason == reason) {
			n++
		}
	}
	return n
}

// tally notes when what was tried.
type tally struct {
	mu    sync.Mutex
	start time.Time
	at    []time.Duration
	n     map[string]int
}

func newTally() *tally { return &tally{start: time.Now(), n: map[string]int{}} }

func (c *tally) add(facts []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, time.Since(c.start))
	c.n[string(facts)]++
}

func (c *tally) tries() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// sent is how many items were tried.
func (c *tally) sent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.n)
}

// log is a log that can be read while it is written.
type log struct {
	mu   sync.Mutex
	text []byte
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}
