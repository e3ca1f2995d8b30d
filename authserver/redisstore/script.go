package redisstore

import (
	"context"
	"crypto/sha1"
	"encoding/hex"

	"github.com/redis/go-redis/v9"
)

// script is a Lua script on one key.
type script struct {
	text string
	hash string // what EVALSHA names it by
}

func newScript(text string) script {
	sum := sha1.Sum([]byte(text))
	return script{text: text, hash: hex.EncodeToString(sum[:])}
}

// run takes one round trip, and a second one where Redis does not have the
// script yet: after it was started, or on a primary that was a replica.
func (s script) run(ctx context.Context, client redis.UniversalClient, key string, args ...any) *redis.Cmd {
	cmd := call(ctx, client, "evalsha", s.hash, key, args)
	if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
		cmd = call(ctx, client, "eval", s.text, key, args)
	}
	return cmd
}

func call(ctx context.Context, client redis.UniversalClient, name, body, key string, args []any) *redis.Cmd {
	cmd := redis.NewCmd(ctx, append([]any{name, body, 1, key}, args...)...)
	client.Process(ctx, once{cmd}) // its error is the command's
	return cmd
}

// once is a command that is not sent again when its answer was lost, because it
// may have happened: an Advance with grace 0 would take its own repetition for
// reuse. MaxRetries says so to one server, but the cluster's client repeats by
// itself; where a slot's new server is, it still follows.
type once struct{ *redis.Cmd }

// NoRetry is what the library asks.
func (once) NoRetry() bool { return true }
