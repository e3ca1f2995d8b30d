package oauth

import (
	"context"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sessions"
)

// reused ends a session one of whose older refresh tokens, or whose code, was
// presented.
func (ex *exchange) reused(ctx context.Context, session authserver.Session) error {
	act := "refresh.reuse_detected"
	if ex.grant == authserver.GrantAuthorizationCode {
		act = "code.reuse_detected"
	}
	err := ex.Endings.End(ctx, []authserver.Ending{sessions.Ending(session, authserver.ReasonReuse)},
		authserver.Event{Act: act, Actor: session.ClientID})
	if err != nil {
		return err
	}
	return because(CodeInvalidGrant, ErrReuse)
}

// recovered notes that the session store has lost writes. The token is consumed
// by then, so that nothing here may fail the refresh.
func (ex *exchange) recovered(ctx context.Context, session authserver.Session) {
	ex.write(ctx, authserver.Event{
		Act: "refresh.recovered", Result: "success", Actor: session.ClientID, Subject: session.Subject,
		ClientID: session.ClientID, SessionID: session.ID,
	})
	ex.Logger.WarnContext(ctx, "session store had lost writes", "session", session.ID, "counter", session.Counter)
}
