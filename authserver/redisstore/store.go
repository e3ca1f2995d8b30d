// Package redisstore keeps sessions in Redis, version 7 or later: in one server,
// behind Sentinels or in a cluster. Redis has them because they are many and
// hot; it never decides what has ended, and may lose some or bring some back.
// It also counts for the limiter, and carries wake-ups between servers.
//
// Every session is one hash, tw:{sid}, and every user with sessions one sorted
// set, tw:user:{sub}, of their ids by deadline. A session leaves by its idle deadline,
// which moves, and the set by the last deadline in it.
// The set is an index for listing: it may name sessions that are gone, which it
// then forgets, but it never lacks one. A limiter's key is tw:limit:{…}, with an
// absolute expiry too, and wake-ups are on the channel tw:wake. A user of an ACL
// needs these keys and that channel, and of commands +@read +@write +@scripting
// +@transaction +@pubsub +time; in a cluster +cluster|slots, too. Sentinels are
// asked as their default user, with the same password.
//
// # Limits and their reasons
//
//   - A method takes 1.2 s at most, a question of the limiter 0.5 s and a wake-up
//     0.2 s, so that a request is refused within 2 s when Redis is away. The waits
//     for a connection of the pool, to make one, to write and to read are bounded
//     by 1 s each within that.
//   - Nothing is tried again. An Advance whose answer was lost may have happened,
//     and with grace 0 its repetition would be reuse: the client decides. Only
//     where a cluster says that a slot has moved, the call goes on there.
//   - The pool has ten connections for each processor, in a cluster to each
//     server: a call takes a fraction of a millisecond, and more callers than
//     that wait. After as many vain tries to connect the library tries once a
//     second, which is how late a Redis that is back may be noticed.
//   - A cluster is asked once a second where its slots are.
//   - Redis must not evict: a maxmemory-policy other than noeviction is warned
//     about at the start. With it a full Redis refuses to open sessions, instead
//     of ending some.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tokenwright/tokenwright/authserver"
)

// Store is an authserver.SessionStore. It is safe for concurrent use.
type Store struct {
	client  redis.UniversalClient
	advance script
	// cluster says that keys of two slots have no transaction in common.
	cluster bool
}

var _ authserver.SessionStore = (*Store)(nil)

// patience is how long one method may take, so that a request is answered 503
// within 2 s when Redis is away, the limiter's questions included.
const patience = 1200 * time.Millisecond

// Close ends the connections.
func (s *Store) Close() error { return s.client.Close() }

// Ping returns Redis's clock.
func (s *Store) Ping(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	at, err := s.client.Time(ctx).Result()
	if err != nil {
		return time.Time{}, unavailable("read clock", err)
	}
	return at.UTC(), nil
}

// Session returns ErrNotFound for one that is not there or past its deadlines.
func (s *Store) Session(ctx context.Context, id string) (authserver.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	fields, err := s.client.HGetAll(ctx, sessionKey(id)).Result()
	if err != nil {
		return authserver.Session{}, unavailable("read session", err)
	}
	if len(fields) == 0 {
		return authserver.Session{}, fmt.Errorf("read session: %w", authserver.ErrNotFound)
	}
	session, err := decode(id, fields)
	if err != nil {
		return authserver.Session{}, unavailable("read session", err)
	}
	if !live(session, time.Now()) {
		return authserver.Session{}, fmt.Errorf("read session: %w", authserver.ErrNotFound)
	}
	return session, nil
}

// Drop forgets a session and takes it out of its user's listing.
func (s *Store) Drop(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var subject *redis.StringCmd
	_, err := s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		subject = p.HGet(ctx, sessionKey(id), fieldSubject)
		p.Del(ctx, sessionKey(id))
		return nil
	})
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err != nil {
		return unavailable("drop session", err)
	}
	if err := s.client.ZRem(ctx, userKey(subject.Val()), id).Err(); err != nil {
		return unavailable("drop session", err)
	}
	return nil
}

func live(s authserver.Session, now time.Time) bool {
	return now.Before(s.IdleDeadline) && now.Before(s.Deadline)
}

// sessionKey cannot be a userKey, whatever id is: it may come from a stranger.
func sessionKey(id string) string { return "tw:{" + id + "}" }

func userKey(subject string) string { return "tw:user:{" + subject + "}" }

// unavailable wraps whatever is not an answer of ours. Redis's errors carry no
// arguments of commands, and so no secret.
func unavailable(doing string, err error) error {
	return fmt.Errorf("%s: %w: %w", doing, authserver.ErrUnavailable, err)
}
