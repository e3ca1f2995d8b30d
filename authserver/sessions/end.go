package sessions

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
)

// Of is the session that a user's access token belongs to.
func Of(c *resource.Claims) authserver.Asker {
	return authserver.Asker{
		Subject: c.Subject, ClientID: c.ClientID, SessionID: c.SessionID, ParentID: c.Parent, SessionEpoch: c.SessionEpoch,
	}
}

// End ends sessions of one user, or a token: first in the database, which
// decides, then by forgetting the records. It goes on if the caller hangs up.
func (s *Sessions) End(ctx context.Context, what []authserver.Ending, e authserver.Event) error {
	ctx = context.WithoutCancel(ctx)
	e = authserver.FromCaller(ctx, e)
	e.Result, e.Subject, e.ClientID, e.Reason = "success", what[0].Subject, what[0].ClientID, string(what[0].Reason)
	if what[0].Kind == authserver.KindSession && (len(what) == 1 || what[0].ClientID == authserver.BrowserClientID) {
		e.SessionID = what[0].ID
	}
	if err := s.Log.End(ctx, what, e); err != nil {
		return err
	}
	s.Changed(ctx)
	s.Drop(ctx, what)
	return nil
}

// Ending is what ends s, with all that is known of it.
func Ending(s authserver.Session, reason authserver.Reason) authserver.Ending {
	return authserver.Ending{
		Kind: authserver.KindSession, ID: s.ID, Subject: s.Subject, ClientID: s.ClientID, Reason: reason, Resources: s.Resources,
	}
}

// Drop forgets the records of sessions that have ended. What stays behind is
// refused all the same and leaves at its deadline.
func (s *Sessions) Drop(ctx context.Context, ended []authserver.Ending) {
	for _, e := range ended {
		if e.Kind != authserver.KindSession {
			continue
		}
		if err := s.Store.Drop(ctx, e.ID); err != nil {
			s.Logger.WarnContext(ctx, "ended session not dropped", "session", e.ID, "err", err)
			return
		}
	}
}

// EndAll ends the sessions of a user who is to be removed, so that their clients
// are told: some if there are very many, and none while the session store cannot
// be asked. The rest end with the user.
func (s *Sessions) EndAll(ctx context.Context, subject, actor string) error {
	all, err := s.Others(ctx, authserver.Asker{Subject: subject}, authserver.ReasonUserRemoved)
	if err != nil || len(all) == 0 {
		return err
	}
	return s.End(ctx, all, authserver.Event{Act: "session.revoke", Actor: actor})
}

// Forget forgets the records of a user who was removed: they have the addresses
// that the user came from.
func (s *Sessions) Forget(ctx context.Context, subject string) error {
	sessions, _, err := s.Store.Sessions(ctx, subject, authserver.Page{})
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	for _, session := range sessions {
		if err := s.Store.Drop(ctx, session.ID); err != nil {
			return fmt.Errorf("drop session: %w", err)
		}
	}
	return nil
}

// most is how many sessions one request ends by entries of their own: each costs
// an entry in every resource server's memory, and time in the transaction.
const most = 100

// Evict ends sessions that u has too many of, but never the one that opened: of
// very many some, and the next login the next. One that a raised session epoch
// has ended before, of which the session store knows nothing, is only forgotten.
func (s *Sessions) Evict(ctx context.Context, u authserver.User, opened authserver.Session, sids []string) error {
	var alive, ended []authserver.Ending
	for _, sid := range sids[:min(len(sids), most)] {
		session, err := s.Store.Session(ctx, sid)
		known := err == nil
		if err != nil && !errors.Is(err, authserver.ErrNotFound) {
			return fmt.Errorf("find session: %w", err)
		}
		e := authserver.Ending{
			Kind: authserver.KindSession, ID: sid, Subject: u.Subject, ClientID: session.ClientID, Reason: authserver.ReasonEvicted,
			Keep: authserver.Asker{SessionID: opened.ID, ParentID: opened.Parent, SessionEpoch: u.SessionEpoch},
		}
		if opened.OfBrowser() {
			e.ClientID = authserver.BrowserClientID
		}
		// As far as is known.
		if !known || u.SessionLives(sid, session.SessionEpoch) {
			alive = append(alive, e)
		} else {
			ended = append(ended, e)
		}
	}
	s.Drop(ctx, ended)
	if len(alive) == 0 {
		return nil
	}
	return s.End(ctx, alive, authserver.Event{Act: "session.evict"})
}

