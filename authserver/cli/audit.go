package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/audit"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

type auditCmd struct {
	List   auditListCmd   `cmd:"" help:"List what happened, the newest first."`
	Verify auditVerifyCmd `cmd:"" help:"Find changed and missing rows; the exit code is 1 if there are any."`
	Export auditExportCmd `cmd:"" help:"Write every row to stdout, the oldest first."`
}

// eventView is an event as commands print it.
type eventView struct {
	Row       int64  `json:"row"`
	At        string `json:"at"`
	Act       string `json:"act"`
	Result    string `json:"result"`
	Actor     string `json:"actor"`
	Subject   string `json:"subject"`
	ClientID  string `json:"client_id"`
	SessionID string `json:"session_id"`
	IP        string `json:"ip"`
	RequestID string `json:"request_id"`
	Reason    string `json:"reason"`
	Times     int64  `json:"times,omitempty"` // how many alike it stands for; absent is one
}

func viewEvent(r audit.Row) eventView {
	return eventView{
		Row: r.ID, At: r.At.UTC().Format("2006-01-02T15:04:05.000Z07:00"), Act: r.Act, Result: r.Result, Actor: r.Actor, Subject: r.Subject,
		ClientID: r.ClientID, SessionID: r.SessionID, IP: r.IP, RequestID: r.RequestID, Reason: r.Reason, Times: r.Times,
	}
}

type auditListCmd struct {
	output
	Limit int    `default:"100" help:"How many to list at most; 0 lists all."`
	Act   string `placeholder:"ACT" help:"Only this act, such as login.failure."`
	User  string `placeholder:"NAME" help:"Only what this user did or what was done to it: user name, e-mail address, or the subject of one who is gone."`
}

func (auditListCmd) Help() string {
	return "Example:\n\n\ttokenwright audit list --user alice --act login.failure --limit 20\n"
}

func (cmd auditListCmd) Validate() error {
	if cmd.Limit < 0 {
		return &usageError{"--limit is a number from 0"}
	}
	return nil
}

func (cmd auditListCmd) Run(ctx context.Context, con *console) error {
	return con.withStaff(ctx, func(s *staff) error {
		subject, err := cmd.subject(ctx, s)
		if err != nil {
			return err
		}
		rows, err := s.db.LastRows(ctx, sqlstore.EventQuery{Act: cmd.Act, Subject: subject, Limit: cmd.Limit})
		if err != nil {
			return err
		}
		list := struct {
			Events []eventView `json:"events"`
		}{[]eventView{}}
		for _, r := range rows {
			list.Events = append(list.Events, viewEvent(r))
		}
		return cmd.print(con, list, func(w io.Writer) {
			fmt.Fprintln(w, "ROW\tAT\tACT\tRESULT\tACTOR\tSUBJECT\tCLIENT\tADDRESS\tREASON")
			for _, v := range list.Events {
				fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.Row, v.At, v.Act, v.Result, v.Actor, v.Subject, v.ClientID, v.IP, v.Reason)
			}
		})
	})
}

// subject is whom --user names; the log names users by their subject alone, those
// too who are gone.
func (cmd auditListCmd) subject(ctx context.Context, s *staff) (string, error) {
	if cmd.User == "" {
		return "", nil
	}
	u, err := userArg{cmd.User}.find(ctx, s.users)
	if _, ok := authserver.ParseSubject(cmd.User); ok && errors.Is(err, authserver.ErrNotFound) {
		return cmd.User, nil
	}
	return u.Subject, err
}

// rowView is a row as it is exported: an event with its place in its chain.
type rowView struct {
	eventView
	Chain string `json:"chain"`
	KeyID string `json:"key_id"`
	MAC   string `json:"mac"`
}

func viewRow(r audit.Row) rowView {
	return rowView{viewEvent(r), r.Chain, r.KeyID, hex.EncodeToString(r.MAC)}
}
