package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/tokenwright/tokenwright/authserver/account"
)

type applyCmd struct {
	output
	File   string `short:"f" required:"" placeholder:"FILE" help:"The YAML file; - reads stdin."`
	DryRun bool   `help:"Say what would change, and change nothing."`
	Prune  bool   `help:"Remove clients, resources and scopes that the file lacks; never users."`
}

func (applyCmd) Help() string {
	return "A second run of the same file changes nothing.\n\n" +
		"Example:\n\n\ttokenwright apply -f accounts.yaml --dry-run\n"
}

// maxApplyFile is far above any file that people write, and below what hurts.
const maxApplyFile = 16 << 20

func (cmd applyCmd) Run(ctx context.Context, con *console) error {
	text, err := con.readFile(cmd.File, maxApplyFile)
	if err != nil {
		return err
	}
	file, err := account.ParseFile(text)
	if err != nil {
		return fmt.Errorf("%s: %w", cmd.File, err)
	}
	return con.withStaff(ctx, func(s *staff) error {
		changes, err := account.Apply(ctx, s.deps, file, account.Options{DryRun: cmd.DryRun, Prune: cmd.Prune})
		if err != nil {
			return fmt.Errorf("%s: %w", cmd.File, err)
		}
		list := struct {
			DryRun  bool             `json:"dry_run"`
			Changes []account.Change `json:"changes"`
		}{cmd.DryRun, append([]account.Change{}, changes...)}
		return cmd.print(con, list, func(w io.Writer) {
			for _, c := range changes {
				fmt.Fprintln(w, c)
			}
			switch {
			case len(changes) == 0:
				fmt.Fprintln(w, "nothing to change")
			case cmd.DryRun:
				fmt.Fprintln(w, "dry run: nothing was changed")
			}
		})
	})
}
