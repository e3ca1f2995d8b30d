package sqlstore

import (
	"context"
	"database/sql"

	"github.com/tokenwright/tokenwright/authserver"
)

// Keys lists all signing keys.
func (d *DB) Keys(ctx context.Context) ([]authserver.SealedKey, error) {
	keys, err := list(ctx, &d.r, func(row scanner) (k authserver.SealedKey, err error) {
		var created, active, remove int64
		err = row.Scan(&k.KID, &k.Algorithm, &k.Generation, &k.Sealed, &created, &active, &remove)
		k.CreatedAt, k.ActiveAt, k.RemoveAt = fromMillis(created), fromMillis(active), fromMillis(remove)
		return k, err
	}, `
		select kid, algorithm, generation, sealed, created_at, active_at, remove_at
		from signing_keys order by algorithm, generation`)
	return keys, failed("list keys", err)
}

// AddKey keeps a key if its generation is still free.
func (d *DB) AddKey(ctx context.Context, k authserver.SealedKey, e authserver.Event) error {
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `
			insert into signing_keys (kid, algorithm, generation, sealed, created_at, active_at, remove_at)
			values ($1, $2, $3, $4, $5, $6, $7)
			on conflict do nothing`,
			k.KID, k.Algorithm, k.Generation, bytes(k.Sealed), millis(k.CreatedAt), millis(k.ActiveAt), millis(k.RemoveAt))
		if err = changed(res, err, authserver.ErrConflict); err != nil {
			return err
		}
		return d.record(ctx, tx, e)
	})
	return failed("add key", err)
}
