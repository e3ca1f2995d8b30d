package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the driver
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tokenwright/tokenwright/migrations"
)

const (
	// busyTimeout bounds the wait for another process's write.
	busyTimeout = patience
	readers     = 4
)

// openSQLite opens the database at path, and makes it if it is not there.
func openSQLite(ctx context.Context, path string) (*DB, error) {
	if err := create(path); err != nil {
		return nil, fmt.Errorf("open database: %w; DATABASE_URL must name a file in a folder that this user may write to", err)
	}
	w, err := sql.Open("sqlite", dsn(path, "journal_mode(wal)"))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	r, err := sql.Open("sqlite", dsn(path, "query_only(1)"))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	// SQLite has one writer at a time. One connection makes writers queue in
	// order, where several would poll for the file's lock. Readers go beside it
	// and do not wait.
	w.SetMaxOpenConns(1)
	r.SetMaxOpenConns(readers)
	r.SetMaxIdleConns(readers)
	d := &DB{
		w:       pool{w, new(sync.Map)},
		r:       pool{r, new(sync.Map)},
		schema:  w,
		dialect: migrations.SQLite,
		inTurn:  func(ctx context.Context, f func() error) error { return locked(ctx, path+".lock", f) },
		clock:   `select null from counters where name = 'revocation'`,
	}
	err = d.inTurn(ctx, func() error {
		if _, err := w.ExecContext(ctx, "select count(*) from sqlite_schema"); err != nil {
			return unopened(path, err)
		}
		return nil
	})
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// locked runs f while no other process is in it: SQLite refuses all but one that
// set a new file's journal mode at once, without waiting, and goose locks
// nothing. The lock is on a file beside the database, for the reason that create
// has.
func locked(ctx context.Context, path string, f func() error) error {
	lock := flock.New(path, flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	defer lock.Close()
	return f()
}

// create makes what is missing, for the owner's eyes alone: SQLite gives its
// other files the database's mode.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// Only a new file: closing one that is in use here would give up SQLite's locks.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// dsn carries the pragmas, so that every connection of a pool has them.
func dsn(path, pragma string) string {
	q := url.Values{
		"_pragma": {
			fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
			// What has ended must stay ended after the power fails.
			"synchronous(full)",
			pragma,
		},
		// A transaction that reads first and writes later cannot be refused
		// half way if it has the write lock from its start.
		"_txlock": {"immediate"},
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

// unopened says in one sentence why there is no database at path.
func unopened(path string, err error) error {
	switch code(err) & 0xff {
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%s is not a SQLite database, or a damaged one: set DATABASE_URL to another file or restore a backup: %w", path, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%s is locked by another program: end it or set DATABASE_URL to another file: %w", path, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("%s cannot be opened for writing: DATABASE_URL must name a file; give this user the right to write to it and to its folder: %w", path, err)
	}
	return fmt.Errorf("open database %s: %w", path, err)
}
