package oauth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/oidc"
	"github.com/tokenwright/tokenwright/resource"
)

// UserInfo are the claims about the user of an access token with the scope openid
// (OpenID Connect Core §5.3.2). authserver.ErrSessionEnded if the token has ended
// since it was looked at.
func (s *Server) UserInfo(ctx context.Context, c *resource.Claims) (map[string]any, error) {
	facts, err := s.Facts.Facts(ctx, authserver.Ask{Subject: c.Subject, SessionID: c.SessionID, ParentID: c.Parent})
	if err != nil {
		return nil, fmt.Errorf("find user: %w", err)
	}
	u := facts.User
	if u == nil || !u.Active || facts.Ended != nil || !u.SessionLives(c.SessionID, c.SessionEpoch) {
		return nil, authserver.ErrSessionEnded
	}
	session, err := s.Sessions.Session(ctx, c.SessionID)
	if err != nil && !errors.Is(err, authserver.ErrNotFound) {
		return nil, fmt.Errorf("find session: %w", err)
	}
	return oidc.About(*u, strings.Fields(c.Scope), oidc.UserInfo(session.Claims)), nil
}
