package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/audit"
)

// writer is who writes the audit log: this process, with a chain of its own.
type writer struct {
	key   audit.Key
	chain string
}

// BeginChain begins this process's chain in the audit log, under key. It comes
// before the first change: rows that were written without show in audit.Verify.
func (d *DB) BeginChain(key audit.Key) { d.audit = writer{key: key, chain: rand.Text()} }

// Record appends to the audit log.
func (d *DB) Record(ctx context.Context, events ...authserver.Event) error {
	if len(events) == 0 {
		return nil
	}
	return failed("record event", d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error { return d.record(ctx, tx, events...) }))
}

// record appends to the audit log what tx does. It is a transaction's last step:
// the log is locked from here to the commit, so that rows are numbered in the
// order of commits and without gaps.
func (d *DB) record(ctx context.Context, tx *sql.Tx, events ...authserver.Event) error {
	var first, last int64
	err := tx.QueryRowContext(ctx, `
		update event_log set last_id = last_id + $1 where name = 'events' returning first_id, last_id`,
		len(events)).Scan(&first, &last)
	if err != nil {
		return err
	}
	var mac []byte
	// Not within the statement before: that one may have waited for the lock, and
	// would see the chain as it was then.
	err = tx.QueryRowContext(ctx, `select mac from chains where id = $1`, d.audit.chain).Scan(&mac)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	insert, err := tx.PrepareContext(ctx, `
		insert into events (id, at, act, result, actor, subject, client_id, session_id, ip, request_id, reason, times, chain, key_id, mac)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	now := time.Now()
	for i, e := range events {
		if e.At.IsZero() {
			e.At = now
		}
		r := audit.Row{Event: e, ID: last - int64(len(events)-1-i), Chain: d.audit.chain, KeyID: d.audit.key.ID}
		mac = d.audit.key.MAC(mac, r)
		_, err := insert.ExecContext(ctx,
			r.ID, r.At.UnixMilli(), r.Act, r.Result, r.Actor, r.Subject, r.ClientID, r.SessionID, r.IP, r.RequestID, r.Reason,
			r.Times, r.Chain, r.KeyID, mac)
		if err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `
		insert into chains (id, event_id, mac, anchor) values ($1, $2, $3, $4)
		on conflict (id) do update set event_id = excluded.event_id, mac = excluded.mac`,
		d.audit.chain, last, mac, []byte{})
	if err != nil {
		return err
	}
	return d.seal(ctx, tx, first, last)
}

func (d *DB) seal(ctx context.Context, tx *sql.Tx, first, last int64) error {
	_, err := tx.ExecContext(ctx, `update event_log set first_id = $1, key_id = $2, seal = $3 where name = 'events'`,
		first, d.audit.key.ID, d.audit.key.Seal(first, last))
	return err
}

// Head is the last row of this process's chain.
func (d *DB) Head(ctx context.Context) (audit.Head, error) {
	h := audit.Head{Chain: d.audit.chain}
	err := d.r.row(ctx, `select event_id, mac from chains where id = $1`, h.Chain).Scan(&h.ID, &h.MAC)
	return h, failed("find audit head", err)
}

const eventColumns = `id, at, act, result, actor, subject, client_id, session_id, ip, request_id, reason, times, chain, key_id, mac`

func scanEvent(row scanner) (r audit.Row, err error) {
	var at int64
	err = row.Scan(&r.ID, &at, &r.Act, &r.Result, &r.Actor, &r.Subject, &r.ClientID, &r.SessionID, &r.IP, &r.RequestID, &r.Reason,
		&r.Times, &r.Chain, &r.KeyID, &r.MAC)
	r.At = time.UnixMilli(at).UTC()
	return r, err
}

// Events lists the newest first.
func (d *DB) Events(ctx context.Context, p authserver.Page) ([]authserver.Event, error) {
	events, err := list(ctx, &d.r, func(row scanner) (authserver.Event, error) {
		r, err := scanEvent(row)
		return r.Event, err
	}, `select `+eventColumns+` from events order by id desc limit $1 offset $2`, limit(p), p.Offset)
	return events, failed("list events", err)
}
