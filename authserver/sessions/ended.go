package sessions

import (
	"context"
	"fmt"
	"slices"

	"github.com/tokenwright/tokenwright/authserver"
)

// Ended lists a user's sessions that have ended, the last ended first,
// with when and why, and says how many there are in all. It reaches back 30 days
// at least, for those that the session store has forgotten too; but a session
// that a raised session epoch ended is known for as long as the session store has
// it.
func (s *Sessions) Ended(ctx context.Context, subject string, p authserver.Page) ([]authserver.Tombstone, int, error) {
	byEpoch, err := s.endedByEpoch(ctx, subject)
	if err != nil {
		return nil, 0, err
	}
	// Those on the page are among as many tombstones as its end is from the start.
	ended, total, err := s.Log.Tombstones(ctx, subject, p.Through())
	if err != nil {
		return nil, 0, fmt.Errorf("list ended sessions: %w", err)
	}
	total += len(byEpoch)
	ended = append(ended, byEpoch...)
	slices.SortStableFunc(ended, func(a, b authserver.Tombstone) int { return b.EndedAt.Compare(a.EndedAt) })
	first, last := p.Of(len(ended))
	return ended[first:last], total, nil
}

// endedByEpoch are the sessions that the session store still has and that have no
// tombstone, because a raised session epoch ended them all in one row.
func (s *Sessions) endedByEpoch(ctx context.Context, subject string) ([]authserver.Tombstone, error) {
	epochs, err := s.Log.SessionEpochs(ctx, subject)
	if err != nil {
		return nil, fmt.Errorf("list session epochs: %w", err)
	}
	if len(epochs) == 0 {
		return nil, nil
	}
	sessions, _, err := s.Store.Sessions(ctx, subject, authserver.Page{})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	marks, err := s.marks(ctx, sessions)
	if err != nil {
		return nil, err
	}
	var out []authserver.Tombstone
	for _, session := range sessions {
		// The first that did not keep it is the one that ended it.
		i := slices.IndexFunc(epochs, func(e authserver.SessionEpoch) bool {
			return e.Epoch > session.SessionEpoch && !slices.Contains(e.Kept, session.ID)
		})
		if _, marked := marks[session.ID]; i >= 0 && !marked {
			out = append(out, authserver.Tombstone{
				SessionID: session.ID, Subject: session.Subject, ClientID: session.ClientID,
				Reason: epochs[i].Reason, EndedAt: epochs[i].EndedAt,
			})
		}
	}
	return out, nil
}
