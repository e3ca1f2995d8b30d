package sqlstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// relisten is how long Wakes waits before it connects again.
const relisten = time.Second

// Wake calls those whom Wakes serves, on every server, to look at the table of
// what has ended. In SQLite it does nothing.
func (d *DB) Wake(ctx context.Context) error {
	if d.listener == nil {
		return nil
	}
	_, err := d.w.exec(ctx, `notify tokenwright`)
	return failed("wake others", err)
}

// Wakes calls woken when another has called Wake, and whenever it may have
// missed that, until ctx ends. It has a connection of its own, and another one
// when that is lost; calls in between are lost with it, so that woken is no
// substitute for looking now and then. In SQLite it returns at once.
func (d *DB) Wakes(ctx context.Context, woken func()) {
	if d.listener == nil {
		return
	}
	for ctx.Err() == nil {
		listen(ctx, d.listener, woken)
		select {
		case <-ctx.Done():
		case <-time.After(relisten):
		}
	}
}

// listen calls woken until the connection is lost. Why it was is of no use: the
// statements beside it fail for the same reason and say so.
func listen(ctx context.Context, config *pgx.ConnConfig, woken func()) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `listen tokenwright`); err != nil {
		return
	}
	for err == nil {
		woken()
		_, err = conn.WaitForNotification(ctx)
	}
}
