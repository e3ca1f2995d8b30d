package account

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/password"
)

// MaxLogin is how many bytes a login may have. Longer ones are nobody's, and need
// not be looked for.
const MaxLogin = 1024

// Authenticate returns the active user of f if the password is theirs; f is
// what the store knows of login. ErrWrongCredentials for everything that is
// wrong, and as late for a stranger as for a user; *limit.ExceededError and
// *password.BusyError before anything was looked at.
func (us *Users) Authenticate(ctx context.Context, login, pw string, f authserver.Facts) (authserver.User, error) {
	if len(login) > MaxLogin {
		login = "" // nobody's too
	}
	tries, err := us.spendLogin(ctx, login)
	if err != nil {
		return authserver.User{}, err
	}
	hash := us.d.Hasher.Dummy(authserver.Fold(login))
	if f.User != nil {
		hash = f.PasswordHash
	}
	line := lineOf(ctx, login)
	ok, upgrade, err := us.matches(ctx, hash, pw, line)
	switch {
	case err != nil:
		tries.giveBack(ctx)
		return authserver.User{}, err
	case !ok || f.User == nil || !f.User.Active:
		return authserver.User{}, ErrWrongCredentials
	}
	us.succeeded(ctx, tries, f.User.Subject)
	if upgrade {
		us.upgrade(ctx, f.User.Subject, f.PasswordHash, pw, line)
	}
	return *f.User, nil
}

// spendLogin spends what a failed login costs. The account is named as it was
// typed, not by the user that it is: were a name and an address to share one
// allowance, running out would tell that they belong together.
func (us *Users) spendLogin(ctx context.Context, login string) (*attempt, error) {
	tries := us.d.attempt()
	return tries, tries.spend(ctx, append(
		from(ctx, us.d.LoginRateIP, ""),
		from(ctx, us.d.LoginRate, authserver.Fold(login)+" ")...)...)
}

// How often a right login costs nothing: so many times as often as a failed one
// is allowed, from one address, and for one user wherever from.
const (
	rightPerAddress = 6
	rightPerUser    = 20
)

// succeeded gives back what a right login has spent. Beyond what anybody needs it
// counts as if it had failed: a hash takes as long. Only who knows a user's
// password gets there, and from elsewhere that user logs in all the same.
func (us *Users) succeeded(ctx context.Context, tries *attempt, subject string) {
	perAddress, perUser := us.d.LoginRateIP, us.d.LoginRate
	perAddress.Name, perAddress.Burst = "login_right_ip", rightPerAddress*perAddress.Burst
	perUser.Name, perUser.Burst = "login_right", rightPerUser*perUser.Burst
	if us.d.attempt().spend(ctx, append(from(ctx, perAddress, ""), allowance{perUser, subject})...) == nil {
		tries.giveBack(ctx)
	}
}

// lineOf is where a caller waits for a hash: with those of its network, of its
// address, and there with those who ask about the same account.
func lineOf(ctx context.Context, account string) []string {
	names := []string{authserver.Fold(account)}
	for _, b := range limit.Blocks(authserver.CallerFrom(ctx).IP) {
		names = append(names, b.Key)
	}
	slices.Reverse(names)
	return names
}

// matches is the Hasher's Verify for a stored hash or the dummy. A password that
// cannot be anybody's is refused without a hash: that depends on nothing but
// its length.
func (us *Users) matches(ctx context.Context, hash, pw string, line []string) (ok, upgrade bool, err error) {
	if len(pw) > maxPassword {
		return false, false, nil
	}
	ok, upgrade, err = us.d.Hasher.Verify(ctx, hash, pw, line...)
	if errors.Is(err, password.ErrUnknownFormat) {
		us.d.Logger.ErrorContext(ctx, "stored password hash cannot be verified; set a new password for the user", "err", err)
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("verify password: %w", err)
	}
	return ok, upgrade, nil
}

// upgrade stores pw under the current parameters. The login has succeeded
// whatever becomes of this; the next one tries again.
func (us *Users) upgrade(ctx context.Context, subject, old, pw string, line []string) {
	hash, err := us.d.Hasher.Hash(ctx, pw, line...)
	if err == nil {
		err = us.d.Users.UpgradePasswordHash(ctx, subject, old, hash)
	}
	if err != nil {
		us.d.Logger.WarnContext(ctx, "password hash not upgraded", "user", subject, "err", err)
	}
}

// ChangePassword is a user's own change, asked for by a: that
// session goes on, all others end with their access tokens, those in others with
// entries of their own.
// ErrWrongPassword is counted and queued like a failed login; ErrSessionEnded if
// that session has ended; otherwise the errors are those of Authenticate,
// and *InvalidError for the new password.
func (us *Users) ChangePassword(ctx context.Context, a authserver.Asker, others []authserver.Ending, current, wanted string) error {
	subject := a.Subject
	u, err := us.d.Users.User(ctx, subject)
	if err != nil {
		return fmt.Errorf("find user: %w", err)
	}
	if err := checkNewPassword(wanted, u.Username, u.Email); err != nil {
		return newPasswordError(err)
	}
	tries, err := us.spendLogin(ctx, u.Username)
	if err != nil {
		return err
	}
	stored, err := us.d.Users.PasswordHash(ctx, subject)
	if err != nil {
		tries.giveBack(ctx)
		return fmt.Errorf("find password: %w", err)
	}
	line := lineOf(ctx, u.Username)
	ok, _, err := us.matches(ctx, stored, current, line)
	if err != nil {
		tries.giveBack(ctx)
		return err
	}
	if !ok || !u.Active {
		return ErrWrongPassword
	}
	us.succeeded(ctx, tries, subject)
	hash, err := us.hash(ctx, wanted, line...)
	if err != nil {
		return newPasswordError(err)
	}
	err = us.change(ctx, subject, "user.change_password", subject, authserver.UserChange{
		PasswordHash: &hash, IfPasswordHash: stored,
		EndSessions: true, Keep: a, End: others,
		Reason: authserver.ReasonPasswordChanged,
	})
	if errors.Is(err, authserver.ErrNotFound) {
		return ErrWrongPassword // somebody else has set another meanwhile
	}
	return err
}

// newPasswordError names the field as the request for a change has it.
func newPasswordError(err error) error {
	if e, ok := errors.AsType[*InvalidError](err); ok {
		return &InvalidError{"new_password", e.Type, e.Message}
	}
	return err
}
