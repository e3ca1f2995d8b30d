package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

const sessionColumns = `id, subject, client_id, client_incarnation, scope, resources, session_epoch, secret_hash, counter,
	rotated_at, created_at, last_used_at, idle_deadline, deadline, ip, user_agent, parent, auth_time, amr, consent_epoch, claims`

// Open keeps a new session.
func (d *DB) Open(ctx context.Context, s authserver.Session, perUser int) ([]string, error) {
	bound := authserver.Page{Offset: perUser - 1} // s itself is one of them
	if perUser == 0 {
		bound = authserver.Page{}
	}
	var excess *string
	err := d.w.row(ctx, `
		insert into sessions (id, subject, client_id, client_incarnation, scope, resources, session_epoch, secret_hash, counter, counter_before,
			rotated_at, created_at, last_used_at, idle_deadline, deadline, ip, user_agent, parent, auth_time, amr, consent_epoch, claims)
		values ($1, $2, $3, $4, $5, $6, $20, $7, $8, $8, $9, $10, $11, $12, $13, $14, $15, $21, $22, $23, $24, $26)
		returning (
			select string_agg(beyond.id, ' ') from (
				select other.id from sessions as other
				where $16 > 0 and other.subject = $2 and other.id <> $1 and other.idle_deadline > $17 and other.deadline > $17
					and other.counter > 0 and (other.client_id = $25) = ($3 = $25)
				order by case when other.parent = $21 and other.client_id = $3 and $21 <> '' then 1 else 0 end,
					other.last_used_at desc, other.id
				limit $18 offset $19
			) as beyond
		)`,
		s.ID, s.Subject, s.ClientID, s.ClientIncarnation, join(s.Scope), join(s.Resources), s.SecretHash[:], s.Counter,
		millis(s.RotatedAt), millis(s.CreatedAt), millis(s.LastUsedAt), millis(s.IdleDeadline), millis(s.Deadline), s.IP, s.UserAgent,
		perUser, time.Now().UnixMilli(), limit(bound), bound.Offset, s.SessionEpoch,
		s.Parent, authMillis(s.AuthTime), join(s.AMR), s.ConsentEpoch, authserver.BrowserClientID, join(s.Claims)).Scan(&excess)
	if isUnique(err) {
		return nil, fmt.Errorf("open session: %w", authserver.ErrConflict)
	}
	if err != nil {
		return nil, failed("open session", err)
	}
	if excess == nil {
		return nil, nil
	}
	return strings.Fields(*excess), nil
}

// advance moves a session on if the presented token is its current one, or one
// that a lost write had given out. The condition is all that Session.Judge asks
// for; counter_before then tells the two apart.
const advance = `
	update sessions set
		counter_before = counter, counter = $1, rotated_at = $2, last_used_at = $2,
		idle_deadline = case when deadline < $3 then deadline else $3 end,
		ip = case when parent = '' then $4 else ip end, user_agent = case when parent = '' then $5 else user_agent end,
		auth_time = case when cast($10 as bigint) > 0 then $10 else auth_time end,
		amr = case when cast($10 as bigint) > 0 then $11 else amr end
	where id = $6 and counter < $1 and secret_hash = $7 and client_id = $8 and client_incarnation = $9
		and idle_deadline > $2 and deadline > $2`

// keep moves on only when a session was used, if the presented token is current.
const keep = `
	update sessions set
		last_used_at = $2, idle_deadline = case when deadline < $3 then deadline else $3 end
	where id = $4 and counter = $1 and secret_hash = $5 and client_id = $6 and client_incarnation = $7
		and idle_deadline > $2 and deadline > $2`

// hasScope and hasResource are one more condition for each that was asked for.
// Both engines have replace, but no search of one text in another that minds
// its case.
const (
	hasScope    = ` and replace(' ' || scope || ' ', $%d, '') <> ' ' || scope || ' '`
	hasResource = ` and replace(' ' || resources || ' ', $%d, '') <> ' ' || resources || ' '`
)

const advanced = ` returning ` + sessionColumns + `, counter_before`

// Advance presents a refresh token to a session.
func (d *DB) Advance(ctx context.Context, id string, a authserver.Advance) (authserver.Session, authserver.Outcome, error) {
	a.Now = fromMillis(millis(a.Now)) // what is returned is then what is kept
	for {
		var before uint32
		s, err := scanSession(d.advance(ctx, id, a), &before)
		switch {
		case err == nil && a.Keep:
			return s, authserver.Kept, nil
		case err == nil && before == a.Counter:
			return s, authserver.Rotated, nil
		case err == nil:
			return s, authserver.Recovered, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return authserver.Session{}, 0, failed("advance session", err)
		}
		s, err = scanSession(d.r.row(ctx, `select `+sessionColumns+` from sessions where id = $1`, id))
		if err != nil {
			return authserver.Session{}, 0, failed("advance session", err)
		}
		s, outcome, err := s.Judge(a)
		if err != nil {
			return authserver.Session{}, 0, err
		}
		if outcome == authserver.Repeated || outcome == authserver.Reused {
			return s, outcome, nil
		}
		// Between the two statements another's presentation has moved the idle
		// deadline: this one is in time now.
	}
}

