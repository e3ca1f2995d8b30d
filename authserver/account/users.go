package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/password"
)

// DefaultRole is what a user gets who registers, if ROLE_HIERARCHY has it.
const DefaultRole = "user"

// Users are the people who may log in. It is safe for concurrent use.
type Users struct{ d Deps }

// NewUsers returns the users that d keeps.
func NewUsers(d Deps) *Users { return &Users{d: d} }

// Find returns the user of a name or e-mail address, or ErrNotFound.
func (us *Users) Find(ctx context.Context, login string) (authserver.User, error) {
	u, err := us.d.Users.UserByLogin(ctx, login)
	if err != nil {
		return authserver.User{}, fmt.Errorf("find user: %w", err)
	}
	return u, nil
}

// List returns users by ID, and how many there are in all.
func (us *Users) List(ctx context.Context, p authserver.Page) ([]authserver.User, int, error) {
	users, total, err := us.d.Users.Users(ctx, p)
	if err != nil {
		return nil, 0, fmt.Errorf("list users: %w", err)
	}
	return users, total, nil
}

// Registration is an account to be made.
type Registration struct {
	Email    string
	Username string
	Password string
	FullName string // may be empty
	// Roles nil is DefaultRole; empty is none.
	Roles  []string
	Active bool
	// Exempt spares the password the rules for new ones: for the demo's only.
	Exempt bool
	// Actor is who makes the account for somebody else; empty is the user.
	// Only users themselves are bound by RegistrationRate.
	Actor string
}

// Register makes an account. *InvalidError, ErrEmailTaken, ErrUsernameTaken,
// *limit.ExceededError, *password.BusyError.
func (us *Users) Register(ctx context.Context, r Registration) (authserver.User, error) {
	if r.Roles == nil {
		r.Roles = us.defaultRoles()
	}
	if err := us.checkRegistration(r); err != nil {
		return authserver.User{}, err
	}
	tries := us.d.attempt()
	if r.Actor == "" {
		// Never given back: an address that is taken is an answer too.
		if err := tries.spend(ctx, from(ctx, us.d.RegistrationRate, "")...); err != nil {
			return authserver.User{}, err
		}
	}
	hash, err := us.hash(ctx, r.Password, lineOf(ctx, r.Username)...)
	if err != nil {
		tries.giveBack(ctx)
		return authserver.User{}, err
	}
	return us.add(ctx, r, hash)
}

// defaultRoles are none where ROLE_HIERARCHY has no DefaultRole: whoever
// registers could do nothing about it.
func (us *Users) defaultRoles() []string {
	if us.d.Roles.Known(DefaultRole) {
		return []string{DefaultRole}
	}
	return []string{}
}

func (us *Users) checkRegistration(r Registration) error {
	checks := []error{checkEmail(r.Email), checkUsername(r.Username), checkFullName(r.FullName), checkRoles(us.d.Roles, r.Roles)}
	if !r.Exempt {
		checks = append(checks, checkNewPassword(r.Password, r.Username, r.Email))
	}
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

// add makes the account of a registration that has been checked.
func (us *Users) add(ctx context.Context, r Registration, hash string) (authserver.User, error) {
	subject := uuid.NewString()
	actor := r.Actor
	if actor == "" {
		actor = subject
	}
	e := event(ctx, "user.register", actor)
	e.Subject = subject
	u, err := us.d.Users.AddUser(ctx, authserver.NewUser{
		User: authserver.User{
			Subject: subject, Username: r.Username, Email: r.Email, FullName: r.FullName,
			Roles: distinct(r.Roles), Active: r.Active, CreatedAt: time.Now().UTC(),
		},
		PasswordHash: hash,
	}, e)
	if err != nil {
		return authserver.User{}, fmt.Errorf("add user: %w", err)
	}
	return u, nil
}

// hash is the Hasher's, with what bcrypt cannot take as a fault of the password.
func (us *Users) hash(ctx context.Context, pw string, line ...string) (string, error) {
	hash, err := us.d.Hasher.Hash(ctx, pw, line...)
	switch {
	case errors.Is(err, password.ErrTooLong):
		return "", &InvalidError{"password", "string_too_long", "use at most 72 bytes"}
	case errors.Is(err, password.ErrNUL):
		return "", &InvalidError{"password", "value_error", "use no NUL byte"}
	case err != nil:
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}
