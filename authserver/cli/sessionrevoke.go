package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sessions"
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
		err = s.sessions.End(ctx, []authserver.Ending{sessions.Ending(session, authserver.ReasonRevoked)},
			authserver.Event{Act: "session.revoke", Actor: authserver.ActorCLI})
		if err != nil {
			return fmt.Errorf("end session: %w", err)
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
	if err := s.users.EndSessions(ctx, u.Subject, authserver.ActorCLI); err != nil {
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
	if errors.Is(err, authserver.ErrUnavailable) {
		s.deps.Logger.WarnContext(ctx, "the session is ended without being looked at: whose it is, and whether it is there, is not known", "err", err)
		return authserver.Session{ID: sid}, nil, nil
	}
	if err != nil {
		return session, nil, about(err, "no session has the id %q; list a user's with: tokenwright session list --user NAME", sid)
	}
	// One that ended with all of its user's has no mark of its own.
	all, _, err := s.sessions.Ended(ctx, session.Subject, authserver.Page{})
	if err != nil {
		return session, nil, err
	}
	i := slices.IndexFunc(all, func(t authserver.Tombstone) bool { return t.SessionID == sid })
	if i < 0 {
		return session, nil, nil
	}
	return session, &all[i], nil
}