func (d *DB) advance(ctx context.Context, id string, a authserver.Advance) scanner {
	hash := sha256.Sum256(a.Secret[:])
	query, args := advance, []any{
		int64(a.Counter) + 1, millis(a.Now), millis(a.Now.Add(a.IdleLifetime)), a.IP, a.UserAgent,
		id, hash[:], a.ClientID, a.ClientIncarnation, authMillis(a.AuthTime), join(a.AMR),
	}
	if a.Keep {
		query, args = keep, []any{
			int64(a.Counter), millis(a.Now), millis(a.Now.Add(a.IdleLifetime)), id, hash[:], a.ClientID, a.ClientIncarnation,
		}
	}
	if len(a.Scope) == 0 && len(a.Resources) == 0 {
		return d.w.row(ctx, query+advanced, args...)
	}
	var asked strings.Builder
	for _, name := range a.Scope {
		args = append(args, " "+name+" ")
		fmt.Fprintf(&asked, hasScope, len(args))
	}
	for _, identifier := range a.Resources {
		args = append(args, " "+identifier+" ")
		fmt.Fprintf(&asked, hasResource, len(args))
	}
	return d.w.once(ctx, query+asked.String()+advanced, args...)
}

// Session finds a session that is not past its deadlines.
func (d *DB) Session(ctx context.Context, id string) (authserver.Session, error) {
	s, err := scanSession(d.r.row(ctx, `
		select `+sessionColumns+` from sessions
		where id = $1 and idle_deadline > $2 and deadline > $2`, id, time.Now().UnixMilli()))
	return s, failed("find session", err)
}

// Sessions lists a user's sessions that are not past their deadlines.
func (d *DB) Sessions(ctx context.Context, subject string, p authserver.Page) ([]authserver.Session, int, error) {
	now := time.Now().UnixMilli()
	var total int
	err := d.r.row(ctx, `
		select count(*) from sessions
		where subject = $1 and idle_deadline > $2 and deadline > $2 and counter > 0`, subject, now).Scan(&total)
	if err != nil {
		return nil, 0, failed("count sessions", err)
	}
	sessions, err := list(ctx, &d.r, func(row scanner) (authserver.Session, error) { return scanSession(row) }, `
		select `+sessionColumns+` from sessions
		where subject = $1 and idle_deadline > $2 and deadline > $2 and counter > 0
		order by last_used_at desc, id
		limit $3 offset $4`, subject, now, limit(p), p.Offset)
	return sessions, total, failed("list sessions", err)
}

// Drop forgets a session that has ended.
func (d *DB) Drop(ctx context.Context, id string) error {
	_, err := d.w.exec(ctx, `delete from sessions where id = $1`, id)
	return failed("drop session", err)
}

// scanSession reads sessionColumns, and into more what follows them.
func scanSession(row scanner, more ...any) (authserver.Session, error) {
	var (
		s                                                    authserver.Session
		scope, resources, amr, claims                        string
		hash                                                 []byte
		rotated, created, lastUsed, idle, deadline, authTime int64
	)
	err := row.Scan(append([]any{
		&s.ID, &s.Subject, &s.ClientID, &s.ClientIncarnation, &scope, &resources, &s.SessionEpoch, &hash, &s.Counter,
		&rotated, &created, &lastUsed, &idle, &deadline, &s.IP, &s.UserAgent,
		&s.Parent, &authTime, &amr, &s.ConsentEpoch, &claims}, more...)...)
	if err != nil {
		return authserver.Session{}, err
	}
	copy(s.SecretHash[:], hash)
	s.Scope, s.Resources = strings.Fields(scope), strings.Fields(resources)
	s.RotatedAt, s.CreatedAt, s.LastUsedAt = fromMillis(rotated), fromMillis(created), fromMillis(lastUsed)
	s.IdleDeadline, s.Deadline = fromMillis(idle), fromMillis(deadline)
	s.AMR, s.Claims = strings.Fields(amr), strings.Fields(claims)
	if authTime > 0 {
		s.AuthTime = fromMillis(authTime)
	}
	return s, nil
}

// authMillis has 0 for a time that is not known.
func authMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return millis(t)
}
