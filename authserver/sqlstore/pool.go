package sqlstore

import (
	"context"
	"database/sql"
	"sync"
)

// pool keeps the statements that it has run prepared: parsing them costs more
// than running them.
type pool struct {
	*sql.DB
	prepared sync.Map // query → *sql.Stmt
}

// row is QueryRowContext of a statement that is one of a few.
func (p *pool) row(ctx context.Context, query string, args ...any) *sql.Row {
	stmt, ok := p.prepared.Load(query)
	if !ok {
		made, err := p.PrepareContext(ctx, query)
		if err != nil {
			return p.QueryRowContext(ctx, query, args...) // and fail there
		}
		if stmt, ok = p.prepared.LoadOrStore(query, made); ok {
			made.Close()
		}
	}
	return stmt.(*sql.Stmt).QueryRowContext(ctx, args...)
}

// list scans every row that query finds.
func list[T any](ctx context.Context, p *pool, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
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
