package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/redisstore"
	"github.com/tokenwright/tokenwright/authserver/sessions"
)

type sessionCmd struct {
	List   sessionListCmd   `cmd:"" help:"List a user's sessions, or those that have ended, with when and why."`
	Revoke sessionRevokeCmd `cmd:"" help:"End one session, or every session and token of a user."`
}

// sessionStaff is staff with the store that the server has its sessions in.
type sessionStaff struct {
	*staff
	store    authserver.SessionStore
	sessions *sessions.Sessions
}

// awayStore stands for a Redis that cannot be asked: what has ended is the
// database's to say all the same.
type awayStore struct {
	authserver.SessionStore
	err error
}

func (s awayStore) unavailable() error {
	return fmt.Errorf("%w: %w", authserver.ErrUnavailable, s.err)
}

func (s awayStore) Session(context.Context, string) (authserver.Session, error) {
	return authserver.Session{}, s.unavailable()
}

func (s awayStore) Sessions(context.Context, string, authserver.Page) ([]authserver.Session, int, error) {
	return nil, 0, s.unavailable()
}

func (s awayStore) Drop(context.Context, string) error { return s.unavailable() }

// withSessions is withStaff for the commands that ask Redis, if that has the
// sessions.
func (c *console) withSessions(ctx context.Context, act func(*sessionStaff) error) error {
	return c.withStaff(ctx, func(s *staff) error {
		on := &sessionStaff{staff: s, store: s.db}
		servers := wakers{s.db}
		if url := s.cfg.Storage.RedisURL.Reveal(); url != "" {
			redis, err := redisstore.Open(ctx, url, s.deps.Logger)
			if err != nil {
				on.store = awayStore{err: &plainError{text: err.Error()}} // not the database's fault
			} else {
				defer redis.Close()
				on.store, servers = redis, append(servers, redis)
			}
		}
		s.deps.Changed = func(ctx context.Context) { servers.wake(ctx, s.deps.Logger) }
		s.users = account.NewUsers(s.deps)
		on.sessions = sessions.New(sessions.Deps{
			Facts: s.db, Store: on.store, Users: s.db, Log: s.db, Changed: s.deps.Changed, Logger: s.deps.Logger,
		})
		return act(on)
	})
}

type sessionListCmd struct {
	output
	User  string `required:"" placeholder:"NAME" help:"Whose sessions, by user name or e-mail address."`
	Ended bool   `help:"List those that have ended in the last 30 days instead, the last ended first."`
	Limit int    `default:"100" help:"How many to list at most; 0 lists all."`
}

func (sessionListCmd) Help() string {
	return "Example:\n\n\ttokenwright session list --user alice --ended\n"
}

func (cmd sessionListCmd) Validate() error {
	if cmd.Limit < 0 {
		return &usageError{"--limit is a number from 0"}
	}
	return nil
}

// sessionView is a session as commands print it. Of one that has ended little is
// known but that.
type sessionView struct {
	SID        string `json:"sid"`
	ClientID   string `json:"client_id"`
	Scope      string `json:"scope,omitempty"`
	CreatedAt  string `json:"created_at,omitempty"`
	LastUsedAt string `json:"last_used_at,omitempty"`
	ExpiresAt  string `json:"expires_at,omitempty"`
	IP         string `json:"ip,omitempty"`
	UserAgent  string `json:"user_agent,omitempty"`
	EndedAt    string `json:"ended_at,omitempty"`
	Reason     string `json:"reason,omitempty"`
}

func viewSession(s authserver.Session) sessionView {
	expires := s.Deadline
	if s.IdleDeadline.Before(expires) {
		expires = s.IdleDeadline
	}
	return sessionView{
		SID: s.ID, ClientID: s.ClientID, Scope: joined(s.Scope), CreatedAt: stamp(s.CreatedAt), LastUsedAt: stamp(s.LastUsedAt),
		ExpiresAt: stamp(expires), IP: s.IP, UserAgent: s.UserAgent,
	}
}

func viewTombstone(t authserver.Tombstone) sessionView {
	return sessionView{SID: t.SessionID, ClientID: t.ClientID, EndedAt: stamp(t.EndedAt), Reason: string(t.Reason)}
}

type sessionList struct {
	Sessions []sessionView `json:"sessions"`
	Total    int           `json:"total"`
}

func (cmd sessionListCmd) Run(ctx context.Context, con *console) error {
	return con.withSessions(ctx, func(s *sessionStaff) error {
		u, err := userArg{cmd.User}.find(ctx, s.users)
		if err != nil {
			return err
		}
		list := sessionList{Sessions: []sessionView{}}
		page := authserver.Page{Limit: cmd.Limit}
		if cmd.Ended {
			var ended []authserver.Tombstone
			ended, list.Total, err = s.sessions.Ended(ctx, u.Subject, page)
			for _, t := range ended {
				list.Sessions = append(list.Sessions, viewTombstone(t))
			}
		} else {
			var live []authserver.Session
			live, list.Total, err = s.sessions.List(ctx, u.Subject, page)
			for _, one := range live {
				list.Sessions = append(list.Sessions, viewSession(one))
			}
		}
		if err != nil {
			return err
		}
		return cmd.print(con, list, func(w io.Writer) { list.text(w, cmd.Ended) })
	})
}

func (l sessionList) text(w io.Writer, ended bool) {
	if ended {
		fmt.Fprintln(w, "SESSION\tCLIENT\tENDED\tREASON")
	} else {
		fmt.Fprintln(w, "SESSION\tCLIENT\tCREATED\tLAST USED\tEXPIRES\tADDRESS\tUSER AGENT")
	}
	for _, v := range l.Sessions {
		if ended {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", v.SID, v.ClientID, v.EndedAt, v.Reason)
		} else {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%q\n", v.SID, v.ClientID, v.CreatedAt, v.LastUsedAt, v.ExpiresAt, v.IP, v.UserAgent)
		}
	}
	fmt.Fprintf(w, "%d of %d\n", len(l.Sessions), l.Total)
}
