package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/migrations"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, url string
		want      string
	}{
		{"a file that is not a database", "sqlite:" + text, "notes.txt is not a SQLite database"},
		{"a folder that cannot be made", "sqlite:" + text + "/data/tokenwright.db", "DATABASE_URL must name a file"},
		{"a folder in the file's place", "sqlite:" + dir, "cannot be opened for writing"},
		{"no path", "sqlite:", "DATABASE_URL must be sqlite:PATH"},
		{"another database", "mysql://user:hunter2@db/tokenwright", "DATABASE_URL must be sqlite:PATH or postgres://"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: tc.url})
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one sentence with %q", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in %v", err)
			}
		})
	}

	t.Run("the folder is made, and what is in it is the owner's", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "data with space%3F", "a?b#c.db")
		d := open(t, path)
		if err := d.Record(t.Context(), authserver.Event{}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, path + "-wal", path + "-shm"} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", name, info.Mode())
			}
		}
	})

	t.Run("a database in use by another program", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		other := raw(t, path)
		run(t, other, "pragma locking_mode = exclusive")
		run(t, other, "create table theirs (n)")
		_, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: "sqlite:" + path})
		if err == nil || !strings.Contains(err.Error(), "test.db is locked by another program") {
			t.Errorf("got %v, want a sentence that says so", err)
		}
	})
}

func TestMigrate(t *testing.T) {
	t.Run("a database of a newer program is refused and left alone", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		d := open(t, path)
		run(t, raw(t, path), "insert into goose_db_version (version_id, is_applied) values (99, 1)")
		for name, err := range map[string]error{"Migrate": d.Migrate(t.Context()), "CheckSchema": d.CheckSchema(t.Context())} {
			newer, ok := errors.AsType[*migrations.NewerError](err)
			if !ok || newer.Database != 99 || !strings.Contains(err.Error(), "newer tokenwright") {
				t.Errorf("%s: got %v, want a *NewerError for 99", name, err)
			}
		}
	})

	t.Run("a database without a schema is told from a ready one", func(t *testing.T) {
		d, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if _, ok := errors.AsType[*migrations.PendingError](d.CheckSchema(t.Context())); !ok {
			t.Errorf("got %v, want a *PendingError", d.CheckSchema(t.Context()))
		}
		steps, err := d.Migrations(t.Context())
		if err != nil || len(steps) == 0 || !steps[0].AppliedAt.IsZero() || steps[0].Name != "0001_first.sql" {
			t.Errorf("got %+v, %v; want pending steps", steps, err)
		}
		for range 2 { // the second time there is nothing to do
			if err := d.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.CheckSchema(t.Context()); err != nil {
			t.Error(err)
		}
		if steps, err := d.Migrations(t.Context()); err != nil || steps[0].AppliedAt.IsZero() {
			t.Errorf("got %+v, %v; want applied steps", steps, err)
		}
	})

	t.Run("processes that start at once take turns", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "data", "test.db")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStartedProcess$")
				c.Env = append(os.Environ(), "START_ON="+path)
				if out, err := c.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
		wg.Wait()
		var n int
		if err := raw(t, path).QueryRowContext(t.Context(), "select count(*) from goose_db_version where version_id = 1").Scan(&n); err != nil || n != 1 {
			t.Errorf("the first step was made %d times, %v", n, err)
		}
	})
}

// TestStartedProcess is a process of its own that TestMigrate starts.
func TestStartedProcess(t *testing.T) {
	path := os.Getenv("START_ON")
	if path == "" {
		t.Skip("started by TestMigrate")
	}
	d := open(t, path)
	if err := d.Record(t.Context(), authserver.Event{Act: "start"}); err != nil {
		t.Fatal(err)
	}
}

func TestUnavailable(t *testing.T) {
	t.Run("a database that is closed", func(t *testing.T) {
		d, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")})
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
		if _, err := d.Facts(t.Context(), authserver.Ask{}); !errors.Is(err, authserver.ErrUnavailable) {
			t.Errorf("Facts: got %v, want %v", err, authserver.ErrUnavailable)
		}
		if err := d.End(t.Context(), nil, authserver.Event{}); !errors.Is(err, authserver.ErrUnavailable) {
			t.Errorf("End: got %v, want %v", err, authserver.ErrUnavailable)
		}
		if _, err := d.Ping(t.Context()); !errors.Is(err, authserver.ErrUnavailable) {
			t.Errorf("Ping: got %v, want %v", err, authserver.ErrUnavailable)
		}
	})

	t.Run("another program's write that takes too long", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		d := open(t, path)
		run(t, raw(t, path), "begin immediate")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := d.End(ctx, []authserver.Ending{{Kind: authserver.KindToken, ID: "jti"}}, authserver.Event{})
		if !errors.Is(err, authserver.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v and %v", err, authserver.ErrUnavailable, context.DeadlineExceeded)
		}
		if _, err := d.Facts(t.Context(), authserver.Ask{}); err != nil {
			t.Errorf("a writer kept a reader out: %v", err)
		}
	})
}

// raw is another program's connection to the database at path.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}
