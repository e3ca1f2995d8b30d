package oauth

import (
	"context"

	"github.com/tokenwright/tokenwright/authserver"
)

// ChangePassword sets the password of the user of a and ends the user's other
// sessions. ErrSessionEnded if that of a has ended.
func (s *Server) ChangePassword(ctx context.Context, a authserver.Asker, current, new string) error {
	others, err := s.Endings.Others(ctx, a, authserver.ReasonPasswordChanged)
	if err != nil {
		return err
	}
	if err := s.Users.ChangePassword(ctx, a, others, current, new); err != nil {
		s.notePassword(ctx, a.Subject, a.ClientID, a.SessionID, err)
		return err
	}
	s.Endings.Drop(context.WithoutCancel(ctx), others)
	return nil
}
