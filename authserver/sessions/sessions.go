// Package sessions lists and ends the sessions of users. What has ended is
// decided by the database alone, in one transaction; the session store forgets
// afterwards, and what it does not forget is refused all the same. How a session
// is opened and goes on belongs to oauth.
package sessions

import (
	"context"
	"log/slog"

	"github.com/tokenwright/tokenwright/authserver"
)

// Deps are what sessions are found and ended with; all are required.
type Deps struct {
	Facts authserver.FactStore
	Store authserver.SessionStore
	Users authserver.UserStore
	Log   authserver.RevocationLog
	// Changed is called after a commit that ended something, before the answer.
	Changed func(context.Context)
	Logger  *slog.Logger
}

// Sessions are those of all users. It is safe for concurrent use.
type Sessions struct{ Deps }

// New returns the sessions that d keeps.
func New(d Deps) *Sessions { return &Sessions{d} }
