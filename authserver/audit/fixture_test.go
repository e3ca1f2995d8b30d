package audit_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/audit"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

var (
	key    = audit.Key{ID: "01020304", Secret: []byte("a key that is derived from SECRET_KEY")}
	newKey = audit.Key{ID: "05060708", Secret: []byte("a key that is derived from the next one")}
)

// open opens the database at path as one process does.
func open(t testing.TB, path string, k audit.Key) *sqlstore.DB {
	t.Helper()
	ctx := context.Background()
	db, err := sqlstore.Open(ctx, sqlstore.Config{URL: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	db.BeginChain(k)
	return db
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "test.db") }

// edit does what somebody with write access to the database can.
func edit(t testing.TB, path string, queries ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range queries {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

func record(t testing.TB, db *sqlstore.DB, acts ...string) {
	t.Helper()
	for _, act := range acts {
		if err := db.Record(context.Background(), event(act)); err != nil {
			t.Fatal(err)
		}
	}
}

func event(act string) authserver.Event {
	return authserver.Event{
		At: time.UnixMilli(1_800_000_000_000), Act: act, Result: "success", Actor: "cli", Subject: "sub", ClientID: "web", SessionID: "sid",
		IP: "192.0.2.1", RequestID: "r-1", Reason: "logout",
	}
}

func verify(t testing.TB, src audit.Source, keys []audit.Key, known ...audit.Head) audit.Report {
	t.Helper()
	r, err := audit.Verify(context.Background(), src, keys, known...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sound fails unless the log has that many rows and nothing wrong.
func sound(t testing.TB, src audit.Source, rows int64, keys ...audit.Key) {
	t.Helper()
	if len(keys) == 0 {
		keys = []audit.Key{key}
	}
	if r := verify(t, src, keys); r.Rows != rows || len(r.Faults) > 0 {
		t.Errorf("%d rows with %v, want %d and nothing wrong", r.Rows, r.Faults, rows)
	}
}

func head(t testing.TB, db *sqlstore.DB) audit.Head {
	t.Helper()
	h, err := db.Head(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// copyFile puts a copy of a database that nobody has open into a folder of its own.
func copyFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := newPath(t)
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// snapshot is a copy of a database that is in use.
func snapshot(t testing.TB, path string) string {
	t.Helper()
	to := newPath(t)
	edit(t, path, fmt.Sprintf("vacuum into '%s'", to))
	return to
}
