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

// live are the user's sessions that would be refreshed. The session store knows
// nothing of a raised session epoch or of a client that was removed, and may have
// kept, or got back, one that has a mark.
func (s *Sessions) live(ctx context.Context, subject string) ([]authserver.Session, error) {
	user, err := s.Users.User(ctx, subject)
	if err != nil {
		return nil, fmt.Errorf("find user: %w", err)
	}
	sessions, _, err := s.Store.Sessions(ctx, subject, authserver.Page{})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	marks, err := s.marks(ctx, sessions)
	if err != nil {
		return nil, err
	}
	clients, err := s.clients(ctx, sessions)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(sessions, func(session authserver.Session) bool {
		_, marked := marks[session.ID]
		return marked || !user.SessionLives(session.ID, session.SessionEpoch) || !session.BelongsTo(clients[session.ClientID])
	}), nil
}

// marks are those of the sessions that have one.
func (s *Sessions) marks(ctx context.Context, sessions []authserver.Session) (map[string]authserver.Tombstone, error) {
	sids := make([]string, len(sessions))
	for i, session := range sessions {
		sids[i] = session.ID
	}
	marks, err := s.Log.Marks(ctx, sids)
	if err != nil {
		return nil, fmt.Errorf("find tombstones: %w", err)
	}
	return marks, nil
}

// clients are those that the sessions name, by id. One that was removed is the
// zero Client, to which no session belongs.
func (s *Sessions) clients(ctx context.Context, sessions []authserver.Session) (map[string]authserver.Client, error) {
	clients := map[string]authserver.Client{
		authserver.FirstPartyClientID: {ID: authserver.FirstPartyClientID},
		authserver.BrowserClientID:    {ID: authserver.BrowserClientID},
	}
	for _, session := range sessions {
		id := session.ClientID
		if _, known := clients[id]; known {
			continue
		}
		facts, err := s.Facts.Facts(ctx, authserver.Ask{ClientID: id})
		if err != nil {
			return nil, fmt.Errorf("find client: %w", err)
		}
		clients[id] = authserver.Client{}
		if facts.Client != nil {
			clients[id] = *facts.Client
		}
	}
	return clients, nil
}
