package sqlstore_test

import (
	"database/sql"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
	"github.com/tokenwright/tokenwright/authserver/storetest"
	"github.com/tokenwright/tokenwright/migrations"
)

// connect is openURL without the schema, and without an end.
func connect(t testing.TB, url string) *sqlstore.DB {
	t.Helper()
	d, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// rawPostgres is another program's connections to the database at url.
func rawPostgres(t testing.TB, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestPostgres(t *testing.T) {
	server := pgtest.New(t)
	t.Run("servers that start at once on an empty database take turns", func(t *testing.T) { startAtOnce(t, server.URL) })
	t.Run("what is wrong with DATABASE_URL is said", func(t *testing.T) { refusals(t, server) })

	suites(t, func(t *testing.T) *sqlstore.DB { return openURL(t, server.Schema(t)) })
	pair := func(t *testing.T) (a, b *sqlstore.DB, url string) {
		url = server.Schema(t)
		return openURL(t, url), openURL(t, url), url
	}
	t.Run("REF-015 50 parallel presentations over two servers, with grace, get one session", func(t *testing.T) {
		a, b, _ := pair(t)
		presentAtOnce(t, a, b, 10*time.Second, authserver.Repeated)
	})
	t.Run("REF-016 50 parallel presentations over two servers, with grace 0, have one winner", func(t *testing.T) {
		a, b, _ := pair(t)
		presentAtOnce(t, a, b, 0, authserver.Reused)
	})
	t.Run("transactions in turns do not wait in a circle", func(t *testing.T) {
		a, b, url := pair(t)
		inTurns(t, a, b, rawPostgres(t, url))
	})
	t.Run("serialization conflicts, for a user whose transactions are serializable by default, are none", func(t *testing.T) {
		url := asSerializable(t, server)
		a, b := openURL(t, url), openURL(t, url)
		presentAtOnce(t, a, b, 0, authserver.Reused)
		inTurns(t, a, b, rawPostgres(t, url))
	})
	t.Run("a client's id is not given again beside its removal", func(t *testing.T) {
		a, b, _ := pair(t)
		removeBesideAdd(t, a, b)
	})
	t.Run("what is not text is nobody's name, and is recorded", func(t *testing.T) { notText(t, openURL(t, server.Schema(t))) })
	t.Run("a wake-up reaches the other server", func(t *testing.T) {
		t.Parallel() // it waits, as the next do
		a, b, url := pair(t)
		wake(t, a, b, rawPostgres(t, url))
	})
	t.Run("a lock that another program keeps", func(t *testing.T) {
		t.Parallel()
		url := server.Schema(t)
		keptLock(t, openURL(t, url), rawPostgres(t, url))
	})
	t.Run("a server that does not answer", func(t *testing.T) {
		t.Parallel()
		silence(t, server.Schema(t))
	})
	t.Run("callers that hang up cost no connection", func(t *testing.T) {
		url := server.Schema(t)
		hangUp(t, openURL(t, url), rawPostgres(t, url))
	})
}

// asSerializable is a schema's URL for such a user.
func asSerializable(t *testing.T, server *pgtest.Server) string {
	t.Helper()
	db := rawPostgres(t, server.URL)
	run(t, db, "create role strict superuser login password 'hunter2'")
	run(t, db, "alter role strict set default_transaction_isolation = serializable")
	u, err := url.Parse(server.Schema(t))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("strict", "hunter2")
	return u.String()
}

func startAtOnce(t *testing.T, url string) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			d := connect(t, url)
			defer d.Close()
			if err := d.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
			if err := d.Record(t.Context(), authserver.Event{Act: "start"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var n int
	err := rawPostgres(t, url).QueryRowContext(t.Context(), "select count(*) from goose_db_version where version_id = 1").Scan(&n)
	if err != nil || n != 1 {
		t.Errorf("the first step was made %d times, %v", n, err)
	}
}

func refusals(t *testing.T, server *pgtest.Server) {
	good, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	db := rawPostgres(t, server.URL)
	run(t, db, "create role reader login password 'hunter2'")
	run(t, db, "alter role reader set default_transaction_read_only = on")
	run(t, db, "create role stranger login password 'hunter2'")
	run(t, db, "create database closed")
	run(t, db, "revoke connect on database closed from public")
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, tc := range []struct {
		name string
		edit func(u *url.URL)
		want string
	}{
		{"a wrong password", func(u *url.URL) { u.User = url.UserPassword("tokenwright", "hunter2") }, "does not let user \"tokenwright\" in: set user and password in DATABASE_URL"},
		{"an unknown user", func(u *url.URL) { u.User = url.UserPassword("nobody", "hunter2") }, "does not let user \"nobody\" in"},
		{"a missing database", func(u *url.URL) { u.Path = "/nowhere" }, "has no database \"nowhere\": make it, or name another one in DATABASE_URL"},
		{"a database that is not the user's", func(u *url.URL) { u.User = url.UserPassword("stranger", "hunter2"); u.Path = "/closed" }, "does not let user \"stranger\" use database \"closed\""},
		{"nothing there", func(u *url.URL) { u.Host = closed.Addr().String() }, "cannot be connected to: check host, port and sslmode in DATABASE_URL"},
		{"an unknown host", func(u *url.URL) { u.Host = "db.invalid" }, "cannot be connected to: check host, port and sslmode in DATABASE_URL"},
		{"TLS where there is none", func(u *url.URL) { u.RawQuery = "sslmode=require" }, "server refused TLS connection"},
		{"TLS with a CA where there is none", func(u *url.URL) { u.RawQuery = "sslmode=verify-full" }, "server refused TLS connection"},
		{"a user who may only read", func(u *url.URL) { u.User = url.UserPassword("reader", "hunter2") }, "DATABASE_URL must name the primary"},
		{"a password that is not encoded", func(u *url.URL) { u.User, u.Host = nil, "user:hunter2/%zz@"+u.Host }, "DATABASE_URL is not understood"},
		{"an unknown mode", func(u *url.URL) { u.RawQuery = "sslmode=hunter2" }, "DATABASE_URL is not understood"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := *good
			tc.edit(&u)
			_, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: u.String()})
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one sentence with %q", err, tc.want)
			}
			password, _ := good.User.Password()
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), password)) {
				t.Errorf("the password is in %v", err)
			}
		})
	}
	t.Run("the schema of a newer program", func(t *testing.T) {
		d := openURL(t, server.URL)
		run(t, db, "insert into goose_db_version (version_id, is_applied) values (99, true)")
		for name, err := range map[string]error{"Migrate": d.Migrate(t.Context()), "CheckSchema": d.CheckSchema(t.Context())} {
			if newer, ok := errors.AsType[*migrations.NewerError](err); !ok || newer.Database != 99 {
				t.Errorf("%s: got %v, want a *NewerError for 99", name, err)
			}
		}
	})
}

func presentAtOnce(t *testing.T, a, b *sqlstore.DB, grace time.Duration, rest authserver.Outcome) {
	t.Helper()
	s, secret := benchSession(uuid.NewString())
	if _, err := a.Open(t.Context(), s, 0); err != nil {
		t.Fatal(err)
	}
	p := authserver.Advance{Secret: secret, ClientID: "web", ClientIncarnation: 7, Now: time.Now(), Grace: grace, IdleLifetime: time.Hour}
	got := storetest.ParallelAdvance(t, []authserver.SessionStore{a, b}, s.ID, p, 50)
	if got[authserver.Rotated] != 1 || got[rest] != 49 {
		t.Errorf("got %v, want one rotated and 49 %v", got, rest)
	}
}
