package redisstore

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// tooOld is a Redis that lacks the commands used here.
type tooOld struct{ version string }

func (e *tooOld) Error() string { return "version " + e.version }

// oneLine is an error of several Sentinels on one line.
type oneLine struct{ error }

func (e oneLine) Error() string {
	return strings.Join(slices.Compact(strings.Split(e.error.Error(), "\n")), "; ")
}

func (e oneLine) Unwrap() error { return e.error }

// refusal says in one sentence what is wrong and the way out.
func refusal(addr string, err error) error {
	err = oneLine{err}
	old, isOld := errors.AsType[*tooOld](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case isOld:
		return fmt.Errorf("REDIS_URL: Redis at %s is version %s; 7.0 or later is needed", addr, old.version)
	case untrusted:
		return fmt.Errorf("REDIS_URL: the certificate of Redis at %s is not good; give ca=FILE with the CA that it is of, "+
			"and a host that it is for: %w", addr, err)
	case redis.HasErrorPrefix(err, "NOAUTH"):
		return fmt.Errorf("REDIS_URL: Redis at %s wants a password; give %s: %w", addr, accepted, err)
	case redis.HasErrorPrefix(err, "WRONGPASS"):
		return fmt.Errorf("REDIS_URL: Redis at %s refuses the user or the password; correct them: %w", addr, err)
	case redis.HasErrorPrefix(err, "NOPERM"):
		return fmt.Errorf("REDIS_URL: the user may not do at %s what sessions need; "+
			"permit it the keys tw:*, the channel tw:wake and the commands that are refused: %w", addr, err)
	case redis.HasErrorPrefix(err, "MOVED"):
		return fmt.Errorf("REDIS_URL: Redis at %s is one of a cluster; give redis+cluster://", addr)
	case redis.HasErrorPrefix(err, "This instance has cluster support disabled"):
		return fmt.Errorf("REDIS_URL: Redis at %s is not one of a cluster; give redis:// or redis+sentinel://", addr)
	case errors.Is(err, redis.Nil):
		return fmt.Errorf("REDIS_URL: the Sentinels at %s know no master of that name; correct what follows the slash", addr)
	}
	return fmt.Errorf("REDIS_URL: Redis at %s does not answer as it should; start it or correct the URL: %w", addr, err)
}
