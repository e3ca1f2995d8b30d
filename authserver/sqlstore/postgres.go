package sqlstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tokenwright/tokenwright/authserver/transport"
	"github.com/tokenwright/tokenwright/migrations"
)

const (
	// connections is how many statements of one server run at once. A statement
	// takes a millisecond or so; PostgreSQL admits 100 connections of all its
	// clients unless it is told otherwise.
	connections = 16
	// connectionLife makes servers find a primary that has moved behind a name.
	connectionLife = 30 * time.Minute
	// reprieve is what a statement whose caller has gone gets to end by itself,
	// as nearly all do. Breaking it off would cost the connection.
	reprieve = 200 * time.Millisecond
	// migrationLock is the advisory lock that servers take turns by.
	migrationLock = 0x746f6b656e
)

// openPostgres connects to the database at url.
//
// Through a pooler that gives each transaction another connection, as PgBouncer
// with pool_mode=transaction, url has to have default_query_exec_mode=exec. The
// pooler then has to let the parameters below pass (ignore_startup_parameters),
// which are to be set for the user with alter role instead, and wake-ups do not
// arrive.
func openPostgres(ctx context.Context, url string) (*DB, error) {
	config, err := pgx.ParseConfig(url)
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("DATABASE_URL names a file that cannot be read: correct sslrootcert, sslcert or sslkey: %w", file)
	}
	if err != nil {
		// What is wrong with it is not told: a part of the password may be in it.
		return nil, errors.New("DATABASE_URL is not understood: it must be postgres://USER:PASSWORD@HOST:PORT/DATABASE, with other characters than letters and digits in the password percent-encoded")
	}
	for name, value := range map[string]string{ // unless the URL says otherwise
		"application_name": "tokenwright",
		// The statements are written for it: the condition of an update is looked at
		// again after a wait for the row's lock, and nothing has to be repeated.
		"default_transaction_isolation": "read committed",
		// A statement that its caller has given up lets go of its locks too, and so
		// does the transaction of a server that is cut off.
		"statement_timeout":                   strconv.FormatInt(patience.Milliseconds(), 10),
		"idle_in_transaction_session_timeout": strconv.FormatInt(2*patience.Milliseconds(), 10),
	} {
		if _, ok := config.RuntimeParams[name]; !ok {
			config.RuntimeParams[name] = value
		}
	}
	if config.ConnectTimeout == 0 { // for each of the hosts
		config.ConnectTimeout = patience / time.Duration(1+len(config.Fallbacks))
	}
	if config.ValidateConnect == nil {
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	for _, f := range append([]*pgconn.FallbackConfig{{TLSConfig: config.TLSConfig}}, config.Fallbacks...) {
		if f.TLSConfig != nil { // for each address one without TLS too, maybe
			transport.Secure(f.TLSConfig)
		}
	}
	listener := config.Copy()
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: c.Conn(), DeadlineDelay: reprieve}
	}
	migrator := config.Copy()
	migrator.RuntimeParams["statement_timeout"] = "0"
	migrator.RuntimeParams["idle_in_transaction_session_timeout"] = "0" // the lock's waits for the steps

	db := sql.OpenDB(connector{stdlib.GetConnector(*config)})
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxLifetime(connectionLife)
	schema := stdlib.OpenDB(*migrator)
	schema.SetMaxIdleConns(0)
	d := &DB{
		w:       pool{DB: db}, // pgx keeps statements prepared
		r:       pool{DB: db},
		schema:  schema,
		dialect: migrations.Postgres,
		inTurn:  func(ctx context.Context, f func() error) error { return advised(ctx, schema, f) },
		clock: `
			select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)
			from counters where name = 'revocation'`,
		listener: listener,
	}
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		d.Close()
		return nil, refused(config, err)
	}
	return d, nil
}

// advised runs f while no other server is in it. The lock is a transaction's and
// goes with it, should this server be killed; a session's would stay with a
// pooler between.
func advised(ctx context.Context, db *sql.DB, f func() error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("lock schema: %w", err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, `select pg_advisory_xact_lock($1)`, migrationLock); err != nil {
		return fmt.Errorf("lock schema: %w", err)
	}
	return f()
}

// refused says in one sentence why there is no connection.
func refused(config *pgx.ConnConfig, err error) error {
	err = reason(err)
	where := "PostgreSQL at " + addresses(config)
	switch state := sqlstate(err); {
	case distrusted(err):
		return fmt.Errorf("%s has a certificate that is not good: in DATABASE_URL, set sslrootcert to the file of its CA, and the host to one that it is for: %w", where, err)
	case state == "28P01" || state == "28000":
		return fmt.Errorf("%s does not let user %q in: set user and password in DATABASE_URL, and see its pg_hba.conf: %w", where, config.User, err)
	case state == "3D000":
		return fmt.Errorf("%s has no database %q: make it, or name another one in DATABASE_URL: %w", where, config.Database, err)
	case state == "42501":
		return fmt.Errorf("%s does not let user %q use database %q: grant connect, or name another one in DATABASE_URL: %w", where, config.User, config.Database, err)
	case strings.HasPrefix(state, "53"):
		return fmt.Errorf("%s, which DATABASE_URL names, takes no more connections: raise max_connections, or end other clients: %w", where, err)
	case errors.Is(err, pgconn.ErrReadOnlyConnection):
		return fmt.Errorf("%s is a standby, or set to be read only: DATABASE_URL must name the primary: %w", where, err)
	case state != "":
		return fmt.Errorf("%s, which DATABASE_URL names, refuses connections: %w", where, err)
	}
	return fmt.Errorf("%s cannot be connected to: check host, port and sslmode in DATABASE_URL, and that it runs: %w", where, err)
}

// distrusted reports whether err is about the server's certificate. With
// sslmode=verify-ca pgx looks at it itself.
func distrusted(err error) bool {
	_, always := errors.AsType[*tls.CertificateVerificationError](err)
	_, byPgx := errors.AsType[x509.UnknownAuthorityError](err)
	return always || byPgx
}

// addresses are those that the URL names.
func addresses(config *pgx.ConnConfig) string {
	all := []string{net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))}
	for _, f := range config.Fallbacks { // for each address one without TLS too, maybe
		if a := net.JoinHostPort(f.Host, strconv.Itoa(int(f.Port))); !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return strings.Join(all, ",")
}

// reason is what PostgreSQL says in err or, of one error for each host, address
// and way that was tried, the last.
func reason(err error) error {
	if said, ok := errors.AsType[*pgconn.PgError](err); ok {
		return said
	}
	switch e := err.(type) {
	case *pgconn.ConnectError:
		return reason(e.Unwrap())
	case interface{ Unwrap() []error }:
		all := e.Unwrap()
		return reason(all[len(all)-1])
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil && strings.Contains(err.Error(), "\n") {
			return reason(inner)
		}
	}
	return err
}
