package oauth

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
)

// end ends sessions of one user, or a token: first in the database, which
// decides, then by forgetting the records. It goes on if the caller hangs up.
func (s *Server) end(ctx context.Context, what []authserver.Ending, e authserver.Event) error {
	ctx = context.WithoutCancel(ctx)
	e = fromCaller(ctx, e)
	e.Result, e.Subject, e.ClientID, e.Reason = "success", what[0].Subject, what[0].ClientID, string(what[0].Reason)
	if len(what) == 1 && what[0].Kind == authserver.KindSession {
		e.SessionID = what[0].ID
	}
	if err := s.Revocations.End(ctx, what, e); err != nil {
		return err
	}
	s.Changed(ctx)
	s.drop(ctx, what)
	return nil
}

// ending is what ends s, with all that is known of it.
func ending(s authserver.Session, reason authserver.Reason) authserver.Ending {
	return authserver.Ending{
		Kind: authserver.KindSession, ID: s.ID, Subject: s.Subject, ClientID: s.ClientID, Reason: reason, Resources: s.Resources,
	}
}

// drop forgets the records of sessions that have ended. What stays behind is
// refused all the same and leaves at its deadline.
func (s *Server) drop(ctx context.Context, ended []authserver.Ending) {
	for _, e := range ended {
		if e.Kind != authserver.KindSession {
			continue
		}
		if err := s.Sessions.Drop(ctx, e.ID); err != nil {
			s.Logger.WarnContext(ctx, "ended session not dropped", "session", e.ID, "err", err)
			return
		}
	}
}

// reused ends a session one of whose older refresh tokens was presented.
func (ex *exchange) reused(ctx context.Context, session authserver.Session) error {
	err := ex.end(ctx, []authserver.Ending{ending(session, authserver.ReasonReuse)},
		authserver.Event{Act: "refresh.reuse_detected", Actor: session.ClientID})
	if err != nil {
		return err
	}
	return because(CodeInvalidGrant, ErrReuse)
}

// recovered notes that the session store has lost writes. The token is consumed
// by then, so that nothing here may fail the refresh.
func (ex *exchange) recovered(ctx context.Context, session authserver.Session) {
	ex.write(ctx, authserver.Event{
		Act: "refresh.recovered", Result: "success", Actor: session.ClientID, Subject: session.Subject,
		ClientID: session.ClientID, SessionID: session.ID,
	})
	ex.Logger.WarnContext(ctx, "session store had lost writes", "session", session.ID, "counter", session.Counter)
}

// adoptClient makes the session's client the exchange's. It must be public: a
// confidential client's session needs its authentication.
func (ex *exchange) adoptClient(ctx context.Context) error {
	session, err := ex.Sessions.Session(ctx, ex.presented.SID())
	if err != nil {
		return fmt.Errorf("find session: %w", err)
	}
	facts, err := ex.Facts.Facts(ctx, authserver.Ask{ClientID: session.ClientID})
	if err != nil {
		return fmt.Errorf("find client: %w", err)
	}
	if facts.Client == nil || !facts.Client.Public || !facts.Client.MayUse(ex.grant) {
		return authserver.ErrWrongClient
	}
	ex.client = *facts.Client
	return nil
}

// evict ends the sessions that a user has too many of.
func (s *Server) evict(ctx context.Context, subject string, sids []string) error {
	what := make([]authserver.Ending, len(sids))
	for i, sid := range sids {
		what[i] = authserver.Ending{Kind: authserver.KindSession, ID: sid, Subject: subject, Reason: authserver.ReasonEvicted}
	}
	return s.end(ctx, what, authserver.Event{Act: "session.evict"})
}

// Logout ends the session that c belongs to, whether or not the session store
// still has it.
func (s *Server) Logout(ctx context.Context, c *resource.Claims) error {
	session, err := s.Sessions.Session(ctx, c.SessionID)
	if errors.Is(err, authserver.ErrNotFound) {
		session = authserver.Session{ID: c.SessionID, Subject: c.Subject, ClientID: c.ClientID}
	} else if err != nil {
		return fmt.Errorf("find session: %w", err)
	}
	return s.end(ctx, []authserver.Ending{ending(session, authserver.ReasonLogout)},
		authserver.Event{Act: "session.logout", Actor: c.Subject})
}

