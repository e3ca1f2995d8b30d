package sqlstore

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// patience bounds everything that is asked of the database, the wait for a
// connection included: a request that asks twice is still refused in time.
const patience = 1500 * time.Millisecond

// pool bounds what it is asked to do by patience.
type pool struct {
	*sql.DB
	// prepared keeps the statements that were run (query → *sql.Stmt), as
	// parsing them costs more than running them; nil where the driver does.
	prepared *sync.Map
}

// row is QueryRowContext of a statement that is one of a few. Scan must be
// called.
func (p *pool) row(ctx context.Context, query string, args ...any) scanner {
	if p.prepared == nil {
		return p.once(ctx, query, args...)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	stmt, ok := p.prepared.Load(query)
	if !ok {
		made, err := p.PrepareContext(ctx, query)
		if err != nil {
			return row{p.QueryRowContext(ctx, query, args...), cancel} // and fail there
		}
		if stmt, ok = p.prepared.LoadOrStore(query, made); ok {
			made.Close()
		}
	}
	return row{stmt.(*sql.Stmt).QueryRowContext(ctx, args...), cancel}
}

// once is row of a statement that may never come again.
func (p *pool) once(ctx context.Context, query string, args ...any) scanner {
	ctx, cancel := context.WithTimeout(ctx, patience)
	return row{p.QueryRowContext(ctx, query, args...), cancel}
}

func (p *pool) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return p.ExecContext(ctx, query, args...)
}

// row gives up its share of patience when it is read.
type row struct {
	*sql.Row
	cancel context.CancelFunc
}

func (r row) Scan(dest ...any) error {
	defer r.cancel()
	return r.Row.Scan(dest...)
}

// list scans every row that query finds.
func list[T any](ctx context.Context, p *pool, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rows, err := p.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
