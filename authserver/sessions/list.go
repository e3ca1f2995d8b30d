package sessions

import (
	"context"
	"fmt"
	"slices"

	"github.com/tokenwright/tokenwright/authserver"
)

// List lists a user's live sessions, the last used first, and says how
// many there are in all.
func (s *Sessions) List(ctx context.Context, subject string, p authserver.Page) ([]authserver.Session, int, error) {
	sessions, err := s.live(ctx, subject)
	if err != nil {
		return nil, 0, err
	}
	first, last := p.Of(len(sessions))
	return sessions[first:last], len(sessions), nil
}

// live are the user's sessions without those that a raised session epoch ended,
// of which the session store knows nothing.
func (s *Sessions) live(ctx context.Context, subject string) ([]authserver.Session, error) {
	user, err := s.Users.User(ctx, subject)
	if err != nil {
		return nil, fmt.Errorf("find user: %w", err)
	}
	sessions, _, err := s.Store.Sessions(ctx, subject, authserver.Page{})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return slices.DeleteFunc(sessions, func(session authserver.Session) bool {
		return !user.SessionLives(session.ID, session.SessionEpoch)
	}), nil
}
