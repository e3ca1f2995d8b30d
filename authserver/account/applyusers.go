package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/password"
)

func (p *plan) planUsers(ctx context.Context) error {
	for _, x := range p.file.users {
		faults := len(p.faults)
		p.bad(x.line, "user", x.username, checkUsername(x.username), checkEmail(x.email), checkRoles(p.d.Roles, x.roles))
		if x.fullName != nil {
			p.bad(x.line, "user", x.username, checkFullName(*x.fullName))
		}
		if x.password != "" && x.passwordHash != "" {
			p.bad(x.line, "user", x.username, errors.New("password and password_hash are both there: leave one out"))
		}
		if x.passwordHash != "" && !password.Known(x.passwordHash) {
			p.bad(x.line, "user", x.username, errors.New("password_hash has no known format: give an argon2id or bcrypt hash, in quotes"))
		}
		if len(p.faults) > faults {
			continue // no store need be asked for a name that cannot be
		}
		if err := p.planUser(ctx, x); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) planUser(ctx context.Context, x fileUser) error {
	old, err := p.find(ctx, x.username)
	if err != nil {
		return err
	}
	owner, err := p.find(ctx, x.email)
	if err != nil {
		return err
	}
	if owner != nil && (old == nil || old.Subject != owner.Subject) {
		p.bad(x.line, "user", x.username, errors.New("the e-mail address is another user's: give another, or change that user first"))
		return nil
	}
	if old != nil {
		p.planUserChange(x, *old)
		return nil
	}
	return p.planNewUser(ctx, x)
}

// find returns nil if there is no such user.
func (p *plan) find(ctx context.Context, login string) (*authserver.User, error) {
	u, err := p.users.Find(ctx, login)
	if errors.Is(err, authserver.ErrNotFound) {
		return nil, nil
	}
	return &u, err
}

// planNewUser hashes the password now, so that one that the Hasher cannot take
// is found before anything is written.
func (p *plan) planNewUser(ctx context.Context, x fileUser) error {
	hash := x.passwordHash
	switch {
	case hash != "":
	case x.password == "":
		p.bad(x.line, "user", x.username, errors.New("the user is new: give a password or a password_hash"))
		return nil
	default:
		if !x.exempt {
			if err := checkNewPassword(x.password, x.username, x.email); err != nil {
				p.bad(x.line, "user", x.username, err)
				return nil
			}
		}
		var err error
		hash, err = p.users.hash(ctx, x.password)
		if _, invalid := errors.AsType[*InvalidError](err); invalid {
			p.bad(x.line, "user", x.username, err)
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", x.line, err)
		}
	}
	r := Registration{Email: x.email, Username: x.username, Roles: x.roles, Active: true, Actor: authserver.ActorCLI}
	if x.roles == nil {
		r.Roles = p.users.defaultRoles()
	}
	if x.fullName != nil {
		r.FullName = *x.fullName
	}
	if x.active != nil {
		r.Active = *x.active
	}
	p.then(Change{Action: "add", Kind: "user", Name: x.username}, func(ctx context.Context) error {
		_, err := p.users.add(ctx, r, hash)
		return err
	})
	return nil
}

// planUserChange makes one change of all that differs. Passwords are left alone.
func (p *plan) planUserChange(x fileUser, old authserver.User) {
	var c authserver.UserChange
	if x.roles != nil && !sameSet(old.Roles, x.roles) {
		c = rolesChange(x.roles)
	}
	if x.username != old.Username { // by case alone
		c.Username = &x.username
		c.EndTokens, c.Reason = true, authserver.ReasonUserRenamed
	}
	if x.email != old.Email {
		c.Email = &x.email
	}
	if x.fullName != nil && *x.fullName != old.FullName {
		c.FullName = x.fullName
	}
	if x.active != nil && *x.active != old.Active {
		c.Active = x.active
		if !*x.active {
			c.EndTokens, c.EndSessions, c.Reason = true, true, authserver.ReasonUserDisabled
		}
	}
	fields := differing(
		field{"username", c.Username == nil},
		field{"email", c.Email == nil},
		field{"full_name", c.FullName == nil},
		field{"roles", c.Roles == nil},
		field{"is_active", c.Active == nil})
	if len(fields) == 0 {
		return
	}
	p.then(Change{"change", "user", old.Username, fields}, func(ctx context.Context) error {
		return p.users.change(ctx, old.Subject, "user.change", authserver.ActorCLI, c)
	})
}