// ListSessions lists a user's live sessions, the last used first, and says how
// many there are in all.
func (s *Server) ListSessions(ctx context.Context, subject string, p authserver.Page) ([]authserver.Session, int, error) {
	sessions, err := s.live(ctx, subject)
	if err != nil {
		return nil, 0, err
	}
	first, last := p.Of(len(sessions))
	return sessions[first:last], len(sessions), nil
}

// live are the user's sessions without those that a raised session epoch ended,
// of which the session store knows nothing.
func (s *Server) live(ctx context.Context, subject string) ([]authserver.Session, error) {
	user, err := s.UserStore.User(ctx, subject)
	if err != nil {
		return nil, fmt.Errorf("find user: %w", err)
	}
	sessions, _, err := s.Sessions.Sessions(ctx, subject, authserver.Page{})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return slices.DeleteFunc(sessions, func(session authserver.Session) bool {
		return !user.SessionLives(session.ID, session.SessionEpoch)
	}), nil
}

// EndSession ends one session of the user of c. ErrNotFound for one that is not
// there or another user's.
func (s *Server) EndSession(ctx context.Context, c *resource.Claims, sid string) error {
	session, err := s.Sessions.Session(ctx, sid)
	if err != nil {
		return fmt.Errorf("find session: %w", err)
	}
	if session.Subject != c.Subject {
		return authserver.ErrNotFound
	}
	return s.end(ctx, []authserver.Ending{ending(session, authserver.ReasonLogout)},
		authserver.Event{Act: "session.end", Actor: c.Subject})
}

// EndOtherSessions ends all sessions of the user of c but the one that c belongs
// to, those too that the session store has lost.
func (s *Server) EndOtherSessions(ctx context.Context, c *resource.Claims) error {
	own, others, err := s.apart(ctx, c, authserver.ReasonLogout)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	_, err = s.UserStore.ChangeUser(ctx, c.Subject, authserver.UserChange{
		EndSessions: true, KeepSession: own.ID, KeepEpoch: own.SessionEpoch, End: others, Reason: authserver.ReasonLogout,
	}, fromCaller(ctx, authserver.Event{
		Act: "session.end_others", Result: "success", Actor: c.Subject, Subject: c.Subject,
		ClientID: c.ClientID, SessionID: c.SessionID,
	}))
	if err != nil {
		return fmt.Errorf("end other sessions: %w", err)
	}
	s.Changed(ctx)
	s.drop(ctx, others)
	return nil
}

// ChangePassword sets the password of the user of c and ends the user's other
// sessions.
func (s *Server) ChangePassword(ctx context.Context, c *resource.Claims, current, new string) error {
	own, others, err := s.apart(ctx, c, authserver.ReasonPasswordChanged)
	if err != nil {
		return err
	}
	if err := s.Users.ChangePassword(ctx, c.Subject, own, others, current, new); err != nil {
		s.notePassword(ctx, c.Subject, c.ClientID, c.SessionID, err)
		return err
	}
	s.drop(context.WithoutCancel(ctx), others)
	return nil
}

// apart sets the live session that c belongs to apart from the user's others,
// which are to be ended. The token may have outlived its session, for as long as
// a feed takes: own is zero then, and nothing is kept.
func (s *Server) apart(ctx context.Context, c *resource.Claims, reason authserver.Reason) (own authserver.Session, others []authserver.Ending, err error) {
	sessions, err := s.live(ctx, c.Subject)
	if err != nil {
		return own, nil, err
	}
	for _, session := range sessions {
		if session.ID == c.SessionID {
			own = session
		} else {
			others = append(others, ending(session, reason))
		}
	}
	return own, others, nil
}
