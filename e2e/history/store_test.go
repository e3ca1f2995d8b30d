package history

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/redisstore"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
)

// store is where servers keep what they know: the database's URL, and Redis's
// if that has the sessions.
type store struct{ database, redis string }

// sqlite, postgres and the others start what they name and return how to get a
// store there with nothing in its database.
func sqlite(t *testing.T) func(*testing.T) store {
	return func(t *testing.T) store { return store{database: newFile(t)} }
}

func postgres(t *testing.T) func(*testing.T) store {
	server := pgtest.New(t)
	return func(t *testing.T) store { return store{database: server.Schema(t)} }
}

func miniRedis(t *testing.T) func(*testing.T) store {
	url := "redis://" + miniredis.RunT(t).Addr()
	return func(t *testing.T) store { return store{newFile(t), url} }
}

func realRedis(t *testing.T) func(*testing.T) store {
	url := redistest.Start(t)
	return func(t *testing.T) store { return store{newFile(t), url} }
}

func postgresAndRedis(t *testing.T) func(*testing.T) store {
	server, url := pgtest.New(t), redistest.Start(t)
	return func(t *testing.T) store { return store{server.Schema(t), url} }
}

func newFile(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") }

// openDatabase opens it with connections of its own, as another process does.
func (s store) openDatabase(t *testing.T) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(context.Background(), sqlstore.Config{URL: s.database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// openSessions opens what has the sessions, which may be db.
func (s store) openSessions(t *testing.T, db *sqlstore.DB) authserver.SessionStore {
	t.Helper()
	if s.redis == "" {
		return db
	}
	sessions, err := redisstore.Open(context.Background(), s.redis, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sessions.Close() })
	return sessions
}

// rewinder puts earlier records back into Redis, as a failover to a replica that
// was behind would.
type rewinder struct{ client *redis.Client }

// rewind is a session's record as Redis had it.
type rewind struct {
	record
	dump string
	ttl  time.Duration
}

func newRewinder(t *testing.T, url string) *rewinder {
	t.Helper()
	opts, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(opts)
	t.Cleanup(func() { client.Close() })
	return &rewinder{client}
}

func recordKey(sid string) string { return "tw:{" + sid + "}" }

// keep returns the session's record, or nil if there is none.
func (r *rewinder) keep(sid string) *rewind {
	ctx := context.Background()
	var fields *redis.SliceCmd
	var dump *redis.StringCmd
	_, err := r.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		fields = p.HMGet(ctx, recordKey(sid), decisive...)
		dump = p.Dump(ctx, recordKey(sid))
		return nil
	})
	if err != nil {
		return nil
	}
	kept, err := scanRecord(fields)
	if err != nil {
		return nil
	}
	return &rewind{kept, dump.Val(), time.Hour}
}

// decisive are the fields of a session's record that decide.
var decisive = []string{"n", "rotated"}

func scanRecord(fields *redis.SliceCmd) (record, error) {
	var r struct {
		Counter uint32 `redis:"n"`
		Rotated int64  `redis:"rotated"`
	}
	err := fields.Scan(&r)
	return record{r.Counter, r.Rotated}, err
}

func (r *rewinder) restore(sid string, kept *rewind) error {
	return r.client.RestoreReplace(context.Background(), recordKey(sid), kept.ttl, kept.dump).Err()
}
