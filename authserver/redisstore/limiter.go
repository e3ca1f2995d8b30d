package redisstore

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tokenwright/tokenwright/authserver/limit"
)

//go:embed take.lua
var takeText string

//go:embed return.lua
var returnText string

// Limiter is a limit.Limiter that several servers share. It counts by Redis's
// clock, so that their own need not agree. A key is in Redis for as long as its
// allowance is not whole, at most the rule's Per.
type Limiter struct {
	client     redis.UniversalClient
	take, give script
	key        []byte
	// silentUntil is when Redis is to be asked again, in Unix nanoseconds.
	silentUntil atomic.Int64
}

var _ limit.Limiter = (*Limiter)(nil)

// A login asks several times and then opens a session. All together has to be
// over within 2 s when Redis hangs, so that only the first question waits.
const (
	limitPatience = 500 * time.Millisecond
	limitSilence  = time.Second
)

// Limiter counts in the same Redis. Redis sees keys only as HMACs under key,
// since the names and addresses in them are easily guessed: every server gives
// the same one.
func (s *Store) Limiter(key []byte) *Limiter {
	return &Limiter{client: s.client, take: newScript(takeText), give: newScript(returnText), key: key}
}

// Take is one script. For a second after Redis has not answered in time it
// returns ErrUnavailable at once.
func (l *Limiter) Take(ctx context.Context, r limit.Rule, key string) (limit.Decision, error) {
	if r.Off() {
		return limit.Decision{Allowed: true}, nil
	}
	wait, err := l.ask(ctx, l.take, r, key)
	if err != nil {
		return limit.Decision{}, unavailable("take allowance", err)
	}
	return limit.Decision{Allowed: wait == 0, RetryAfter: time.Duration(wait) * time.Microsecond}, nil
}

// Return is one script, and gives up as Take does.
func (l *Limiter) Return(ctx context.Context, r limit.Rule, key string) error {
	if r.Off() {
		return nil
	}
	if _, err := l.ask(ctx, l.give, r, key); err != nil {
		return unavailable("return allowance", err)
	}
	return nil
}

func (l *Limiter) ask(ctx context.Context, s script, r limit.Rule, key string) (int64, error) {
	if time.Now().UnixNano() < l.silentUntil.Load() {
		return 0, errors.New("no answer a moment ago")
	}
	// Up to whole microseconds, so that nobody gets more than the rule allows.
	interval := (r.Interval() + time.Microsecond - 1) / time.Microsecond
	bounded, cancel := context.WithTimeout(ctx, limitPatience)
	defer cancel()
	answer, err := s.run(bounded, l.client, l.name(r, key), int64(interval), r.Burst).Int64()
	if err != nil && ctx.Err() == nil {
		l.silentUntil.Store(time.Now().Add(limitSilence).UnixNano())
	}
	return answer, err
}

func (l *Limiter) name(r limit.Rule, key string) string {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte(r.Name + "\x00" + key))
	return "tw:limit:{" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16]) + "}"
}
