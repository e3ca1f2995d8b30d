package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/tokenwright/tokenwright/authserver/bench"
)

type benchCmd struct {
	Issuer      string        `arg:"" optional:"" help:"The issuer identifier; if it is left out, ISSUER."`
	Fixtures    string        `required:"" placeholder:"FILE" help:"Clients, a user and an API that the issuer knows, as YAML."`
	Only        []string      `placeholder:"OPERATION" help:"Measure these alone, such as refresh,api."`
	Connections int           `default:"16" help:"How many requests are under way at any time."`
	Duration    time.Duration `default:"10s" help:"How long each operation is measured."`
	output
}

func (benchCmd) Help() string {
	return `Measures how many requests a running issuer answers and how soon: one kind of
request after the other (` + strings.Join(bench.Operations(), ", ") + `), in closed
loops over connections that are kept. Where the server runs on this machine, its
processor time per request and its memory are shown too; what the loops
themselves use is not in it, but takes from the same processors.

FILE has the form that tokenwright doctor --help shows. Logins open sessions that
are left behind, so give it an issuer for trials. Its limits hold: raise
LOGIN_RATE where logins are refused with 429.

Example:

	tokenwright bench http://localhost:8000 --fixtures deploy/doctor-demo.yaml
`
}

func (cmd benchCmd) Run(ctx context.Context, con *console) error {
	if cmd.Connections < 1 || cmd.Connections > 10_000 {
		return &usageError{"--connections: want 1 to 10000; see tokenwright bench --help"}
	}
	if cmd.Duration < time.Second || cmd.Duration > time.Hour {
		return &usageError{"--duration: want 1s to 1h; see tokenwright bench --help"}
	}
	issuer, err := con.issuer(cmd.Issuer)
	if err != nil {
		return err
	}
	o := bench.Options{Issuer: issuer, Only: cmd.Only, Connections: cmd.Connections, Duration: cmd.Duration}
	if o.Fixtures, err = con.readFixtures(cmd.Fixtures); err != nil {
		return err
	}
	progress := ""
	if file, ok := con.err.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		o.Progress = func(operation string, elapsed time.Duration, requests int) {
			progress = "\r\x1b[K"
			fmt.Fprintf(con.err, "%s%s: %d s, %d requests", progress, operation, int(elapsed.Seconds()), requests)
		}
	}
	results, err := bench.Run(ctx, o)
	fmt.Fprint(con.err, progress)
	if err != nil {
		return err
	}
	if err := cmd.print(con, results, func(w io.Writer) { writeBench(w, results) }); err != nil {
		return err
	}
	for _, r := range results {
		if len(r.Errors) > 0 {
			return fmt.Errorf("not every request of %s was answered as it should be", r.Operation)
		}
	}
	return nil
}

func writeBench(w io.Writer, results []bench.Result) {
	fmt.Fprintln(w, "OPERATION\tREQUESTS/S\tP50\tP99\tP99.9\tMAX\tERRORS\tSERVER CPU\tMEMORY")
	for _, r := range results {
		if r.Unmeasured != "" {
			fmt.Fprintf(w, "%s\tnot measured: %s\n", r.Operation, r.Unmeasured)
			continue
		}
		fmt.Fprintf(w, "%s\t%.0f\t%s\t%s\t%s\t%s\t%d", r.Operation, r.PerSecond, micros(r.P50), micros(r.P99), micros(r.P999), micros(r.Max), r.Failed())
		if r.Memory > 0 {
			fmt.Fprintf(w, "\t%d µs\t%d MB", r.CPU, r.Memory/1_000_000)
		}
		fmt.Fprintln(w)
		for _, what := range slices.Sorted(maps.Keys(r.Errors)) {
			fmt.Fprintf(w, "\t%d × %s\n", r.Errors[what], what)
		}
	}
}

// micros is a latency as people read it.
func micros(us int64) string {
	return (time.Duration(us) * time.Microsecond).String()
}