// Logout ends the session of a, whether or not the session store
// has it or can be asked. ErrSessionEnded if it has ended.
func (s *Sessions) Logout(ctx context.Context, a authserver.Asker) error {
	if err := s.alive(ctx, a); err != nil {
		return err
	}
	session, err := s.Store.Session(ctx, a.SessionID)
	if errors.Is(err, authserver.ErrNotFound) || errors.Is(err, authserver.ErrUnavailable) {
		session = authserver.Session{ID: a.SessionID, Subject: a.Subject, ClientID: a.ClientID}
	} else if err != nil {
		return fmt.Errorf("find session: %w", err)
	}
	return s.End(ctx, s.endings(ctx, session, authserver.ReasonLogout), authserver.Event{Act: "session.logout", Actor: a.Subject})
}

// EndOne ends one session of the user of a. ErrNotFound for one that is not
// there or another user's; ErrSessionEnded if that of a has ended.
func (s *Sessions) EndOne(ctx context.Context, a authserver.Asker, sid string) error {
	if err := s.alive(ctx, a); err != nil {
		return err
	}
	session, err := s.Store.Session(ctx, sid)
	if err != nil {
		return fmt.Errorf("find session: %w", err)
	}
	if session.Subject != a.Subject {
		return authserver.ErrNotFound
	}
	endings := s.endings(ctx, session, authserver.ReasonLogout)
	for i := range endings {
		endings[i].Keep = a
	}
	return s.End(ctx, endings, authserver.Event{Act: "session.end", Actor: a.Subject})
}

// alive returns ErrSessionEnded if the session of a has ended: a token outlives
// it for as long as the news take.
func (s *Sessions) alive(ctx context.Context, a authserver.Asker) error {
	f, err := s.Facts.Facts(ctx, authserver.Ask{Subject: a.Subject, SessionID: a.SessionID})
	if err != nil {
		return fmt.Errorf("find session's end: %w", err)
	}
	if f.User == nil || !f.User.Active || f.Ended != nil || !f.User.SessionLives(a.SessionID, a.SessionEpoch) {
		return authserver.ErrSessionEnded
	}
	return nil
}

// EndOthers ends all sessions of the user of a but the one of a,
// those too that the session store has lost, or that are being opened.
// ErrSessionEnded if that of a has ended.
func (s *Sessions) EndOthers(ctx context.Context, a authserver.Asker) error {
	others, err := s.Others(ctx, a, authserver.ReasonLogout)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	_, err = s.Users.ChangeUser(ctx, a.Subject, authserver.UserChange{
		EndSessions: true, Keep: a, End: others, Reason: authserver.ReasonLogout,
	}, authserver.FromCaller(ctx, authserver.Event{
		Act: "session.end_others", Result: "success", Actor: a.Subject, Subject: a.Subject,
		ClientID: a.ClientID, SessionID: a.SessionID,
	}))
	if err != nil {
		return fmt.Errorf("end other sessions: %w", err)
	}
	s.Changed(ctx)
	s.Drop(ctx, others)
	return nil
}

// Others are the user's sessions beside that of c, the last used first: those
// whose ends are to be listed one by one. They are some if there are very many,
// and none while the session store cannot be asked; a raised session epoch ends
// the rest.
func (s *Sessions) Others(ctx context.Context, a authserver.Asker, reason authserver.Reason) ([]authserver.Ending, error) {
	sessions, _, err := s.Store.Sessions(ctx, a.Subject, authserver.Page{Limit: most + 1})
	if errors.Is(err, authserver.ErrUnavailable) {
		s.Logger.WarnContext(ctx, "sessions end without being listed", "user", a.Subject, "err", err)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	var others []authserver.Ending
	for _, session := range sessions {
		if !slices.Contains(a.IDs(), session.ID) && len(others) < most {
			others = append(others, Ending(session, reason))
		}
	}
	return others, nil
}
