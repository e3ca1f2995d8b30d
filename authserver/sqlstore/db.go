// Package sqlstore keeps everything in one database, SQLite or PostgreSQL:
// users, clients, keys, sessions, what has ended, the audit log. It decides
// nothing that its contracts in package authserver do not name. The statements
// are the same for both engines; how they are opened is not.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/seal"
	"github.com/tokenwright/tokenwright/migrations"
)

// Config says where the database is.
type Config struct {
	// URL is DATABASE_URL: sqlite:PATH or postgres://….
	URL string
}

// DB is a database. It is safe for concurrent use.
type DB struct {
	audit writer
	// box is of the outbox; nil before SealOutbox.
	box *seal.Box
	// w writes and r reads. In PostgreSQL they are one.
	w, r pool
	// schema is what migrations run on: no statement of theirs is bounded.
	schema  *sql.DB
	dialect migrations.Dialect
	// inTurn runs f while no other process is in it.
	inTurn func(ctx context.Context, f func() error) error
	// clock asks for the store's time in milliseconds; null is this machine's.
	clock string
	// listener is how Wakes connects; nil where nothing wakes.
	listener *pgx.ConnConfig
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

// Open opens the database that c names; for SQLite it makes the file and its
// folder if they are not there. The schema is Migrate's. An error is one
// sentence that holds no password.
func Open(ctx context.Context, c Config) (*DB, error) {
	if path, ok := strings.CutPrefix(c.URL, "sqlite:"); ok && path != "" {
		return openSQLite(ctx, path)
	}
	if strings.HasPrefix(c.URL, "postgres://") || strings.HasPrefix(c.URL, "postgresql://") {
		return openPostgres(ctx, c.URL)
	}
	return nil, errors.New("DATABASE_URL must be sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE")
}

// Close waits for running statements and closes the database.
func (d *DB) Close() error {
	return errors.Join(d.r.Close(), d.w.Close(), d.schema.Close())
}

// Migrate brings the schema to this program's version. Processes that start at
// the same time take turns. The error is one of package migrations.
func (d *DB) Migrate(ctx context.Context) error {
	return d.inTurn(ctx, func() error { return migrations.Up(ctx, d.schema, d.dialect) })
}

// CheckSchema returns an error of package migrations unless the schema is this
// program's.
func (d *DB) CheckSchema(ctx context.Context) error {
	return migrations.Check(ctx, d.schema, d.dialect)
}

// Migrations lists the steps of the schema, made and pending.
func (d *DB) Migrations(ctx context.Context) ([]migrations.Migration, error) {
	return migrations.Status(ctx, d.schema, d.dialect)
}

// Ping says whether the database answers, and returns its clock: for SQLite,
// this machine's.
func (d *DB) Ping(ctx context.Context) (time.Time, error) {
	var at sql.NullInt64
	if err := d.r.row(ctx, d.clock).Scan(&at); err != nil {
		return time.Time{}, failed("ping database", err)
	}
	if !at.Valid {
		return time.Now(), nil
	}
	return fromMillis(at.Int64), nil
}

// tx runs f in a transaction, which lasts if f returns nil. What f asks it asks
// under the ctx that it is given, which patience bounds.
func (d *DB) tx(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tx, err := d.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}
