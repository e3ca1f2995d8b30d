package sqlstore

import (
	"context"
	"database/sql"
	"strings"

	"github.com/tokenwright/tokenwright/authserver"
)

// Scopes are all registered scopes.
func (d *DB) Scopes(ctx context.Context) (authserver.Scopes, error) {
	type named struct {
		name string
		authserver.Scope
	}
	all, err := list(ctx, &d.r, func(row scanner) (s named, err error) {
		err = row.Scan(&s.name, &s.RequiresRole, &s.Description)
		return s, err
	}, `select name, requires_role, description from scopes`)
	if err != nil {
		return nil, failed("list scopes", err)
	}
	scopes := authserver.Scopes{}
	for _, s := range all {
		scopes[s.name] = s.Scope
	}
	return scopes, nil
}

// Resources lists all by identifier.
func (d *DB) Resources(ctx context.Context) ([]authserver.Resource, error) {
	resources, err := list(ctx, &d.r, func(row scanner) (r authserver.Resource, err error) {
		var scopes string
		err = row.Scan(&r.Identifier, &r.Name, &scopes)
		r.Scopes = strings.Fields(scopes)
		return r, err
	}, `select identifier, name, scopes from resources order by identifier`)
	return resources, failed("list resources", err)
}

// PutScope makes or overwrites a scope.
func (d *DB) PutScope(ctx context.Context, name string, s authserver.Scope, e authserver.Event) error {
	return failed("put scope", d.put(ctx, e, `
		insert into scopes (name, requires_role, description) values ($1, $2, $3)
		on conflict (name) do update set requires_role = excluded.requires_role, description = excluded.description`,
		name, s.RequiresRole, s.Description))
}

// RemoveScope forgets a scope.
func (d *DB) RemoveScope(ctx context.Context, name string, e authserver.Event) error {
	return failed("remove scope", d.put(ctx, e, `delete from scopes where name = $1`, name))
}

// PutResource makes or overwrites a resource.
func (d *DB) PutResource(ctx context.Context, r authserver.Resource, e authserver.Event) error {
	return failed("put resource", d.put(ctx, e, `
		insert into resources (identifier, name, scopes) values ($1, $2, $3)
		on conflict (identifier) do update set name = excluded.name, scopes = excluded.scopes`, r.Identifier, r.Name, join(r.Scopes)))
}

// RemoveResource forgets a resource, and takes it from the clients that may ask
// tokens for it.
func (d *DB) RemoveResource(ctx context.Context, identifier string, e authserver.Event) error {
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `delete from resources where identifier = $1`, identifier)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			update clients set resources = trim(replace(' ' || resources || ' ', $1, ' '))
			where resources <> trim(replace(' ' || resources || ' ', $1, ' '))`, " "+identifier+" ")
		if err != nil {
			return err
		}
		return d.record(ctx, tx, e)
	})
	return failed("remove resource", err)
}

// put runs one statement, and records e if it changed something.
func (d *DB) put(ctx context.Context, e authserver.Event, query string, args ...any) error {
	return d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return d.record(ctx, tx, e)
	})
}
