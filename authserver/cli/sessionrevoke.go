package cli

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/tokenwright/tokenwright/authserver"
)

type sessionRevokeCmd struct {
	output
	SID  string `arg:"" optional:"" name:"sid" help:"The session's id, as session list and the claim sid have it; after -- if it begins with a hyphen."`
	User string `placeholder:"NAME" help:"End all of this user's instead, by user name or e-mail address."`
}

func (sessionRevokeCmd) Help() string {
	return "The user may log in again. Access tokens of what ends are refused within a second.\n\n" +
		"Example:\n\n\ttokenwright session revoke --user alice\n"
}

func (cmd sessionRevokeCmd) Validate() error {
	if (cmd.SID == "") == (cmd.User == "") {
		return &usageError{"name one session by its id, or all of a user's with --user NAME"}
	}
	return nil
}

// sessionRevoked says what ended. SID is empty if everything of the user did.
type sessionRevoked struct {
	Subject string `json:"sub"`
	SID     string `json:"sid,omitempty"`
	// Revoked is false for a session that had ended before, as Ended says.
	Revoked bool         `json:"revoked"`
	Ended   *sessionView `json:"ended,omitempty"`
}

func (cmd sessionRevokeCmd) Run(ctx context.Context, con *console) error {
	return con.withSessions(ctx, func(s *sessionStaff) error {
		if cmd.User != "" {
			return cmd.revokeAll(ctx, con, s)
		}
		session, ended, err := s.find(ctx, cmd.SID)
		if err != nil {
			return err
		}
		if ended != nil {
			v := viewTombstone(*ended)
			return cmd.print(con, sessionRevoked{Subject: ended.Subject, SID: cmd.SID, Ended: &v}, func(w io.Writer) {
				fmt.Fprintf(w, "%s: had ended at %s: %s\n", cmd.SID, v.EndedAt, v.Reason)
			})
		}
		if err := s.revoke(ctx, session); err != nil {
			return err
		}
		return cmd.print(con, sessionRevoked{Subject: session.Subject, SID: cmd.SID, Revoked: true}, func(w io.Writer) {
			fmt.Fprintf(w, "%s: the session and its tokens have ended\n", cmd.SID)
		})
	})
}

func (cmd sessionRevokeCmd) revokeAll(ctx context.Context, con *console, s *sessionStaff) error {
	u, err := userArg{cmd.User}.find(ctx, s.users)
	if err != nil {
		return err
	}
	if err := s.users.EndSessions(ctx, u.Subject, actor); err != nil {
		return err
	}
	return cmd.print(con, sessionRevoked{Subject: u.Subject, Revoked: true}, func(w io.Writer) {
		fmt.Fprintf(w, "%s: every session and token has ended\n", u.Username)
	})
}

// find returns a session, or its mark if it has ended.
func (s *sessionStaff) find(ctx context.Context, sid string) (session authserver.Session, ended *authserver.Tombstone, err error) {
	facts, err := s.db.Facts(ctx, authserver.Ask{SessionID: sid})
	if err != nil || facts.Ended != nil {
		return session, facts.Ended, err
	}
	session, err = s.store.Session(ctx, sid)
	if err != nil {
		return session, nil, about(err, "no session has the id %q; list a user's with: tokenwright session list --user NAME", sid)
	}
	// One that ended with all of its user's has no mark of its own.
	all, _, err := s.server.EndedSessions(ctx, session.Subject, authserver.Page{})
	if err != nil {
		return session, nil, err
	}
	i := slices.IndexFunc(all, func(t authserver.Tombstone) bool { return t.SessionID == sid })
	if i < 0 {
		return session, nil, nil
	}
	return session, &all[i], nil
}

// revoke ends a session that lives: first in the database, which decides.
func (s *sessionStaff) revoke(ctx context.Context, session authserver.Session) error {
	err := s.db.End(ctx, []authserver.Ending{{
		Kind: authserver.KindSession, ID: session.ID, Subject: session.Subject, ClientID: session.ClientID,
		Reason: authserver.ReasonRevoked, Resources: session.Resources,
	}}, authserver.Event{
		Act: "session.revoke", Result: "success", Actor: actor, Subject: session.Subject, ClientID: session.ClientID,
		SessionID: session.ID, Reason: string(authserver.ReasonRevoked),
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	s.deps.Changed(ctx)
	if err := s.store.Drop(ctx, session.ID); err != nil {
		s.deps.Logger.WarnContext(ctx, "ended session not dropped", "session", session.ID, "err", err)
	}
	return nil
}
