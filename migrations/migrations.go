// Package migrations owns the schema of the database: numbered statements that
// SQLite and PostgreSQL both take. They only add, so that a server of the
// version before that is still running goes on while the next one starts. Each
// changes one table that is there: a step that changed two would hold the first
// while it waits for the second, and PostgreSQL would fail a request that has
// them the other way round.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"path"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed *.sql
var files embed.FS

// Dialect names the database engine.
type Dialect = goose.Dialect

// The dialects of modernc.org/sqlite and of pgx.
const (
	SQLite   = goose.DialectSQLite3
	Postgres = goose.DialectPostgres
)

// Migration is one step of the schema.
type Migration struct {
	Version int64
	Name    string
	// AppliedAt is zero while the step is pending.
	AppliedAt time.Time
}

// NewerError says that a later version of the program has been at the database.
type NewerError struct {
	Database, Program int64 // schema versions
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the database has schema version %d and this program knows versions up to %d: run the newer tokenwright that made it", e.Database, e.Program)
}

// PendingError says that the database lacks steps.
type PendingError struct {
	Database, Program int64 // schema versions
}

func (e *PendingError) Error() string {
	return fmt.Sprintf("the database has schema version %d and this program needs %d: run `tokenwright migrate up`", e.Database, e.Program)
}

// Up brings the schema to the program's version. Steps that were made before an
// error stay; the failed one leaves nothing. It returns *NewerError, having
// changed nothing, if the database is ahead. Callers that may start at the same
// time take turns.
func Up(ctx context.Context, db *sql.DB, d Dialect) error {
	p, err := provider(db, d)
	if err != nil {
		return err
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have > want {
		return &NewerError{have, want}
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate schema: %w", err)
	}
	return nil
}

// Check returns *PendingError or *NewerError unless the schema is the program's.
func Check(ctx context.Context, db *sql.DB, d Dialect) error {
	p, err := provider(db, d)
	if err != nil {
		return err
	}
	have, want, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("read schema version: %w", err)
	case have > want:
		return &NewerError{have, want}
	case have < want:
		return &PendingError{have, want}
	}
	return nil
}

// Status lists the program's steps in order.
func Status(ctx context.Context, db *sql.DB, d Dialect) ([]Migration, error) {
	p, err := provider(db, d)
	if err != nil {
		return nil, err
	}
	steps, err := p.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read schema status: %w", err)
	}
	var out []Migration
	for _, s := range steps {
		out = append(out, Migration{Version: s.Source.Version, Name: path.Base(s.Source.Path), AppliedAt: s.AppliedAt})
	}
	return out, nil
}

func provider(db *sql.DB, d Dialect) (*goose.Provider, error) {
	// The registry is goose's global state; the files are all there is.
	p, err := goose.NewProvider(d, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return p, nil
}
