package cli

import (
	"fmt"
	"io"

	"github.com/tokenwright/tokenwright/config"
)

type configCmd struct {
	output
	Demo bool `help:"As serve --demo sees them."`
}

func (configCmd) Help() string {
	return "Secrets are not shown.\n\nExample:\n\n\ttokenwright config --output json\n"
}

func (cmd configCmd) Run(con *console) error {
	cfg, err := con.settings(nil, cmd.Demo)
	if err != nil {
		return err
	}
	for _, hint := range cfg.Hints() {
		fmt.Fprintln(con.err, hint)
	}
	list := struct {
		Settings []config.Setting `json:"settings"`
	}{config.Describe(*cfg)}
	return cmd.print(con, list, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tVALUE\tFROM")
		for _, s := range list.Settings {
			fmt.Fprintf(w, "%s\t%s\t%s\n", s.Name, s.Value, s.Origin)
		}
	})
}
