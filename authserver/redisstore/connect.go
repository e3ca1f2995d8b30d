package redisstore

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/tokenwright/tokenwright/authserver"
)

// Open connects to the Redis that rawURL names and makes sure that it can keep
// sessions. An error is one sentence about REDIS_URL without its password. A
// Redis that may evict sessions is warned about.
func Open(ctx context.Context, rawURL string, logger *slog.Logger) (*Store, error) {
	opts, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	// The library would print lines of its own on stderr; whatever goes wrong is
	// in an error too.
	logging.Disable()
	s := &Store{client: connect(opts), advance: newScript(advanceText), cluster: opts.IsClusterMode}
	if err := s.check(ctx, logger); err != nil {
		s.Close()
		return nil, refusal(strings.Join(opts.Addrs, ","), err)
	}
	return s, nil
}

func connect(opts *redis.UniversalOptions) redis.UniversalClient {
	if !opts.IsClusterMode {
		return redis.NewUniversalClient(opts)
	}
	cluster := opts.Cluster()
	// A server that is gone cannot say where its slots went.
	cluster.ClusterStateReloadInterval = time.Second
	return redis.NewClusterClient(cluster)
}

// options are those that no URL decides. Nothing is tried twice: an Advance
// whose answer was lost may have happened, and with grace 0 its repetition
// would be taken for reuse.
func options() *redis.UniversalOptions {
	return &redis.UniversalOptions{
		MaxRetries:            -1,
		DialerRetries:         1,
		DialTimeout:           time.Second,
		ReadTimeout:           time.Second,
		WriteTimeout:          time.Second,
		PoolTimeout:           time.Second,
		PoolSize:              10 * runtime.GOMAXPROCS(0),
		ContextTimeoutEnabled: true,
		// Records are small: with 32 KiB a pool of idle connections weighs megabytes.
		ReadBufferSize:   4 << 10,
		WriteBufferSize:  4 << 10,
		PipelinePoolSize: -1,
		// Both cost a round trip for each new connection and serve nobody here.
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// check asks what a session, a limiter and a wake-up will ask, but changes
// nothing.
func (s *Store) check(ctx context.Context, logger *slog.Logger) error {
	if _, err := s.Ping(ctx); err != nil {
		return err
	}
	if err := s.each(ctx, func(ctx context.Context, c redis.Cmdable) error { return checkServer(ctx, c, logger) }); err != nil {
		return err
	}
	if _, _, err := s.Advance(ctx, "", authserver.Advance{}); !errors.Is(err, authserver.ErrNotFound) {
		return err
	}
	return s.Wake(ctx)
}

// each calls ask for the server, or for all primaries of a cluster at once.
func (s *Store) each(ctx context.Context, ask func(context.Context, redis.Cmdable) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error { return ask(ctx, c) })
	}
	return ask(ctx, s.client)
}

func checkServer(ctx context.Context, c redis.Cmdable, logger *slog.Logger) error {
	if v := version(ctx, c); v != "" {
		// PEXPIREAT with NX and GT came with 7.0.
		if major, _, _ := strings.Cut(v, "."); len(major) == 1 && major < "7" {
			return &tooOld{v}
		}
	}
	// Many hosted Redis servers do not permit CONFIG, so no answer is no fault.
	if conf, err := c.ConfigGet(ctx, "maxmemory-policy").Result(); err == nil {
		if p := conf["maxmemory-policy"]; p != "" && p != "noeviction" {
			logger.WarnContext(ctx, "redis may evict sessions when its memory is full, and their users must then log in again",
				"maxmemory_policy", p, "want", "noeviction")
		}
	}
	return nil
}

// version is empty if Redis does not say.
func version(ctx context.Context, c redis.Cmdable) string {
	info, err := c.Info(ctx, "server").Result()
	if err != nil {
		return ""
	}
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(line, "redis_version:"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
