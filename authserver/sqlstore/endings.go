package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// What one session and one user can add to the table, in entries that are alive.
// Past that something larger ends by one entry.
const (
	mostOfSession = 32  // entries of its tokens: then the session ends
	mostOfUser    = 256 // entries of its tokens and sessions: then all its sessions end
	mostRaised    = 16  // entries of raised session epochs: the last one covers those before
)

// End ends sessions and tokens that have not ended yet.
func (d *DB) End(ctx context.Context, what []authserver.Ending, e authserver.Event) error {
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := lock(ctx, tx, "revocation"); err != nil {
			return err
		}
		some, ends := false, ender{db: d, tx: tx, now: time.Now()}
		for _, w := range what {
			ended, err := ends.end(ctx, w)
			if err != nil {
				return err
			}
			some = some || ended
		}
		if !some {
			return nil
		}
		return d.record(ctx, tx, e)
	})
	return failed("end tokens", err)
}

// ender ends what is one user's in one transaction, which has locked the counter
// of entries.
type ender struct {
	db  *DB
	tx  *sql.Tx
	now time.Time
	all bool // an entry of the transaction has ended all of the user's sessions
}

// end reports false for what has ended already.
func (e *ender) end(ctx context.Context, w authserver.Ending) (bool, error) {
	if w.Kind == authserver.KindSession {
		return e.session(ctx, w)
	}
	return e.token(ctx, w)
}

// token writes a token's entry, or ends its session.
func (e *ender) token(ctx context.Context, w authserver.Ending) (bool, error) {
	t := entry{kind: w.Kind, id: w.ID, reason: w.Reason, resources: w.Resources, subject: w.Subject, session: w.SessionID}
	if w.SessionID == "" {
		return revoke(ctx, e.tx, t, e.now)
	}
	var ended, entries, ofUser int
	err := e.tx.QueryRowContext(ctx, `
		select (select count(*) from revocations where kind = $1 and id = $2 and until > $5)
				+ (select count(*) from tombstones where session_id = $4),
			(select count(*) from revocations where subject = $3 and session_id = $4 and until > $5),
			(select count(*) from revocations where subject = $3 and until > $5)`,
		w.Kind, w.ID, w.Subject, w.SessionID, e.now.UnixMilli()).Scan(&ended, &entries, &ofUser)
	switch {
	case err != nil || ended > 0:
		return false, err
	case entries >= mostOfSession || ofUser >= mostOfUser:
		// The token's resources need not be all of the session's.
		return e.session(ctx, authserver.Ending{
			Kind: authserver.KindSession, ID: w.SessionID, Subject: w.Subject, ClientID: w.ClientID, Reason: w.Reason,
		})
	}
	return revoke(ctx, e.tx, t, e.now)
}

// session writes a session's tombstone, unless it has ended, and its entry, or
// ends all of the user's.
func (e *ender) session(ctx context.Context, w authserver.Ending) (bool, error) {
	ofUser, marked, err := e.db.mark(ctx, e.tx, w, e.now)
	if err != nil || !marked {
		return false, err
	}
	if w.ClientID == authserver.BrowserClientID && w.Reason == authserver.ReasonEvicted {
		return true, nil // no logout of what it opened, and it has no token of its own
	}
	if ofUser >= mostOfUser && !e.all {
		if e.all, err = e.sessions(ctx, w); err != nil {
			return false, err
		}
	}
	if ofUser >= mostOfUser && e.all {
		return true, nil
	}
	return revoke(ctx, e.tx, entry{
		kind: authserver.KindSession, id: w.ID, reason: w.Reason, resources: w.Resources, subject: w.Subject,
	}, e.now)
}

// sessions ends all of the user's but the one that w keeps, if that lives. False
// if there is no such user: what removed it has ended them.
func (e *ender) sessions(ctx context.Context, w authserver.Ending) (bool, error) {
	u, err := scanUser(e.tx.QueryRowContext(ctx, `
		update users set
			session_epoch = case when session_epoch < $2 then $2 else session_epoch + 1 end,
			kept_session = case when $3 <> '' and `+lives("$3", "$4")+` then $5 else '' end
		where subject = $1
		returning `+returnedUser, w.Subject, e.now.Unix(), w.Keep.SessionID, w.Keep.SessionEpoch, join(w.Keep.IDs())))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, e.db.raised(ctx, e.tx, u, authserver.UserChange{Reason: w.Reason}, e.now)
}

// entry is what revoke writes.
type entry struct {
	kind             authserver.Kind
	id               string
	epoch            int64
	reason           authserver.Reason
	resources        []string
	userEpoch        int64    // of kindSessions only
	kept             []string // of kindSessions only
	subject, session string   // whose entries it counts among
}

// kindSessions is a row that raises a user's session epoch alone.
const kindSessions authserver.Kind = "sessions"

// revoke writes an entry, unless there is one that is alive. Taking the number
// locks the counter until the commit, so that entries commit in sequence.
func revoke(ctx context.Context, tx *sql.Tx, e entry, now time.Time) (bool, error) {
	seq, err := next(ctx, tx, "revocation")
	if err != nil {
		return false, err
	}
	res, err := tx.ExecContext(ctx, `
		insert into revocations (seq, kind, id, epoch, reason, resources, user_epoch, kept, subject, session_id, until)
		values ($1, $2, $3, $4, $5, $8, $9, $10, $11, $12, $6 + (select millis from lifetimes where name = 'access'))
		on conflict (kind, id, epoch) do update set seq = excluded.seq, reason = excluded.reason, resources = excluded.resources,
				user_epoch = excluded.user_epoch, kept = excluded.kept, subject = excluded.subject, session_id = excluded.session_id,
				until = excluded.until
			where revocations.until <= $7`,
		seq, e.kind, e.id, e.epoch, e.reason, now.Add(skew).UnixMilli(), now.UnixMilli(), join(e.resources), e.userEpoch, join(e.kept),
		e.subject, e.session)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	if err == nil && n > 0 && e.kind == kindSessions {
		return true, cover(ctx, tx, e)
	}
	if err != nil || n > 0 {
		return n > 0, err
	}
	// Give the number back: the sequence has no gaps.
	_, err = tx.ExecContext(ctx, `update counters set value = value - 1 where name = 'revocation'`)
	return false, err
}

// cover forgets what e, a raised session epoch, covers. Some stay: whoever reads the table
// looks whether the last entry that it knows is still there.
func cover(ctx context.Context, tx *sql.Tx, e entry) error {
	_, err := tx.ExecContext(ctx, `
		delete from revocations where kind = $1 and id = $2 and epoch <= (
			select epoch from revocations where kind = $1 and id = $2 order by epoch desc limit 1 offset $3)`,
		e.kind, e.id, mostRaised)
	return err
}
