package sqlstore

import (
	"context"
	"database/sql"

	"github.com/tokenwright/tokenwright/authserver"
)

// Record appends to the audit log.
func (d *DB) Record(ctx context.Context, events ...authserver.Event) error {
	err := d.tx(ctx, func(tx *sql.Tx) error {
		for _, e := range events {
			if err := record(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	return failed("record event", err)
}

// record appends to the audit log what tx does.
func record(ctx context.Context, tx *sql.Tx, e authserver.Event) error {
	id, err := next(ctx, tx, "event")
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		insert into events (id, at, act, result, actor, subject, client_id, session_id, ip, request_id, reason)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		id, millis(e.At), e.Act, e.Result, e.Actor, e.Subject, e.ClientID, e.SessionID, e.IP, e.RequestID, e.Reason)
	return err
}

// Events lists the newest first.
func (d *DB) Events(ctx context.Context, p authserver.Page) ([]authserver.Event, error) {
	events, err := list(ctx, &d.r, func(row scanner) (e authserver.Event, err error) {
		var at int64
		err = row.Scan(&at, &e.Act, &e.Result, &e.Actor, &e.Subject, &e.ClientID, &e.SessionID, &e.IP, &e.RequestID, &e.Reason)
		e.At = fromMillis(at)
		return e, err
	}, `
		select at, act, result, actor, subject, client_id, session_id, ip, request_id, reason
		from events order by id desc limit $1 offset $2`, limit(p), p.Offset)
	return events, failed("list events", err)
}
