package redisstore

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tokenwright/tokenwright/authserver"
)

//go:embed open.lua
var openText string

// Open adds the session to its user's set and keeps it, in one transaction and
// one round trip, on a cluster in two. Only when the set has grown beyond
// perUser, one more asks which sessions were used least recently.
func (s *Store) Open(ctx context.Context, session authserver.Session, perUser int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	deadline := session.Deadline.UnixMilli()
	var size *redis.IntCmd
	var kept *redis.Cmd
	index := func(p redis.Pipeliner) {
		user := userKey(session.Subject)
		p.ZRemRangeByScore(ctx, user, "-inf", strconv.FormatInt(time.Now().UnixMilli(), 10))
		p.ZAdd(ctx, user, redis.Z{Score: float64(deadline), Member: session.ID})
		// GT takes a key without expiry for one that never ends.
		p.Do(ctx, "pexpireat", user, deadline, "nx")
		p.Do(ctx, "pexpireat", user, deadline, "gt")
		size = p.ZCard(ctx, user)
	}
	keep := func(p redis.Pipeliner) {
		args := append([]any{session.IdleDeadline.UnixMilli()}, encode(session)...)
		kept = p.Eval(ctx, openText, []string{sessionKey(session.ID)}, args...)
	}
	if err := s.inOrder(ctx, index, keep); err != nil {
		return nil, unavailable("open session", err)
	}
	if n, err := kept.Int64(); err != nil || n == 0 {
		return nil, fmt.Errorf("open session: %w", authserver.ErrConflict)
	}
	if perUser <= 0 || size.Val() <= int64(perUser) {
		return nil, nil
	}
	others, err := s.sessions(ctx, session.Subject)
	if err != nil {
		return nil, unavailable("count sessions", err)
	}
	return session.Excess(others, perUser), nil
}

// inOrder makes each step a transaction if Redis is a cluster, and all of them
// one otherwise. A step's keys are of one slot.
func (s *Store) inOrder(ctx context.Context, steps ...func(redis.Pipeliner)) error {
	n := len(steps)
	if s.cluster {
		n = 1
	}
	for some := range slices.Chunk(steps, n) {
		if _, err := s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
			for _, step := range some {
				step(p)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// Sessions lists a user's sessions, the last used first.
func (s *Store) Sessions(ctx context.Context, subject string, p authserver.Page) ([]authserver.Session, int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	all, err := s.sessions(ctx, subject)
	if err != nil {
		return nil, 0, unavailable("list sessions", err)
	}
	first, last := p.Of(len(all))
	return all[first:last], len(all), nil
}

// sessions reads all that a user has, the last used first, and takes out of the
// set those that are gone. A code that was not redeemed is none yet.
//
// In a cluster these stay there until their deadline: they may be such as are
// in the set already and not yet kept.
func (s *Store) sessions(ctx context.Context, subject string) ([]authserver.Session, error) {
	user := userKey(subject)
	ids, err := s.client.ZRange(ctx, user, 0, -1).Result()
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	records := make([]*redis.MapStringStringCmd, len(ids))
	if _, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			records[i] = p.HGetAll(ctx, sessionKey(id))
		}
		return nil
	}); err != nil {
		return nil, err
	}
	var (
		all  []authserver.Session
		gone []any
		now  = time.Now()
	)
	for i, id := range ids {
		if len(records[i].Val()) == 0 {
			gone = append(gone, id)
			continue
		}
		session, err := decode(id, records[i].Val())
		if err != nil {
			return nil, err
		}
		if live(session, now) && session.Counter > 0 {
			all = append(all, session)
		}
	}
	// Safe, because a session's set and hash are written in one transaction and
	// no id is given twice.
	if len(gone) > 0 && !s.cluster {
		if err := s.client.ZRem(ctx, user, gone...).Err(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b authserver.Session) int {
		return cmp.Or(b.LastUsedAt.Compare(a.LastUsedAt), b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}
