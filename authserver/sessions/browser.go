package sessions

import (
	"context"

	"github.com/tokenwright/tokenwright/authserver"
)

// endings are what ends with a session: itself and, if it is a browser's, what
// that opened. Those that the session store has lost, or that are too many, end
// by their parent's tombstone and entry.
func (s *Sessions) endings(ctx context.Context, session authserver.Session, reason authserver.Reason) []authserver.Ending {
	all := []authserver.Ending{Ending(session, reason)}
	if !session.OfBrowser() {
		return all
	}
	others, _, err := s.Store.Sessions(ctx, session.Subject, authserver.Page{Limit: most})
	if err != nil {
		s.Logger.WarnContext(ctx, "sessions end without being listed", "user", session.Subject, "err", err)
		return all
	}
	for _, o := range others {
		if o.EndsWith(session.ID) {
			all = append(all, Ending(o, reason))
		}
	}
	return all
}
