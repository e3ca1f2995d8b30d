package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

const tombstoneColumns = `tombstones.session_id, tombstones.subject, tombstones.client_id, tombstones.reason, tombstones.ended_at`

// tombstoneRow is tombstoneColumns of a tombstone that may not be there.
type tombstoneRow struct {
	sessionID, subject, clientID, reason sql.NullString
	endedAt                              sql.NullInt64
}

func (t *tombstoneRow) fields() []any {
	return []any{&t.sessionID, &t.subject, &t.clientID, &t.reason, &t.endedAt}
}

// tombstone is nil if it is not there.
func (t *tombstoneRow) tombstone() *authserver.Tombstone {
	if !t.sessionID.Valid {
		return nil
	}
	return &authserver.Tombstone{
		SessionID: t.sessionID.String, Subject: t.subject.String, ClientID: t.clientID.String,
		Reason: authserver.Reason(t.reason.String), EndedAt: fromMillis(t.endedAt.Int64),
	}
}

// Tombstones lists a user's ended sessions, the last ended first.
func (d *DB) Tombstones(ctx context.Context, subject string, p authserver.Page) ([]authserver.Tombstone, int, error) {
	var total int
	if err := d.r.row(ctx, `select count(*) from tombstones where subject = $1`, subject).Scan(&total); err != nil {
		return nil, 0, failed("count tombstones", err)
	}
	ended, err := list(ctx, &d.r, scanTombstone, `
		select `+tombstoneColumns+` from tombstones
		where subject = $1
		order by ended_at desc, session_id
		limit $2 offset $3`, subject, limit(p), p.Offset)
	return ended, total, failed("list tombstones", err)
}

// asked is how many sessions one statement of Marks asks about.
const asked = 100

// Marks finds the tombstones of sessions.
func (d *DB) Marks(ctx context.Context, sids []string) (map[string]authserver.Tombstone, error) {
	marks := map[string]authserver.Tombstone{}
	for some := range slices.Chunk(sids, asked) {
		args := make([]any, len(some))
		for i, sid := range some {
			args[i] = sid
		}
		found, err := list(ctx, &d.r, scanTombstone, `
			select `+tombstoneColumns+` from tombstones
			where session_id in (`+placeholders(len(some))+`)`, args...)
		if err != nil {
			return nil, failed("find tombstones", err)
		}
		for _, t := range found {
			marks[t.SessionID] = t
		}
	}
	return marks, nil
}

// placeholders are $1 to $n.
func placeholders(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ", $%d", i+1)
	}
	return b.String()[2:]
}

func scanTombstone(row scanner) (authserver.Tombstone, error) {
	var t tombstoneRow
	if err := row.Scan(t.fields()...); err != nil {
		return authserver.Tombstone{}, err
	}
	return *t.tombstone(), nil
}

// raised notes why the sessions below u's session epoch ended, for no longer than
// they can be asked for, ends their tokens, and lets their clients be told. A raising of the epoch ends those
// as well: a token has both epochs as of one moment.
func (d *DB) raised(ctx context.Context, tx *sql.Tx, u authserver.User, c authserver.UserChange, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		insert into session_epochs (subject, epoch, kept_session, reason, ended_at, until)
		values ($1, $2, $3, $4, $5, $6 + (select case when millis < $7 then $7 else millis end from lifetimes where name = 'session'))`,
		u.Subject, u.SessionEpoch, join(u.Kept), c.Reason, now.UnixMilli(), now.Add(skew).UnixMilli(), remembered.Milliseconds())
	if err != nil {
		return err
	}
	if err := d.tellRaised(ctx, tx, u, c.Reason, now); err != nil || c.EndTokens {
		return err
	}
	_, err = revoke(ctx, tx, entry{
		kind: kindSessions, id: u.Subject, epoch: u.SessionEpoch, reason: c.Reason, userEpoch: u.Epoch, kept: u.Kept,
	}, now)
	return err
}

// SessionEpochs lists the raisings of a user's session epoch, the first first.
func (d *DB) SessionEpochs(ctx context.Context, subject string) ([]authserver.SessionEpoch, error) {
	epochs, err := list(ctx, &d.r, func(row scanner) (e authserver.SessionEpoch, err error) {
		var at int64
		var kept string
		err = row.Scan(&e.Epoch, &kept, &e.Reason, &at)
		e.Kept, e.EndedAt = strings.Fields(kept), fromMillis(at)
		return e, err
	}, `
		select epoch, kept_session, reason, ended_at from session_epochs
		where subject = $1 order by epoch`, subject)
	return epochs, failed("list session epochs", err)
}
