package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/outbox"
)

type outboxCmd struct {
	List outboxListCmd `cmd:"" help:"List what waits to be sent, what is due first."`
}

// itemView is an item of the outbox as commands print it. What it is made of stays
// sealed.
type itemView struct {
	Kind     string `json:"kind"`
	ID       string `json:"id"`
	Receiver string `json:"receiver"`
	Since    string `json:"since"`
	Due      string `json:"due"`
	Tries    int    `json:"tries"`
	Failure  string `json:"failure,omitempty"`
	Trying   bool   `json:"trying"`
}

func viewItem(i outbox.Item) itemView {
	return itemView{
		Kind: i.Kind, ID: i.ID, Receiver: i.Receiver, Since: stamp(i.FirstAt), Due: stamp(i.DueAt), Tries: i.Tries, Failure: i.Failure,
		Trying: i.Claim != "",
	}
}

type outboxListCmd struct {
	output
	Limit int `default:"100" help:"How many to list at most; 0 lists all."`
}

func (outboxListCmd) Help() string {
	return "A logout goes to a client, about one session. Sessions are those of a user that ended at once and are to be looked up.\n" +
		"What became of what is no longer here: tokenwright audit list --act logout.given_up\n\n" +
		"Example:\n\n\ttokenwright outbox list\n"
}

func (cmd outboxListCmd) Validate() error {
	if cmd.Limit < 0 {
		return &usageError{"--limit is a number from 0"}
	}
	return nil
}

func (cmd outboxListCmd) Run(ctx context.Context, con *console) error {
	return con.withStaff(ctx, func(s *staff) error {
		items, total, err := s.db.Items(ctx, authserver.Page{Limit: cmd.Limit})
		if err != nil {
			return err
		}
		list := struct {
			Items []itemView `json:"items"`
			Total int        `json:"total"`
		}{[]itemView{}, total}
		for _, i := range items {
			list.Items = append(list.Items, viewItem(i))
		}
		return cmd.print(con, list, func(w io.Writer) {
			fmt.Fprintln(w, "KIND\tID\tRECEIVER\tSINCE\tDUE\tTRIES\tFAILURE")
			for _, v := range list.Items {
				due := v.Due
				if v.Trying {
					due = "now"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", v.Kind, v.ID, v.Receiver, v.Since, due, v.Tries, v.Failure)
			}
			fmt.Fprintf(w, "%d of %d\n", len(list.Items), list.Total)
		})
	})
}
