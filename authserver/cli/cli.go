// Package cli is the command line: one struct a command, and in serve.go the
// wiring of the server. It decides nothing about tokens, users or clients; it
// reads arguments, calls the package that does, and prints.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type commands struct {
	Serve       serveCmd       `cmd:"" help:"Run the authorization server and its resource API."`
	Migrate     migrateCmd     `cmd:"" help:"Bring the database's schema up to date, or say where it is."`
	Apply       applyCmd       `cmd:"" help:"Make clients, users, scopes and resources as a YAML file says."`
	User        userCmd        `cmd:"" help:"Manage user accounts."`
	Client      clientCmd      `cmd:"" help:"Manage registered clients."`
	Session     sessionCmd     `cmd:"" help:"List sessions, or end them."`
	Outbox      outboxCmd      `cmd:"" help:"Show what waits to be sent."`
	Keys        keysCmd        `cmd:"" help:"Manage the keys that sign access tokens."`
	Token       tokenCmd       `cmd:"" help:"Mint an access token, or explain one."`
	Audit       auditCmd       `cmd:"" help:"Read, verify or export the event log."`
	Backup      backupCmd      `cmd:"" help:"Copy the SQLite database, also while the server runs."`
	Config      configCmd      `cmd:"" help:"Show the effective settings and where each came from."`
	Doctor      doctorCmd      `cmd:"" help:"Examine a running issuer by the lines of its standards."`
	Bench       benchCmd       `cmd:"" help:"Measure how much a running issuer holds."`
	Healthcheck healthcheckCmd `cmd:"" help:"Ask the running server whether it is ready."`
	Version     versionCmd     `cmd:"" help:"Show version, commit and Go version."`
}

// Run runs the command that args name and returns its exit code: 0, 1 for a
// failure, 2 for wrong usage. It reads no environment but environ, and the
// folder it works in is the process's.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	con := &console{in: stdin, out: stdout, err: stderr, environ: environ}
	helped := false
	parser, err := kong.New(&commands{},
		kong.Name("tokenwright"),
		kong.Description("A self-hosted OAuth 2 authorization server. Try it: tokenwright serve --demo"),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }), // --help prints and parsing goes on
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(con),
	)
	if err != nil {
		return con.fail(fmt.Errorf("build command line: %w", err))
	}
	command, err := parser.Parse(args)
	if helped {
		return 0
	}
	if err != nil {
		return con.fail(usageOf(err))
	}
	if err := command.Run(); err != nil {
		return con.fail(err)
	}
	return 0
}

// usageOf turns a fault of the arguments into a sentence that names the help
// of the command that it was meant for.
func usageOf(err error) error {
	path := "tokenwright"
	if parse, ok := errors.AsType[*kong.ParseError](err); ok && parse.Context != nil {
		if node := parse.Context.Selected(); node != nil {
			path = node.FullPath()
		} else if len(parse.Context.Path) > 1 {
			path = parse.Context.Path[len(parse.Context.Path)-1].Node().FullPath()
		}
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return &usageError{fmt.Sprintf("%s; see %s --help", text, path)}
}
