package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
)

type auditExportCmd struct {
	Format string `enum:"jsonl" default:"jsonl" help:"Form of the output: jsonl, one JSON object a line."`
}

func (auditExportCmd) Help() string {
	return "Example:\n\n\ttokenwright audit export > audit.jsonl\n"
}

// exportPage is how many rows are read at once.
const exportPage = 1000

func (cmd auditExportCmd) Run(ctx context.Context, con *console) error {
	return con.withStaff(ctx, func(s *staff) error {
		w := bufio.NewWriter(con.out)
		lines := json.NewEncoder(w)
		lines.SetEscapeHTML(false)
		for after := int64(math.MinInt64); ; {
			rows, err := s.db.Rows(ctx, after, exportPage)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if err := lines.Encode(viewRow(r)); err != nil {
					return fmt.Errorf("write stdout: %w", err)
				}
				after = r.ID
			}
			if len(rows) < exportPage {
				break
			}
		}
		if err := w.Flush(); err != nil {
			return fmt.Errorf("write stdout: %w", err)
		}
		return nil
	})
}
