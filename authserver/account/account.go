// Package account owns who may log in: users with their passwords, clients with
// their secrets, the rules for both, and the file that makes them. How a hash is
// computed it leaves to password, what ends with a change to the stores, and
// what a caller is told to oauth and httpapi.
package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/password"
	"github.com/tokenwright/tokenwright/resource"
)

// Deps are what users and clients are kept and checked with.
type Deps struct {
	Users   authserver.UserStore
	Clients authserver.ClientStore
	Hasher  *password.Hasher
	Limiter limit.Limiter
	// LoginRate is per account and address, LoginRateIP per address alone, of
	// failed logins; right ones count when there are many times as many.
	LoginRate, LoginRateIP limit.Rule
	// ClientRate is per client and address.
	ClientRate limit.Rule
	// RegistrationRate is per address.
	RegistrationRate limit.Rule
	Master           *keys.Master
	Roles            resource.Hierarchy
	// Audience is the bundled API's resource identifier: every client may name
	// it without its being registered.
	Audience string
	// Changed is called after each commit that ended something; nil where
	// nobody in this process follows what has ended.
	Changed func(context.Context)
	Logger  *slog.Logger
}

// The refusals that callers branch on. None says what exactly was wrong.
var (
	// ErrWrongCredentials: the user is unknown or disabled, or the password wrong.
	ErrWrongCredentials = errors.New("wrong user name or password")
	// ErrWrongPassword: a user who is known gave a wrong current password.
	ErrWrongPassword = errors.New("wrong current password")
	// ErrWrongClientSecret: the client is unknown, or did not authenticate as
	// it is registered to.
	ErrWrongClientSecret = errors.New("wrong client or client secret")
)

// InvalidError says that a value cannot be taken. The value is not in it.
type InvalidError struct {
	Field string // as in JSON and YAML: "username", "password", …
	// Type is for programs: missing, string_too_short, string_too_long,
	// string_pattern_mismatch, too_long, value_error, password_too_common.
	Type string
	// Message is for people: what would be right.
	Message string
}

func (e *InvalidError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Message) }

// attempt is one try to authenticate: the allowances that it has spent.
type attempt struct {
	limiter limit.Limiter
	logger  *slog.Logger
	spent   []allowance
}

type allowance struct {
	rule limit.Rule
	key  string
}

// from is the allowance of each block that the caller's address counts in, for
// what: a name, or nothing.
func from(ctx context.Context, r limit.Rule, what string) []allowance {
	var all []allowance
	for _, b := range limit.Blocks(authserver.CallerFrom(ctx).IP) {
		all = append(all, allowance{b.Rule(r), what + b.Key})
	}
	return all
}

// spend takes from each allowance in turn. If one is used up, those taken
// before are given back: what is not checked has not failed. Whether the caller
// has hung up does not matter: what was taken must be known, to be given back.
func (a *attempt) spend(ctx context.Context, all ...allowance) error {
	ctx = context.WithoutCancel(ctx)
	for _, al := range all {
		d, err := a.limiter.Take(ctx, al.rule, al.key)
		if err != nil {
			// Out of reach of the limiter, the slow hash still bounds guessing;
			// refusing would let whoever stops the limiter lock everybody out.
			a.logger.ErrorContext(ctx, "limiter could not be asked; attempt let through", "rule", al.rule.Name, "err", err)
			continue
		}
		if !d.Allowed {
			a.giveBack(ctx)
			return &limit.ExceededError{RetryAfter: d.RetryAfter}
		}
		a.spent = append(a.spent, al)
	}
	return nil
}

// giveBack returns what was spent: the attempt did not fail.
func (a *attempt) giveBack(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	for _, al := range a.spent {
		if err := a.limiter.Return(ctx, al.rule, al.key); err != nil {
			a.logger.ErrorContext(ctx, "limiter allowance not returned", "rule", al.rule.Name, "err", err)
		}
	}
	a.spent = nil
}

func (d Deps) attempt() *attempt { return &attempt{limiter: d.Limiter, logger: d.Logger} }

func (d Deps) changed(ctx context.Context) {
	if d.Changed != nil {
		d.Changed(ctx)
	}
}

// event is the audit row of an act, with where it was asked from.
func event(ctx context.Context, act, actor string) authserver.Event {
	return authserver.FromCaller(ctx, authserver.Event{Act: act, Result: "success", Actor: actor})
}
