package redisstore

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

//go:embed advance.lua
var advanceText string

// Advance is one script: an EVALSHA, and once after Redis was started an EVAL.
func (s *Store) Advance(ctx context.Context, id string, a authserver.Advance) (authserver.Session, authserver.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := s.advance.run(ctx, s.client, sessionKey(id), advanceArgs(a)...).Slice()
	if err != nil {
		return authserver.Session{}, 0, unavailable("advance session", err)
	}
	session, outcome, err := readAdvance(id, answer)
	if err != nil {
		return authserver.Session{}, 0, fmt.Errorf("advance session: %w", err)
	}
	return session, outcome, nil
}

func advanceArgs(a authserver.Advance) []any {
	hash := sha256.Sum256(a.Secret[:])
	since := ""
	if a.Grace > 0 {
		// Up to the next millisecond, because RotatedAt has no smaller parts.
		at := a.Now.Add(time.Millisecond - 1 - a.Grace)
		since = strconv.FormatInt(at.UnixMilli(), 10)
	}
	args := []any{
		a.Now.UnixMilli(), a.ClientID, a.ClientIncarnation, hash[:], a.Counter, a.Counter + 1,
		since, a.Now.Add(a.IdleLifetime).UnixMilli(), a.IP, a.UserAgent,
		len(a.Scope), a.Keep, authMillis(a.AuthTime), strings.Join(a.AMR, " "),
	}
	for _, name := range slices.Concat(a.Scope, a.Resources) {
		args = append(args, name)
	}
	return args
}

// authMillis has nothing for a time that is not set.
func authMillis(t time.Time) any {
	if t.IsZero() {
		return ""
	}
	return t.UnixMilli()
}

func readAdvance(id string, answer []any) (authserver.Session, authserver.Outcome, error) {
	var outcome authserver.Outcome
	word, _ := answer[0].(string)
	switch word {
	case "absent":
		return authserver.Session{}, 0, authserver.ErrNotFound
	case "expired":
		return authserver.Session{}, 0, authserver.ErrSessionExpired
	case "client":
		return authserver.Session{}, 0, authserver.ErrWrongClient
	case "secret":
		return authserver.Session{}, 0, authserver.ErrWrongSecret
	case "scope":
		return authserver.Session{}, 0, authserver.ErrScopeTooWide
	case "target":
		return authserver.Session{}, 0, authserver.ErrTargetTooWide
	case "rotated":
		outcome = authserver.Rotated
	case "repeated":
		outcome = authserver.Repeated
	case "reused":
		outcome = authserver.Reused
	case "recovered":
		outcome = authserver.Recovered
	case "kept":
		outcome = authserver.Kept
	}
	flat, _ := answer[len(answer)-1].([]any)
	fields := make(map[string]string, len(flat)/2)
	for i := 0; i+1 < len(flat); i += 2 {
		name, _ := flat[i].(string)
		fields[name], _ = flat[i+1].(string)
	}
	session, err := decode(id, fields)
	if err != nil {
		return authserver.Session{}, 0, fmt.Errorf("%w: %w", authserver.ErrUnavailable, err)
	}
	return session, outcome, nil
}
