package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/backchannel"
)

// mark writes a session's tombstone, reports false if it has one, and lets the
// client be told of a session that had none, if it wants to be. What a browser
// session has opened is to be found. It also counts the user's entries, so that
// each of very many sessions costs no statement more.
func (d *DB) mark(ctx context.Context, tx *sql.Tx, w authserver.Ending, at time.Time) (ofUser int, marked bool, err error) {
	whose := w.ClientID
	if whose == authserver.BrowserClientID {
		whose = ""
	}
	var wants bool
	err = tx.QueryRowContext(ctx, `
		insert into tombstones (session_id, subject, client_id, reason, ended_at, until)
		values ($1, $2, $3, $4, $5, $6 + (select case when millis < $7 then $7 else millis end from lifetimes where name = 'session'))
		on conflict (session_id) do nothing
		returning (select count(*) from revocations where revocations.subject = $2 and $2 <> '' and revocations.until > $5), `+wanted("$8"),
		w.ID, w.Subject, w.ClientID, w.Reason, at.UnixMilli(), at.Add(skew).UnixMilli(), remembered.Milliseconds(), whose).Scan(&ofUser, &wants)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, false, nil
	case err != nil:
		return 0, false, err
	case !wants || w.ClientID == authserver.BrowserClientID && w.Reason == authserver.ReasonEvicted: // that is no logout of what it opened
		return ofUser, true, nil
	case w.ClientID == authserver.BrowserClientID:
		opened := backchannel.Sessions{Subject: w.Subject, Parent: w.ID, Reason: w.Reason, EndedAt: at}
		return ofUser, true, d.send(ctx, tx, opened.Item(w.ID), opened)
	}
	s := backchannel.Session{ID: w.ID, Subject: w.Subject, ClientID: w.ClientID}
	return ofUser, true, d.send(ctx, tx, s.Item(), s)
}

// wanted is whether a client, or any if id is empty, wants to be told what has ended.
func wanted(id string) string {
	return `exists (select 1 from clients where (` + id + ` = '' or id = ` + id + `) and backchannel_logout_uri <> '')`
}

// tellAll lets the sessions be found that have ended at once, if any client wants
// to be told: not all are listed, and perhaps none.
func (d *DB) tellAll(ctx context.Context, tx *sql.Tx, s backchannel.Sessions, id string) error {
	var wants bool
	err := tx.QueryRowContext(ctx, `select `+wanted("$1"), s.ClientID).Scan(&wants)
	if err != nil || !wants {
		return err
	}
	return d.send(ctx, tx, s.Item(id), s)
}

// tellRaised is tellAll for a raised session epoch.
func (d *DB) tellRaised(ctx context.Context, tx *sql.Tx, u authserver.User, reason authserver.Reason, now time.Time) error {
	return d.tellAll(ctx, tx, backchannel.Sessions{
		Subject: u.Subject, SessionEpoch: u.SessionEpoch, Kept: u.Kept, Reason: reason, EndedAt: now,
	}, u.Subject+" "+strconv.FormatInt(u.SessionEpoch, 10))
}

// TellEnded marks sessions that have ended at once, at a time, and lets the clients
// of those be told that had no mark.
func (d *DB) TellEnded(ctx context.Context, ended []authserver.Ending, at time.Time) error {
	for some := range slices.Chunk(ended, asked) {
		err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
			if err := lock(ctx, tx, "revocation"); err != nil {
				return err
			}
			for _, w := range some {
				if _, _, err := d.mark(ctx, tx, w, at); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return failed("tell ended sessions", err)
		}
	}
	return nil
}
