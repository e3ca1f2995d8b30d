package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
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
	s := &Store{client: redis.NewClient(opts), advance: redis.NewScript(advanceText)}
	if err := s.check(ctx, logger); err != nil {
		s.Close()
		return nil, refusal(opts.Addr, err)
	}
	return s, nil
}

const accepted = "redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS"

// parseURL never quotes the URL or net/url's complaint about it: either may
// have the password in it.
func parseURL(raw string) (*redis.Options, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("REDIS_URL is not a URL; give " + accepted +
			", with what is special in the password percent-encoded")
	}
	opts := options()
	switch u.Scheme {
	case "redis":
	case "rediss":
		opts.TLSConfig = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	case "redis+sentinel", "redis+cluster":
		return nil, fmt.Errorf("REDIS_URL: %s is not supported; give %s", u.Scheme, accepted)
	default:
		return nil, errors.New("REDIS_URL has an unknown scheme; give " + accepted)
	}
	if u.Hostname() == "" {
		return nil, errors.New("REDIS_URL names no host; give " + accepted)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("REDIS_URL has a query or a fragment, which mean nothing here; give " + accepted)
	}
	if db := strings.Trim(u.Path, "/"); db != "" {
		if opts.DB, err = strconv.Atoi(db); err != nil || opts.DB < 0 {
			return nil, errors.New("REDIS_URL: the database is not a number; give " + accepted)
		}
	}
	port := u.Port()
	if port == "" {
		port = "6379"
	}
	opts.Addr = net.JoinHostPort(u.Hostname(), port)
	opts.Username = u.User.Username()
	opts.Password, _ = u.User.Password()
	return opts, nil
}

// options are those that no URL decides. Nothing is tried twice: an Advance
// whose answer was lost may have happened, and with grace 0 its repetition
// would be taken for reuse.
func options() *redis.Options {
	return &redis.Options{
		MaxRetries:            -1,
		DialerRetries:         1,
		DialTimeout:           time.Second,
		ReadTimeout:           time.Second,
		WriteTimeout:          time.Second,
		PoolTimeout:           time.Second,
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

// tooOld is a Redis that lacks the commands used here.
type tooOld struct{ version string }

func (e *tooOld) Error() string { return "version " + e.version }

// check asks what a session will ask, but changes nothing.
func (s *Store) check(ctx context.Context, logger *slog.Logger) error {
	if _, err := s.Ping(ctx); err != nil {
		return err
	}
	if v := s.version(ctx); v != "" {
		// PEXPIREAT with NX and GT came with 7.0.
		if major, _, _ := strings.Cut(v, "."); len(major) == 1 && major < "7" {
			return &tooOld{v}
		}
	}
	if _, _, err := s.Advance(ctx, "", authserver.Advance{}); !errors.Is(err, authserver.ErrNotFound) {
		return err
	}
	// Many hosted Redis servers do not permit CONFIG, so no answer is no fault.
	if conf, err := s.client.ConfigGet(ctx, "maxmemory-policy").Result(); err == nil {
		if p := conf["maxmemory-policy"]; p != "" && p != "noeviction" {
			logger.WarnContext(ctx, "redis may evict sessions when its memory is full, and their users must then log in again",
				"maxmemory_policy", p, "want", "noeviction")
		}
	}
	return nil
}

// version is empty if Redis does not say.
func (s *Store) version(ctx context.Context) string {
	info, err := s.client.Info(ctx, "server").Result()
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

// refusal says in one sentence what is wrong and the way out.
func refusal(addr string, err error) error {
	old, isOld := errors.AsType[*tooOld](err)
	switch {
	case isOld:
		return fmt.Errorf("REDIS_URL: Redis at %s is version %s; 7.0 or later is needed", addr, old.version)
	case redis.HasErrorPrefix(err, "NOAUTH"):
		return fmt.Errorf("REDIS_URL: Redis at %s wants a password; give %s: %w", addr, accepted, err)
	case redis.HasErrorPrefix(err, "WRONGPASS"):
		return fmt.Errorf("REDIS_URL: Redis at %s refuses the user or the password; correct them: %w", addr, err)
	case redis.HasErrorPrefix(err, "NOPERM"):
		return fmt.Errorf("REDIS_URL: the user may not do at %s what sessions need; "+
			"permit it the keys tw:* and the commands that are refused: %w", addr, err)
	}
	return fmt.Errorf("REDIS_URL: Redis at %s does not answer as it should; start it or correct the URL: %w", addr, err)
}
