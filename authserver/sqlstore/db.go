// Package sqlstore keeps everything in one SQLite database: users, clients,
// keys, sessions, what has ended, the audit log. It decides nothing that its
// contracts in package authserver do not name. The statements are valid in
// PostgreSQL too.
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
	"strings"
	"time"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the driver
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/migrations"
)

// Config says where the database is.
type Config struct {
	// URL is DATABASE_URL: sqlite:PATH.
	URL string
}

// DB is a database. It is safe for concurrent use.
type DB struct {
	path  string
	audit writer
	// SQLite has one writer at a time. One connection makes writers queue in
	// order, where several would poll for the file's lock.
	w pool
	// r reads, beside the writer and without waiting for it.
	r pool
}

var (
	_ authserver.FactStore     = (*DB)(nil)
	_ authserver.SessionStore  = (*DB)(nil)
	_ authserver.UserStore     = (*DB)(nil)
	_ authserver.ClientStore   = (*DB)(nil)
	_ authserver.KeyStore      = (*DB)(nil)
	_ authserver.RevocationLog = (*DB)(nil)
	_ authserver.AuditLog      = (*DB)(nil)
	_ authserver.MetaStore     = (*DB)(nil)
)

const (
	// busyTimeout bounds the wait for another process's write.
	busyTimeout = 2 * time.Second
	readers     = 4
)

// Open opens the database, and makes the file and its folder if they are not
// there. The schema is Migrate's.
func Open(ctx context.Context, c Config) (*DB, error) {
	path, ok := strings.CutPrefix(c.URL, "sqlite:")
	if !ok || path == "" {
		return nil, errors.New("DATABASE_URL must be sqlite:PATH; other databases are not supported")
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("open database: %w; DATABASE_URL must name a file in a folder that this user may write to", err)
	}
	d := &DB{path: path}
	var err error
	if d.w.DB, err = sql.Open("sqlite", dsn(path, "journal_mode(wal)")); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if d.r.DB, err = sql.Open("sqlite", dsn(path, "query_only(1)")); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	d.w.SetMaxOpenConns(1)
	d.r.SetMaxOpenConns(readers)
	d.r.SetMaxIdleConns(readers)
	err = d.inTurn(ctx, func() error {
		if _, err := d.w.ExecContext(ctx, "select count(*) from sqlite_schema"); err != nil {
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

// inTurn runs f while no other process is in it: SQLite refuses all but one that
// set a new file's journal mode at once, without waiting, and goose locks
// nothing. The lock is on a file beside the database, for the reason that create
// has.
func (d *DB) inTurn(ctx context.Context, f func() error) error {
	lock := flock.New(d.path+".lock", flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("lock %s.lock: %w", d.path, err)
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

// Close waits for running statements and closes the file.
func (d *DB) Close() error { return errors.Join(d.r.Close(), d.w.Close()) }

// Migrate brings the schema to this program's version. Processes that start at
// the same time take turns. The error is one of package migrations.
func (d *DB) Migrate(ctx context.Context) error {
	return d.inTurn(ctx, func() error { return migrations.Up(ctx, d.w.DB, migrations.SQLite) })
}

// CheckSchema returns an error of package migrations unless the schema is this
// program's.
func (d *DB) CheckSchema(ctx context.Context) error {
	return migrations.Check(ctx, d.w.DB, migrations.SQLite)
}

// Migrations lists the steps of the schema, made and pending.
func (d *DB) Migrations(ctx context.Context) ([]migrations.Migration, error) {
	return migrations.Status(ctx, d.w.DB, migrations.SQLite)
}

// Ping says whether the database answers, and returns its clock: this machine's.
func (d *DB) Ping(ctx context.Context) (time.Time, error) {
	var n int
	if err := d.r.row(ctx, "select count(*) from counters").Scan(&n); err != nil {
		return time.Time{}, failed("ping database", err)
	}
	return time.Now(), nil
}

// tx runs f in a transaction, which lasts if f returns nil.
func (d *DB) tx(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := d.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
