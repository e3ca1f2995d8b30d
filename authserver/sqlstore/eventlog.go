package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/audit"
)

var (
	_ audit.Source = (*DB)(nil)
	_ audit.Store  = (*DB)(nil)
)

// Rows lists rows of the audit log above one, in order.
func (d *DB) Rows(ctx context.Context, after int64, limit int) ([]audit.Row, error) {
	rows, err := list(ctx, &d.r, scanEvent, `
		select `+eventColumns+` from events where id > $1 order by id limit $2`, after, limit)
	return rows, failed("list events", err)
}

// State says how far the audit log reaches.
func (d *DB) State(ctx context.Context) (audit.State, error) {
	var s audit.State
	// One statement, so that all is of the same moment.
	chains, err := list(ctx, &d.r, func(row scanner) (audit.Chain, error) {
		var (
			c  audit.Chain
			id sql.NullString
			n  sql.NullInt64
		)
		err := row.Scan(&s.First, &s.Last, &s.KeyID, &s.Seal, &s.Beyond, &id, &n, &c.MAC, &c.Anchor)
		c.Chain, c.ID = id.String, n.Int64
		return c, err
	}, `
		select event_log.first_id, event_log.last_id, event_log.key_id, event_log.seal,
			(select count(*) from events where events.id > event_log.last_id),
			chains.id, chains.event_id, chains.mac, chains.anchor
		from event_log
		left join chains on chains.event_id > 0
		where event_log.name = 'events'
		order by chains.id`)
	if err != nil {
		return audit.State{}, failed("read audit state", err)
	}
	if len(chains) == 1 && chains[0].ID == 0 { // the log without any
		chains = nil
	}
	s.Chains = chains
	return s, nil
}

// prunePortion is how many rows one transaction removes: others wait for it.
const prunePortion = 1000

// firstKept is, of the rows from one to before another, the first that is not
// older than a time; the other, if all are. No index has the times: it looks at a
// portion, not at the whole log.
const firstKept = `select coalesce(min(id), $2) from events where at >= $1 and id < $2 and id >= $3`

// PruneEvents removes the rows of the audit log before the first that is not
// older than before, says how many, and records that it did. What is left
// verifies.
func (d *DB) PruneEvents(ctx context.Context, before time.Time) (int64, error) {
	var (
		removed int64
		failure error
	)
	for {
		n, err := d.pruneEvents(ctx, before)
		removed += n
		if err != nil {
			failure = failed("prune events", err)
			break
		}
		if n < prunePortion {
			break
		}
	}
	if removed == 0 {
		return 0, failure
	}
	return removed, errors.Join(failure, d.Record(context.WithoutCancel(ctx), authserver.Event{
		Act: "audit.prune", Result: "success", Actor: "server",
		Reason: fmt.Sprintf("%d rows before %s", removed, before.UTC().Format(time.RFC3339)),
	}))
}

func (d *DB) pruneEvents(ctx context.Context, before time.Time) (removed int64, err error) {
	err = d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var first, last, keep int64
		// A change that changes nothing, for the lock.
		err := tx.QueryRowContext(ctx, `
			update event_log set last_id = last_id where name = 'events' returning first_id, last_id`).Scan(&first, &last)
		if err != nil {
			return err
		}
		end := min(first+prunePortion, last+1)
		if err := tx.QueryRowContext(ctx, firstKept, before.UnixMilli(), end, first).Scan(&keep); err != nil {
			return err
		}
		if keep <= first {
			return nil
		}
		for _, query := range []string{
			`update chains set anchor = pruned.mac
			from events as pruned
			where pruned.id in (select max(id) from events where id >= $2 and id < $1 group by chain) and pruned.chain = chains.id`,
			// Not from the start of the index, where PostgreSQL still has what went before.
			`delete from events where id >= $2 and id < $1`,
			`delete from chains where event_id >= $2 and event_id < $1`,
		} {
			if _, err := tx.ExecContext(ctx, query, keep, first); err != nil {
				return err
			}
		}
		removed = keep - first
		return d.seal(ctx, tx, keep, last)
	})
	return removed, err
}
