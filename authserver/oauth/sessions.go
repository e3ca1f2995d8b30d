package oauth

import (
	"context"
	"fmt"
	"slices"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
)

// end ends sessions: first in the database, which decides, then by forgetting
// the records. It goes on if the caller hangs up.
func (s *Server) end(ctx context.Context, subject, clientID string, sids []string, reason authserver.Reason, e authserver.Event) error {
	ctx = context.WithoutCancel(ctx)
	what := make([]authserver.Ending, len(sids))
	for i, sid := range sids {
		what[i] = authserver.Ending{Kind: authserver.KindSession, ID: sid, Subject: subject, ClientID: clientID, Reason: reason}
	}
	caller := authserver.CallerFrom(ctx)
	e.Result, e.Subject, e.ClientID, e.IP, e.RequestID = "success", subject, clientID, caller.IP, caller.RequestID
	e.Reason = string(reason)
	if len(sids) == 1 {
		e.SessionID = sids[0]
	}
	if err := s.Revocations.End(ctx, what, e); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	s.Changed(ctx)
	s.drop(ctx, sids)
	return nil
}

// drop forgets the records of sessions that have ended. What stays behind is
// refused all the same and leaves at its deadline.
func (s *Server) drop(ctx context.Context, sids []string) {
	for _, sid := range sids {
		if err := s.Sessions.Drop(ctx, sid); err != nil {
			s.Logger.WarnContext(ctx, "ended session not dropped", "session", sid, "err", err)
			return
		}
	}
}

// reused ends a session one of whose older refresh tokens was presented.
func (ex *exchange) reused(ctx context.Context, session authserver.Session) error {
	err := ex.end(ctx, session.Subject, session.ClientID, []string{session.ID}, authserver.ReasonReuse,
		authserver.Event{Act: "refresh.reuse_detected", Actor: session.ClientID})
	if err != nil {
		return err
	}
	return because(CodeInvalidGrant, ErrReuse)
}

// recovered notes that the session store has lost writes.
func (ex *exchange) recovered(ctx context.Context, session authserver.Session) error {
	caller := authserver.CallerFrom(ctx)
	err := ex.Audit.Record(ctx, authserver.Event{
		Act: "refresh.recovered", Result: "success", Actor: session.ClientID, Subject: session.Subject,
		ClientID: session.ClientID, SessionID: session.ID, IP: caller.IP, RequestID: caller.RequestID,
	})
	if err != nil {
		return fmt.Errorf("record recovery: %w", err)
	}
	ex.Logger.WarnContext(ctx, "session store had lost writes", "session", session.ID, "counter", session.Counter)
	return nil
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
	return s.end(ctx, subject, "", sids, authserver.ReasonEvicted, authserver.Event{Act: "session.evict"})
}

// Logout ends the session that c belongs to.
func (s *Server) Logout(ctx context.Context, c *resource.Claims) error {
	return s.end(ctx, c.Subject, c.ClientID, []string{c.SessionID}, authserver.ReasonLogout,
		authserver.Event{Act: "session.logout", Actor: c.Subject})
}

// ListSessions lists a user's sessions, the last used first, and says how many
// there are in all.
func (s *Server) ListSessions(ctx context.Context, subject string, p authserver.Page) ([]authserver.Session, int, error) {
	sessions, total, err := s.Sessions.Sessions(ctx, subject, p)
	if err != nil {
		return nil, 0, fmt.Errorf("list sessions: %w", err)
	}
	return sessions, total, nil
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
	return s.end(ctx, c.Subject, session.ClientID, []string{sid}, authserver.ReasonLogout,
		authserver.Event{Act: "session.end", Actor: c.Subject})
}

// EndOtherSessions ends all sessions of the user of c but the one that c belongs
// to, those too that the session store has lost.
func (s *Server) EndOtherSessions(ctx context.Context, c *resource.Claims) error {
	others, err := s.others(ctx, c)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	caller := authserver.CallerFrom(ctx)
	_, err = s.UserStore.ChangeUser(ctx, c.Subject, authserver.UserChange{
		EndSessions: true, KeepSession: c.SessionID, End: others, Reason: authserver.ReasonLogout,
	}, authserver.Event{
		Act: "session.end_others", Result: "success", Actor: c.Subject, Subject: c.Subject,
		ClientID: c.ClientID, SessionID: c.SessionID, IP: caller.IP, RequestID: caller.RequestID,
	})
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
	others, err := s.others(ctx, c)
	if err != nil {
		return err
	}
	if err := s.Users.ChangePassword(ctx, c.Subject, c.SessionID, others, current, new); err != nil {
		return err
	}
	s.drop(context.WithoutCancel(ctx), others)
	return nil
}

// others are the user's sessions but the one that c belongs to.
func (s *Server) others(ctx context.Context, c *resource.Claims) ([]string, error) {
	sessions, _, err := s.Sessions.Sessions(ctx, c.Subject, authserver.Page{})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	var sids []string
	for _, session := range sessions {
		sids = append(sids, session.ID)
	}
	return slices.DeleteFunc(sids, func(sid string) bool { return sid == c.SessionID }), nil
}
