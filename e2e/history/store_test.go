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
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/redisstore"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

// newWorld is two servers on one SQLite file and, unless redisURL is empty, on
// one Redis. Each has connections of its own, as two processes have.
func newWorld(t *testing.T, redisURL string, skew time.Duration, clients ...string) *world {
	t.Helper()
	ctx := context.Background()
	file := "sqlite:" + filepath.Join(t.TempDir(), "test.db")
	w := &world{clients: clients}
	for _, by := range []time.Duration{skew, -skew} {
		db, err := sqlstore.Open(ctx, sqlstore.Config{URL: file})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		var sessions authserver.SessionStore = db
		if redisURL != "" {
			store, err := redisstore.Open(ctx, redisURL, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { store.Close() })
			sessions = store
		}
		w.servers = append(w.servers, newServer(t, db, sessions, by))
	}
	w.servers[0].addClients(t)
	master, err := keys.NewMaster(secret)
	if err != nil {
		t.Fatal(err)
	}
	w.keys = master.RefreshKeys()
	return w
}

func miniRedis(t *testing.T) string { return "redis://" + miniredis.RunT(t).Addr() }

func realRedis(t *testing.T) string { return redistest.Start(t) }

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
		fields = p.HMGet(ctx, recordKey(sid), "n", "rotated")
		dump = p.Dump(ctx, recordKey(sid))
		return nil
	})
	if err != nil {
		return nil
	}
	var kept struct {
		Counter uint32 `redis:"n"`
		Rotated int64  `redis:"rotated"`
	}
	if err := fields.Scan(&kept); err != nil {
		return nil
	}
	return &rewind{record{kept.Counter, kept.Rotated}, dump.Val(), time.Hour}
}

func (r *rewinder) restore(sid string, kept *rewind) error {
	return r.client.RestoreReplace(context.Background(), recordKey(sid), kept.ttl, kept.dump).Err()
}
