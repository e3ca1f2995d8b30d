package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// ChangeUser makes the change and ends what it ends.
func (d *DB) ChangeUser(ctx context.Context, subject string, c authserver.UserChange, e authserver.Event) (authserver.User, error) {
	var u authserver.User
	now := time.Now()
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if c.Username != nil || c.Email != nil {
			if err := lock(ctx, tx, "user"); err != nil {
				return err
			}
		}
		// Endings take turns, from before they look whether the one that asks has
		// ended: PostgreSQL would look at that before it waits for the user's row.
		if c.EndTokens || c.EndSessions || c.Roles != nil || len(c.End) > 0 {
			if err := lock(ctx, tx, "revocation"); err != nil {
				return err
			}
		}
		if err := loses(ctx, tx, subject, &c); err != nil {
			return err
		}
		if e.Reason == "" {
			e.Reason = string(c.Reason)
		}
		u, err = scanUser(tx.QueryRowContext(ctx, `
			update users set
				username = coalesce($2, username), username_key = coalesce($3, username_key),
				email = coalesce($4, email), email_key = coalesce($5, email_key),
				full_name = coalesce($6, full_name), roles = coalesce($7, roles), active = coalesce($8, active),
				password_hash = coalesce($9, password_hash),
				epoch = case when not $10 then epoch when epoch < $15 then $15 else epoch + 1 end,
				session_epoch = case when not $11 then session_epoch when session_epoch < $15 then $15 else session_epoch + 1 end,
				kept_session = case when $11 then $12 else kept_session end,
				updated_at = case when $17 then $18 else updated_at end
			where subject = $1 and ($14 = '' or password_hash = $14)
				and ($16 = '' or `+lives("$16", "$13")+`)
			returning `+returnedUser,
			subject, c.Username, folded(c.Username), c.Email, folded(c.Email), c.FullName, joined(c.Roles), c.Active, c.PasswordHash,
			c.EndTokens, c.EndSessions, join(c.Keep.IDs()), c.Keep.SessionEpoch, c.IfPasswordHash, now.Unix(), c.Keep.SessionID,
			c.Username != nil || c.Email != nil || c.FullName != nil, now.UnixMilli()))
		if errors.Is(err, sql.ErrNoRows) && c.Keep.SessionID != "" {
			return whyNot(ctx, tx, subject, c)
		}
		if err != nil {
			return err
		}
		if c.EndTokens {
			if _, err := revoke(ctx, tx, entry{kind: authserver.KindUser, id: subject, epoch: u.Epoch, reason: c.Reason}, now); err != nil {
				return err
			}
		}
		if c.EndSessions {
			if err := d.raised(ctx, tx, u, c, now); err != nil {
				return err
			}
		}
		ends := ender{db: d, tx: tx, now: now, all: c.EndSessions}
		for _, ending := range c.End {
			if _, err := ends.session(ctx, ending); err != nil {
				return err
			}
		}
		return d.record(ctx, tx, e)
	})
	if isUnique(err) {
		return authserver.User{}, d.taken(ctx, subject, deref(c.Username), deref(c.Email))
	}
	if err != nil {
		return authserver.User{}, failed("change user", err)
	}
	return u, nil
}

// lives is the condition that a session of the user, with its id and the session
// epoch that it was opened under, has not ended.
func lives(sid, epoch string) string {
	return `((session_epoch <= ` + epoch + ` or replace(' ' || kept_session || ' ', ' ' || ` + sid + ` || ' ', '') <> ' ' || kept_session || ' ')
		and not exists (select 1 from tombstones where session_id = ` + sid + `))`
}

// loses makes c end the tokens if it takes a role away from what the user has now.
func loses(ctx context.Context, tx *sql.Tx, subject string, c *authserver.UserChange) error {
	if c.Roles == nil {
		return nil
	}
	var roles string
	err := tx.QueryRowContext(ctx, `select roles from users where subject = $1`, subject).Scan(&roles)
	if err != nil {
		return err
	}
	for _, role := range strings.Fields(roles) {
		if !slices.Contains(*c.Roles, role) {
			c.EndTokens = true
			if c.Reason == "" {
				c.Reason = authserver.ReasonRoleRemoved
			}
		}
	}
	return nil
}

// whyNot says why a change that a session asked for found no user.
func whyNot(ctx context.Context, tx *sql.Tx, subject string, c authserver.UserChange) error {
	err := tx.QueryRowContext(ctx, `
		select subject from users where subject = $1 and ($2 = '' or password_hash = $2)`,
		subject, c.IfPasswordHash).Scan(&subject)
	if err != nil {
		return err
	}
	return authserver.ErrSessionEnded
}
