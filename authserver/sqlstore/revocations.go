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

// Revocations lists the live entries after one, a portion of them if they are very
// many, and the highest number given.
func (d *DB) Revocations(ctx context.Context, after int64) ([]authserver.Revocation, int64, error) {
	var head int64
	// One statement, so that head is of the same moment as the entries. The plus
	// keeps the engines from sorting all that lives for each portion.
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
		left join (
			select seq, kind, id, epoch, reason, resources, user_epoch, kept, until from revocations
			where seq > $1 and +until > $2 order by seq limit $3
		) as revocations on true
		where counters.name = 'revocation'
		order by revocations.seq`, after, time.Now().UnixMilli(), authserver.RevocationsAtOnce)
	if err != nil {
		return nil, 0, failed("list revocations", err)
	}
	if len(entries) == 1 && entries[0].Seq == 0 { // head alone
		return nil, head, nil
	}
	return entries, head, nil
}

// Sweep forgets what ends by itself: sessions past their idle deadline, entries and
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
		`delete from sessions where id in (select id from sessions where idle_deadline <= $1 limit $2)`,
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
