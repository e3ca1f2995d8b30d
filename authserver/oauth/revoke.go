package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
)

// Revoke answers POST /oauth/revoke (RFC 7009): a refresh token ends its
// session, an access token ends itself. What is no live token is no error
// (§2.2); another client's is, and stays as it is. Any error is an *Error.
func (s *Server) Revoke(r *http.Request) error {
	q, err := s.aboutToken(r)
	if err != nil {
		return err
	}
	if strings.HasPrefix(q.token, authserver.RefreshTokenPrefix) {
		err = s.revokeSession(r.Context(), q)
	} else {
		err = s.revokeAccess(r.Context(), q)
	}
	if err != nil {
		return AsError(err)
	}
	return nil
}

// revokeSession ends the session of any of its refresh tokens, whatever the
// counter. One that the session store has lost ends too: it may come back. So
// does one that it cannot be asked about: the token proves enough to end it.
func (s *Server) revokeSession(ctx context.Context, q tokenRequest) error {
	if q.refresh == nil || q.facts.Ended != nil || q.facts.User == nil ||
		!q.facts.User.SessionLives(q.refresh.SID(), int64(q.refresh.SessionEpoch)) {
		return nil // it has ended
	}
	session, err := s.Sessions.Session(ctx, q.refresh.SID())
	switch {
	case errors.Is(err, authserver.ErrNotFound), errors.Is(err, authserver.ErrUnavailable):
	case err != nil:
		return fmt.Errorf("find session: %w", err)
	case !session.BelongsTo(q.client):
		return because(CodeInvalidGrant, authserver.ErrWrongClient)
	}
	return s.Endings.End(ctx, []authserver.Ending{{
		Kind: authserver.KindSession, ID: q.refresh.SID(), Subject: q.refresh.Sub(), ClientID: q.client.ID,
		Reason: authserver.ReasonRevoked, Resources: session.Resources,
	}}, authserver.Event{Act: "session.revoke", Actor: q.client.ID})
}

// revokeAccess ends one access token; its session goes on, unless too many of its
// tokens were ended one by one.
func (s *Server) revokeAccess(ctx context.Context, q tokenRequest) error {
	c, err := s.Verifier.Verify(ctx, q.token)
	if _, bad := errors.AsType[*resource.TokenError](err); bad {
		return nil
	}
	if err != nil {
		return fmt.Errorf("verify token: %w: %w", authserver.ErrUnavailable, err)
	}
	if c.ClientID != q.client.ID {
		return because(CodeInvalidGrant, authserver.ErrWrongClient)
	}
	subject := c.Subject
	if !c.OfUser() {
		subject = ""
	}
	return s.Endings.End(ctx, []authserver.Ending{{
		Kind: authserver.KindToken, ID: c.ID, Subject: subject, SessionID: c.SessionID, ClientID: c.ClientID,
		Reason: authserver.ReasonRevoked, Resources: c.Audience,
	}}, authserver.Event{Act: "token.revoke", Actor: q.client.ID, SessionID: c.SessionID})
}
