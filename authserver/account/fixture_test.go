package account_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/password"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/resource"
)

const (
	audience  = "https://auth.example.test/api"
	goodWords = "seven unrelated turtles"
)

// fixture is the real thing on a database of its own, with cheap hashes and no
// limits but those that a test sets.
type fixture struct {
	account.Deps
	db      *sqlstore.DB
	dir     string
	users   *account.Users
	clients *account.Clients
	changed atomic.Int64
	log     bytes.Buffer
}

func newFixture(t testing.TB, edits ...func(*account.Deps)) *fixture {
	t.Helper()
	f := &fixture{dir: t.TempDir()}
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: "sqlite:" + filepath.Join(f.dir, "test.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	master, err := keys.NewMaster("n2Kx8Qw-5vLr0Tz_9bYc3HfMs7JdEu1G")
	if err != nil {
		t.Fatal(err)
	}
	roles, err := resource.ParseHierarchy("viewer<user<editor<moderator<admin")
	if err != nil {
		t.Fatal(err)
	}
	f.db = db
	f.Deps = account.Deps{
		Users: db, Clients: db,
		Hasher:  newHasher(t, password.Config{}),
		Limiter: limit.NewMemory(10_000),
		Master:  master, Roles: roles, Audience: audience,
		Changed: func(context.Context) { f.changed.Add(1) },
		Logger:  slog.New(slog.NewTextHandler(&f.log, nil)),
	}
	for _, edit := range edits {
		edit(&f.Deps)
	}
	f.users, f.clients = account.NewUsers(f.Deps), account.NewClients(f.Deps)
	return f
}

func newHasher(t testing.TB, c password.Config) *password.Hasher {
	t.Helper()
	c.Argon2 = password.Argon2Params{Memory: 64, Time: 1, Threads: 1}
	c.BcryptCost = 4
	c.Concurrency, c.Queue, c.Wait = 4, 1000, time.Minute
	h, err := password.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// from is a request's context from that address.
func from(t *testing.T, ip string) context.Context {
	return authserver.WithCaller(t.Context(), authserver.Caller{IP: ip, RequestID: "req-1"})
}

func alice() account.Registration {
	return account.Registration{
		Email: "alice@example.com", Username: "alice", Password: goodWords, FullName: "Alice Example",
		Roles: []string{"user"}, Active: true,
	}
}

func (f *fixture) register(t *testing.T, r account.Registration) authserver.User {
	t.Helper()
	u, err := f.users.Register(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (f *fixture) login(ctx context.Context, login, pw string) (authserver.User, error) {
	facts, err := f.db.Facts(ctx, authserver.Ask{Login: login})
	if err != nil {
		return authserver.User{}, err
	}
	return f.users.Authenticate(ctx, login, pw, facts)
}

func (f *fixture) user(t *testing.T, login string) authserver.User {
	t.Helper()
	u, err := f.users.Find(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// lastEvent is the newest audit row.
func (f *fixture) lastEvent(t *testing.T) authserver.Event {
	t.Helper()
	events, err := f.db.Events(t.Context(), authserver.Page{Limit: 1})
	if err != nil || len(events) != 1 {
		t.Fatalf("events: %d, %v", len(events), err)
	}
	return events[0]
}

// revocations are the live entries.
func (f *fixture) revocations(t *testing.T) []authserver.Revocation {
	t.Helper()
	live, _, err := f.db.Revocations(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return live
}

// dump is every byte of the database's files.
func (f *fixture) dump(t *testing.T) []byte {
	t.Helper()
	files, err := os.ReadDir(f.dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, file := range files {
		b, err := os.ReadFile(filepath.Join(f.dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}
