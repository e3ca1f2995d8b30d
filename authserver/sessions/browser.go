package sessions

import (
	"context"
	"fmt"

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

// Withdraw takes back what the user of a lets a client do, and ends its sessions
// of that user. ErrNotFound if there is nothing to take back.
func (s *Sessions) Withdraw(ctx context.Context, consents authserver.ConsentStore, a authserver.Asker, clientID string) error {
	var ends []authserver.Ending
	list, _, err := s.Store.Sessions(ctx, a.Subject, authserver.Page{})
	if err != nil { // the consent's epoch ends them all
		s.Logger.WarnContext(ctx, "sessions end without being listed", "user", a.Subject, "err", err)
	}
	for _, one := range list {
		if one.ClientID == clientID && len(ends) < most {
			ends = append(ends, Ending(one, authserver.ReasonConsentWithdrawn))
		}
	}
	ctx = context.WithoutCancel(ctx)
	err = consents.Withdraw(ctx, a.Subject, clientID, ends, authserver.FromCaller(ctx, authserver.Event{
		Act: "consent.withdraw", Result: "success", Actor: a.Subject, Subject: a.Subject, ClientID: clientID, SessionID: a.SessionID,
		Reason: string(authserver.ReasonConsentWithdrawn),
	}))
	if err != nil {
		return fmt.Errorf("withdraw consent: %w", err)
	}
	s.Changed(ctx)
	s.Drop(ctx, ends)
	return nil
}
