package sqlstore

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// skew is how much longer entries and tombstones stay than the longest life of
// what they end: for requests under way and clocks that differ.
const skew = time.Minute

// remembered is how long at least it can be asked why a session has ended.
const remembered = 30 * 24 * time.Hour

// portion is how many rows of a table one transaction of Sweep removes: others
// wait for it.
const portion = 1000

// End ends sessions and tokens that have not ended yet.
func (d *DB) End(ctx context.Context, what []authserver.Ending, e authserver.Event) error {
	now := time.Now()
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := lock(ctx, tx, "revocation"); err != nil {
			return err
		}
		some := false
		for _, w := range what {
			ended, err := end(ctx, tx, w, now)
			if err != nil {
				return err
			}
			some = some || ended
		}
		if !some {
			return nil
		}
		return d.record(ctx, tx, e)
	})
	return failed("end tokens", err)
}

// end reports false for what has ended already.
func end(ctx context.Context, tx *sql.Tx, w authserver.Ending, now time.Time) (bool, error) {
	if w.Kind == authserver.KindSession {
		return endSession(ctx, tx, w, now)
	}
	return revoke(ctx, tx, entry{kind: w.Kind, id: w.ID, reason: w.Reason, resources: w.Resources}, now)
}

// endSession writes a session's tombstone and its entry, unless it has ended.
func endSession(ctx context.Context, tx *sql.Tx, w authserver.Ending, now time.Time) (bool, error) {
	res, err := tx.ExecContext(ctx, `
		insert into tombstones (session_id, subject, client_id, reason, ended_at, until)
		values ($1, $2, $3, $4, $5, $6 + (select case when millis < $7 then $7 else millis end from lifetimes where name = 'session'))
		on conflict (session_id) do nothing`,
		w.ID, w.Subject, w.ClientID, w.Reason, now.UnixMilli(), now.Add(skew).UnixMilli(), remembered.Milliseconds())
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	return revoke(ctx, tx, entry{kind: authserver.KindSession, id: w.ID, reason: w.Reason, resources: w.Resources}, now)
}

// entry is what revoke writes.
type entry struct {
	kind      authserver.Kind
	id        string
	epoch     int64
	reason    authserver.Reason
	resources []string
	userEpoch int64    // of kindSessions only
	kept      []string // of kindSessions only
}

// kindSessions is a row that raises a user's session epoch alone.
const kindSessions authserver.Kind = "sessions"

// revoke writes an entry, unless there is one that is alive. Taking the number
// locks the counter until the commit, so that entries commit in sequence.
func revoke(ctx context.Context, tx *sql.Tx, e entry, now time.Time) (bool, error) {
	seq, err := next(ctx, tx, "revocation")
	if err != nil {
		return false, err
	}
	res, err := tx.ExecContext(ctx, `
		insert into revocations (seq, kind, id, epoch, reason, resources, user_epoch, kept, until)
		values ($1, $2, $3, $4, $5, $8, $9, $10, $6 + (select millis from lifetimes where name = 'access'))
		on conflict (kind, id, epoch) do update set seq = excluded.seq, reason = excluded.reason, resources = excluded.resources,
				user_epoch = excluded.user_epoch, kept = excluded.kept, until = excluded.until
			where revocations.until <= $7`,
		seq, e.kind, e.id, e.epoch, e.reason, now.Add(skew).UnixMilli(), now.UnixMilli(), join(e.resources), e.userEpoch, join(e.kept))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	if err != nil || n > 0 {
		return n > 0, err
	}
	// Give the number back: the sequence has no gaps.
	_, err = tx.ExecContext(ctx, `update counters set value = value - 1 where name = 'revocation'`)
	return false, err
}

// Revocations lists the live entries after one, and the highest number given.
func (d *DB) Revocations(ctx context.Context, after int64) ([]authserver.Revocation, int64, error) {
	var head int64
	// One statement, so that head is of the same moment as the entries.
	entries, err := list(ctx, &d.r, func(row scanner) (r authserver.Revocation, err error) {
		var (
			seq, epoch, userEpoch, until      sql.NullInt64
			kind, id, reason, resources, kept sql.NullString
		)
		err = row.Scan(&head, &seq, &kind, &id, &epoch, &reason, &resources, &userEpoch, &kept, &until)
		r = authserver.Revocation{
			Seq: seq.Int64, Kind: authserver.Kind(kind.String), ID: id.String, Epoch: epoch.Int64,
			Reason: authserver.Reason(reason.String), Resources: strings.Fields(resources.String), Until: fromMillis(until.Int64),
		}
		if r.Kind == kindSessions {
			r.Kind, r.Epoch, r.SessionEpoch, r.Kept = authserver.KindUser, userEpoch.Int64, r.Epoch, strings.Fields(kept.String)
		}
		return r, err
	}, `
		select counters.value, revocations.seq, revocations.kind, revocations.id, revocations.epoch, revocations.reason, revocations.resources,
			revocations.user_epoch, revocations.kept, revocations.until
		from counters
		left join revocations on revocations.seq > $1 and revocations.until > $2
		where counters.name = 'revocation'
		order by revocations.seq`, after, time.Now().UnixMilli())
	if err != nil {
		return nil, 0, failed("list revocations", err)
	}
	if len(entries) == 1 && entries[0].Seq == 0 { // head alone
		return nil, head, nil
	}
	return entries, head, nil
}

// Sweep forgets what ends by itself: sessions past their deadline, entries and
// tombstones of what can no longer be presented.
func (d *DB) Sweep(ctx context.Context) error {
	now := time.Now().UnixMilli()
	for more := true; more; {
		err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			more, err = sweep(ctx, tx, now)
			return err
		})
		if err != nil {
			return failed("sweep", err)
		}
	}
	return nil
}

// sweep forgets a portion, and reports whether there may be more.
func sweep(ctx context.Context, tx *sql.Tx, now int64) (more bool, err error) {
	if err := lock(ctx, tx, "revocation"); err != nil {
		return false, err
	}
	for _, query := range []string{
		`delete from sessions where id in (select id from sessions where deadline <= $1 limit $2)`,
		`delete from tombstones where session_id in (select session_id from tombstones where until <= $1 limit $2)`,
		`delete from session_epochs where (subject, epoch) in (select subject, epoch from session_epochs where until <= $1 limit $2)`,
		`delete from revocations where seq in (select seq from revocations where until <= $1 limit $2)`,
	} {
		res, err := tx.ExecContext(ctx, query, now, portion)
		if err != nil {
			return false, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return false, err
		}
		more = more || n == portion
	}
	return more, nil
}
