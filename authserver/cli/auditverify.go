package cli

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/tokenwright/tokenwright/authserver/audit"
)

type auditVerifyCmd struct {
	output
	Head []string `sep:"none" placeholder:"CHAIN:ROW:MAC" help:"A head that a server has said in its log (\"audit head\"), or this command before; give it again for more."`
}

func (auditVerifyCmd) Help() string {
	return "What no log can show by itself is that all of it was put back to how it once was: give heads that were kept elsewhere.\n\n" +
		"Example:\n\n\ttokenwright audit verify --output json\n"
}

func (cmd auditVerifyCmd) Validate() error {
	_, err := parseHeads(cmd.Head)
	return err
}

// parseHeads reads what headText writes.
func parseHeads(texts []string) ([]audit.Head, error) {
	var heads []audit.Head
	for _, text := range texts {
		parts := strings.Split(text, ":")
		if len(parts) != 3 || parts[0] == "" {
			return nil, &usageError{"--head takes CHAIN:ROW:MAC, as the log line \"audit head\" has them"}
		}
		id, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil || id < 1 {
			return nil, &usageError{"--head CHAIN:ROW:MAC: the row is a number from 1"}
		}
		mac, err := hex.DecodeString(parts[2])
		if err != nil || len(mac) == 0 {
			return nil, &usageError{"--head CHAIN:ROW:MAC: the MAC is hexadecimal"}
		}
		heads = append(heads, audit.Head{Chain: parts[0], ID: id, MAC: mac})
	}
	return heads, nil
}

func headText(h audit.Head) string {
	return fmt.Sprintf("%s:%d:%s", h.Chain, h.ID, hex.EncodeToString(h.MAC))
}

type reportView struct {
	Sound  bool        `json:"sound"`
	Rows   int64       `json:"rows"`
	First  int64       `json:"first"`
	Last   int64       `json:"last"`
	Heads  []string    `json:"heads"`
	Faults []faultView `json:"faults"`
}

type faultView struct {
	Row   int64  `json:"row,omitempty"` // absent if it is about the whole log
	Chain string `json:"chain,omitempty"`
	What  string `json:"what"`
}

func viewReport(r audit.Report) reportView {
	v := reportView{
		Sound: len(r.Faults) == 0, Rows: r.Rows, First: r.First, Last: r.Last, Heads: []string{}, Faults: []faultView{},
	}
	for _, h := range r.Heads {
		v.Heads = append(v.Heads, headText(h))
	}
	for _, f := range r.Faults {
		v.Faults = append(v.Faults, faultView{f.ID, f.Chain, f.What})
	}
	return v
}

func (cmd auditVerifyCmd) Run(ctx context.Context, con *console) error {
	known, err := parseHeads(cmd.Head)
	if err != nil {
		return err
	}
	return con.withStaff(ctx, func(s *staff) error {
		report, err := audit.Verify(ctx, s.db, s.master.AuditKeys(), known...)
		if err != nil {
			return err
		}
		v := viewReport(report)
		err = cmd.print(con, v, func(w io.Writer) {
			for _, f := range report.Faults {
				fmt.Fprintln(w, f)
			}
			for _, h := range v.Heads {
				fmt.Fprintf(w, "head %s\n", h)
			}
			fmt.Fprintf(w, "%d rows, from %d to %d\n", v.Rows, v.First, v.Last)
		})
		if err != nil || v.Sound {
			return err
		}
		n := strconv.Itoa(len(v.Faults))
		if len(v.Faults) == audit.MaxFaults {
			n += " or more"
		}
		return fmt.Errorf("the audit log is not as it was written; faults: %s", n)
	})
}
