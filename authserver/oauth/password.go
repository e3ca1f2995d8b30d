package oauth

import (
	"context"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
)

// ChangePassword sets the password of the user of c and ends the user's other
// sessions. ErrSessionEnded if that of c has ended.
func (s *Server) ChangePassword(ctx context.Context, c *resource.Claims, current, new string) error {
	others, err := s.Endings.Others(ctx, c, authserver.ReasonPasswordChanged)
	if err != nil {
		return err
	}
	if err := s.Users.ChangePassword(ctx, c, others, current, new); err != nil {
		s.notePassword(ctx, c.Subject, c.ClientID, c.SessionID, err)
		return err
	}
	s.Endings.Drop(context.WithoutCancel(ctx), others)
	return nil
}
