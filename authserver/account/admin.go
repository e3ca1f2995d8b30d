package account

import (
	"context"
	"fmt"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// The acts of administrators. Each is one transaction with what it ends and its
// audit row, in which actor is who did it; ErrNotFound if there is no such user.

// SetPassword replaces a forgotten or stolen password: every session and access
// token of the user ends.
func (us *Users) SetPassword(ctx context.Context, subject, pw, actor string) error {
	u, err := us.d.Users.User(ctx, subject)
	if err != nil {
		return fmt.Errorf("find user: %w", err)
	}
	if err := checkNewPassword(pw, u.Username, u.Email); err != nil {
		return err
	}
	hash, err := us.hash(ctx, pw)
	if err != nil {
		return err
	}
	return us.change(ctx, subject, "user.set_password", actor, authserver.UserChange{
		PasswordHash: &hash,
		EndTokens:    true, EndSessions: true,
		Reason: authserver.ReasonPasswordChanged,
	})
}

// Rename gives the user another name. Access tokens end, for they carry the old
// one; sessions go on under the new.
func (us *Users) Rename(ctx context.Context, subject, username, actor string) error {
	if err := checkUsername(username); err != nil {
		return err
	}
	return us.change(ctx, subject, "user.rename", actor, authserver.UserChange{
		Username:  &username,
		EndTokens: true,
		Reason:    authserver.ReasonUserRenamed,
	})
}

// SetEmail gives the user another e-mail address. Nothing ends: no token has it.
func (us *Users) SetEmail(ctx context.Context, subject, email, actor string) error {
	if err := checkEmail(email); err != nil {
		return err
	}
	return us.change(ctx, subject, "user.set_email", actor, authserver.UserChange{Email: &email})
}

// SetRoles replaces the user's roles. If one is taken away, access tokens end;
// sessions go on with what is left.
func (us *Users) SetRoles(ctx context.Context, subject string, roles []string, actor string) error {
	if err := checkRoles(us.d.Roles, roles); err != nil {
		return err
	}
	return us.change(ctx, subject, "user.set_roles", actor, rolesChange(roles))
}

// rolesChange ends the tokens of a user who loses a role by it.
func rolesChange(to []string) authserver.UserChange {
	to = distinct(to)
	return authserver.UserChange{Roles: &to}
}

// Disable locks the user out: every session and access token ends.
func (us *Users) Disable(ctx context.Context, subject, actor string) error {
	return us.change(ctx, subject, "user.disable", actor, activeChange(false))
}

// Enable lets the user log in again. What has ended stays ended.
func (us *Users) Enable(ctx context.Context, subject, actor string) error {
	return us.change(ctx, subject, "user.enable", actor, activeChange(true))
}

func activeChange(active bool) authserver.UserChange {
	c := authserver.UserChange{Active: &active}
	if !active {
		c.EndTokens, c.EndSessions, c.Reason = true, true, authserver.ReasonUserDisabled
	}
	return c
}

// EndSessions ends every session and access token of the user, who may log in
// again.
func (us *Users) EndSessions(ctx context.Context, subject, actor string) error {
	return us.change(ctx, subject, "session.revoke", actor, authserver.UserChange{
		EndTokens: true, EndSessions: true, Reason: authserver.ReasonRevoked,
	})
}

// Remove forgets the user: every session and access token ends.
func (us *Users) Remove(ctx context.Context, subject, actor string) error {
	e := event(ctx, "user.remove", actor)
	e.Subject, e.Reason = subject, string(authserver.ReasonUserRemoved)
	if err := us.d.Users.RemoveUser(ctx, subject, e); err != nil {
		return fmt.Errorf("remove user: %w", err)
	}
	us.d.changed(ctx)
	return nil
}

func (us *Users) change(ctx context.Context, subject, act, actor string, c authserver.UserChange) error {
	e := event(ctx, act, actor)
	e.Subject, e.Reason = subject, string(c.Reason)
	start := time.Now().Unix()
	u, err := us.d.Users.ChangeUser(ctx, subject, c, e)
	if err != nil {
		return fmt.Errorf("change user: %w", err)
	}
	lost := c.Roles != nil && u.Epoch >= start // a role was taken away
	if c.EndTokens || c.EndSessions || lost || len(c.End) > 0 {
		us.d.changed(ctx)
	}
	return nil
}
