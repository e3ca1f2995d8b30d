package sqlstore

import (
	"context"
	"database/sql"
	"time"

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

// ActivateKey lets a key sign from now on.
func (d *DB) ActivateKey(ctx context.Context, kid string, e authserver.Event) error {
	from := time.Now().Add(-skew).UnixMilli()
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		some, err := changeKey(ctx, tx, kid, `
			update signing_keys set active_at = $2
			where kid = $1 and active_at > $2 and remove_at = 0`, from)
		if err != nil || !some {
			return err
		}
		return d.record(ctx, tx, e)
	})
	return failed("activate key", err)
}

// RetireKey sets when a key that signs no more is removed.
func (d *DB) RetireKey(ctx context.Context, kid string, last time.Time, e authserver.Event) error {
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		some, err := changeKey(ctx, tx, kid, `
			update signing_keys set remove_at = $2 + (select millis from lifetimes where name = 'access')
			where kid = $1 and remove_at = 0`, last.Add(skew).UnixMilli())
		if err != nil || !some {
			return err
		}
		return d.record(ctx, tx, e)
	})
	return failed("retire key", err)
}

// BurnKey destroys a key and ends its tokens.
func (d *DB) BurnKey(ctx context.Context, kid string, e authserver.Event) error {
	now := time.Now()
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := lock(ctx, tx, "revocation"); err != nil {
			return err
		}
		burnt, err := changeKey(ctx, tx, kid, `
			update signing_keys set sealed = $3, remove_at = case when remove_at = 0 or remove_at > $2 then $2 else remove_at end
			where kid = $1 and length(sealed) > 0`, now.UnixMilli(), bytes(nil))
		if err != nil || !burnt {
			return err
		}
		if _, err := revoke(ctx, tx, entry{kind: authserver.KindKey, id: kid, reason: authserver.ReasonKeyBurnt}, now); err != nil {
			return err
		}
		return d.record(ctx, tx, e)
	})
	return failed("burn key", err)
}

// ResealKeys replaces what is sealed, and the check value beside it.
func (d *DB) ResealKeys(ctx context.Context, keys []authserver.SealedKey, checkName, check string, e authserver.Event) error {
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, k := range keys {
			_, err := tx.ExecContext(ctx, `
				update signing_keys set sealed = $2 where kid = $1 and length(sealed) > 0`, k.KID, k.Sealed)
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `update meta set value = $2 where name = $1`, checkName, check)
		if err != nil {
			return err
		}
		return d.record(ctx, tx, e)
	})
	return failed("reseal keys", err)
}

// changeKey runs update, whose $1 is kid, and reports whether it changed
// something. ErrNoRows if there is no such key.
func changeKey(ctx context.Context, tx *sql.Tx, kid, update string, args ...any) (bool, error) {
	res, err := tx.ExecContext(ctx, update, append([]any{kid}, args...)...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	if err != nil || n > 0 {
		return n > 0, err
	}
	return false, tx.QueryRowContext(ctx, `select kid from signing_keys where kid = $1`, kid).Scan(&kid)
}
