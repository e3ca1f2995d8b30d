package sqlstore

import (
	"context"
	"database/sql/driver"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"
)

// connector makes each connection a conn.
type connector struct{ driver.Connector }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	made, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return conn{made.(*stdlib.Conn)}, nil
}

// conn is pgx's but for the requests of strangers: they break off, and send what
// is not text.
type conn struct{ *stdlib.Conn }

// CheckNamedValue puts U+FFFD for what is not text. PostgreSQL refuses a
// statement with broken UTF-8 or a NUL in it, where nothing has that name, and
// what is recorded about such a request must not be lost.
func (conn) CheckNamedValue(v *driver.NamedValue) error {
	if s, ok := v.Value.(string); ok {
		s = strings.ToValidUTF8(s, "\uFFFD")
		v.Value = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return nil
}

func (c conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.QueryContext(ctx, query, args)
	return rows, blame(ctx, err)
}

func (c conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	res, err := c.Conn.ExecContext(ctx, query, args)
	return res, blame(ctx, err)
}

// blame keeps a connection whose caller had gone before it was used: pgx says
// of that, too, that the connection is bad.
func blame(ctx context.Context, err error) error {
	if err == driver.ErrBadConn && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
