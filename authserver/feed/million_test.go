package feed

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/resourcetest"
)

// mostOfEntry is what an entry may cost in either process, in bytes of memory that
// is in use.
const mostOfEntry = 200

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// fillTable writes n live entries of tokens, as End does, and returns their ids.
func fillTable(t *testing.T, path string, n int) []string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ids := make([]string, 0, n)
	until := time.Now().Add(31 * time.Minute).UnixMilli()
	for len(ids) < n {
		values := make([]string, min(1000, n-len(ids)))
		for i := range values {
			ids = append(ids, authserver.NewID())
			values[i] = fmt.Sprintf("(%d, 'token', '%s', 0, 'revoked', 'https://api.example.test', %d)", len(ids), ids[len(ids)-1], until)
		}
		_, err := db.ExecContext(t.Context(), `
			insert into revocations (seq, kind, id, epoch, reason, resources, until) values `+strings.Join(values, ", "))
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.ExecContext(t.Context(), `update counters set value = `+strconv.Itoa(n)+` where name = 'revocation'`); err != nil {
		t.Fatal(err)
	}
	return ids
}

// Very many entries are read, served, followed and resumed, and cost little.
func TestVeryManyEntries(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector makes each statement slower than its patience")
	}
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids := fillTable(t, path, million)
	var log bytes.Buffer
	before := heap()
	ended := resource.NewEnded()
	tail := New(db, ended, 0, slog.New(slog.NewTextHandler(&log, nil)))
	begun := time.Now()
	if err := tail.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d entries: read in %v", million, time.Since(begun))
	if ended.Len() != million || tail.Behind() {
		t.Fatalf("%d entries, behind %v", ended.Len(), tail.Behind())
	}
	each := (heap() - before) / million
	t.Logf("an authorization server has %d bytes for each", each)
	if each > mostOfEntry {
		t.Errorf("%d bytes an entry, want at most %d", each, mostOfEntry)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go tail.Run(ctx)

	issuer := resourcetest.NewHandler(t, "")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != resourcetest.PathFeed {
			issuer.ServeHTTP(w, r)
		} else if err := tail.Follow(w, r, Serves([]string{"https://api.example.test"}), always); err != nil {
			t.Logf("a follower was let go: %v", err)
		}
	}))
	defer func() { cancel(); srv.Close() }()
	issuer.URL = srv.URL
	before = heap()
	begun = time.Now()
	v, err := resource.New(ctx, issuer.Config())
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("followed after %v", time.Since(begun))
	if v.Endings() != million {
		t.Fatalf("the follower has %d entries", v.Endings())
	}
	each = (heap() - before) / million
	t.Logf("a resource server has %d bytes for each", each)
	if each > mostOfEntry {
		t.Errorf("%d bytes an entry, want at most %d", each, mostOfEntry)
	}
	token := func(jti string) string {
		c := issuer.User("alice", "user")
		c.ID = jti
		return issuer.Mint(c)
	}
	good, last := token("good"), token(ids[million-1])
	if _, err := v.Verify(t.Context(), last); err == nil {
		t.Error("an ended token is good")
	}
	if _, err := v.Verify(t.Context(), good); err != nil {
		t.Errorf("a good token: %v", err)
	}

	at := tail.view.Load()
	srv.CloseClientConnections()
	end(t, db, authserver.KindToken, "good")
	answered := time.Now()
	for _, err := v.Verify(t.Context(), good); err == nil; _, err = v.Verify(t.Context(), good) {
		if time.Since(answered) > 5*time.Second {
			t.Fatal("nothing is heard after the connection was lost")
		}
	}
	t.Logf("heard %v after the connection was lost", time.Since(answered))
	events, stop := followAs(t, tail, fmt.Sprint(at.head), "copy="+at.mark(at.head))
	if e := <-events; e.name != "revoke" || !strings.Contains(e.data, `"good"`) {
		t.Errorf("who comes back gets %s of %d bytes", e.name, len(e.data))
	}
	stop()
	if log.Len() > 0 {
		t.Errorf("the log says: %s", log.String())
	}
}
