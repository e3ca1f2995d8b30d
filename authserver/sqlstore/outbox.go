package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/outbox"
	"github.com/tokenwright/tokenwright/authserver/seal"
)

var _ outbox.Store = (*DB)(nil)

// SealOutbox names the box that the facts of what is to be sent are sealed in. It
// comes before the first change.
func (d *DB) SealOutbox(box seal.Box) { d.box = &box }

// send writes into the outbox what tx has brought about. What is there stays.
func (d *DB) send(ctx context.Context, tx *sql.Tx, i outbox.Item, facts any) error {
	if d.box == nil {
		return errors.New("outbox has no box")
	}
	sealed, err := outbox.Seal(*d.box, i.Kind, i.ID, facts)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		insert into outbox (kind, id, receiver, facts, first_at, due_at, tries, claim, failure)
		values ($1, $2, $3, $4, $5, $5, 0, '', '')
		on conflict (kind, id) do nothing`,
		i.Kind, i.ID, i.Receiver, sealed, time.Now().UnixMilli())
	return err
}

// looked is how many items one claim looks at.
const looked = 1000

// ClaimItems takes items that are due.
func (d *DB) ClaimItems(ctx context.Context, q outbox.Query) ([]outbox.Item, error) {
	now := time.Now().UnixMilli()
	args := []any{now}
	among := func(column, in string, list []string) string {
		if len(list) == 0 {
			return ""
		}
		var b strings.Builder
		for _, s := range list {
			args = append(args, s)
			fmt.Fprintf(&b, ", $%d", len(args))
		}
		return ` and ` + column + ` ` + in + ` (` + b.String()[2:] + `)`
	}
	due := `due_at <= $1` + among("kind", "in", q.Kinds) + among("receiver", "in", q.Only) + among("receiver", "not in", q.Except)
	// Mostly nothing is: only writing takes a lock.
	var one int
	err := d.r.once(ctx, `select 1 from outbox where `+due+` limit 1`, args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, failed("look into outbox", err)
	}
	n := len(args)
	args = append(args, looked, q.PerReceiver, q.Most, q.Claim, q.Until.UnixMilli())
	// Claims that meet choose the same rows: the second, once it has waited for the
	// first, finds that they are not due.
	items, err := list(ctx, &d.w, scanItem, fmt.Sprintf(`
		update outbox set claim = $%d, due_at = $%d
		where due_at <= $1 and (kind, id) in (
			select kind, id from (
				select kind, id, due_at, row_number() over (partition by receiver order by due_at, id) as place
				from (select kind, id, receiver, due_at from outbox where `+due+` order by due_at limit $%d) as due
			) as placed
			where place <= $%d order by due_at, id limit $%d)
		returning `+itemColumns, n+4, n+5, n+1, n+2, n+3), args...)
	return items, failed("claim from outbox", err)
}

// FinishItem forgets an item, unless another has claimed it.
func (d *DB) FinishItem(ctx context.Context, i outbox.Item, e ...authserver.Event) error {
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `delete from outbox where kind = $1 and id = $2 and claim = $3`, i.Kind, i.ID, i.Claim)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 || len(e) == 0 {
			return err
		}
		return d.record(ctx, tx, e...)
	})
	return failed("finish outbox item", err)
}

// PostponeItem gives an item back, unless another has claimed it.
func (d *DB) PostponeItem(ctx context.Context, i outbox.Item) error {
	_, err := d.w.exec(ctx, `
		update outbox set claim = '', due_at = $4, tries = $5, failure = $6 where kind = $1 and id = $2 and claim = $3`,
		i.Kind, i.ID, i.Claim, i.DueAt.UnixMilli(), i.Tries, i.Failure)
	return failed("postpone outbox item", err)
}

// WaitingItems says how many items there are, and since when the oldest is.
func (d *DB) WaitingItems(ctx context.Context) (n int, oldest time.Time, err error) {
	var first int64
	err = d.r.row(ctx, `select count(*), coalesce(min(first_at), 0) from outbox`).Scan(&n, &first)
	return n, fromMillis(first), failed("count outbox", err)
}

// Items lists what is to be sent, what is due first, and says how much there is.
func (d *DB) Items(ctx context.Context, p authserver.Page) ([]outbox.Item, int, error) {
	n, _, err := d.WaitingItems(ctx)
	if err != nil {
		return nil, 0, err
	}
	items, err := list(ctx, &d.r, scanItem, `
		select `+itemColumns+` from outbox order by due_at, kind, id limit $1 offset $2`, limit(p), p.Offset)
	return items, n, failed("list outbox", err)
}

const itemColumns = `kind, id, receiver, facts, first_at, due_at, tries, claim, failure`

func scanItem(row scanner) (i outbox.Item, err error) {
	var first, due int64
	err = row.Scan(&i.Kind, &i.ID, &i.Receiver, &i.Facts, &first, &due, &i.Tries, &i.Claim, &i.Failure)
	i.FirstAt, i.DueAt = fromMillis(first), fromMillis(due)
	return i, err
}
