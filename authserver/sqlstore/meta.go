package sqlstore

import (
	"context"
	"database/sql"
	"time"
)

// Meta returns what is kept under name.
func (d *DB) Meta(ctx context.Context, name string) (value string, err error) {
	err = d.r.row(ctx, `select value from meta where name = $1`, name).Scan(&value)
	return value, failed("find meta", err)
}

// KeepMeta stores value unless something is there, and returns what is.
func (d *DB) KeepMeta(ctx context.Context, name, value string) (kept string, err error) {
	err = d.w.row(ctx, `
		insert into meta (name, value) values ($1, $2)
		on conflict (name) do update set value = meta.value
		returning value`, name, value).Scan(&kept)
	return kept, failed("keep meta", err)
}

// RaiseLifetimes makes the longest lives that were used at least these.
func (d *DB) RaiseLifetimes(ctx context.Context, access, session time.Duration) error {
	_, err := d.w.exec(ctx, `
		update lifetimes set millis = case
			when name = 'access' and millis < $1 then $1
			when name = 'session' and millis < $2 then $2
			else millis end`, access.Milliseconds(), session.Milliseconds())
	return failed("raise lifetimes", err)
}

// AccessLifetime is the longest that an access token can live.
func (d *DB) AccessLifetime(ctx context.Context) (time.Duration, error) {
	var n int64
	err := d.r.row(ctx, `select millis from lifetimes where name = 'access'`).Scan(&n)
	return time.Duration(n) * time.Millisecond, failed("find lifetime", err)
}

// lock is taken before anything else that two transactions could take in turns,
// so that neither waits for the other for ever: "revocation" by those that end
// or forget several things, "user" by those that give names. It lasts until tx
// ends.
func lock(ctx context.Context, tx *sql.Tx, counter string) error {
	_, err := tx.ExecContext(ctx, `update counters set value = value where name = $1`, counter)
	return err
}

// next gives a counter's next number. The counter is locked until tx ends, so
// that numbers are given in the order of commits.
func next(ctx context.Context, tx *sql.Tx, counter string) (n int64, err error) {
	err = tx.QueryRowContext(ctx, `update counters set value = value + 1 where name = $1 returning value`, counter).Scan(&n)
	return n, err
}
