package sqlstore

import (
	"context"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/audit"
)

// EventQuery chooses rows of the audit log; what is empty chooses all.
type EventQuery struct {
	Act string
	// Subject is the user who did it or to whom it was done.
	Subject string
	Limit   int
}

// stride is how many rows one statement of LastRows looks at, so that the
// longest log is read within patience.
const stride = 100_000

// LastRows lists the rows that q chooses, the newest first.
func (d *DB) LastRows(ctx context.Context, q EventQuery) ([]audit.Row, error) {
	state, err := d.State(ctx)
	if err != nil {
		return nil, err
	}
	var rows []audit.Row
	for last := state.Last; last >= state.First && (q.Limit == 0 || len(rows) < q.Limit); last -= stride {
		rest := authserver.Page{Limit: max(0, q.Limit-len(rows))}
		some, err := list(ctx, &d.r, scanEvent, `
			select `+eventColumns+` from events
			where id > $1 and id <= $2 and ($3 = '' or act = $3) and ($4 = '' or subject = $4 or actor = $4)
			order by id desc limit $5`, last-stride, last, q.Act, q.Subject, limit(rest))
		if err != nil {
			return nil, failed("list events", err)
		}
		rows = append(rows, some...)
	}
	return rows, nil
}
