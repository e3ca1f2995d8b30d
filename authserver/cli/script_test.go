package cli

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs testdata/script against the binary. Beside the standard
// commands there are
//
//	serve [args]                    starts a server; $BASE is its address, $AS its issuer, $WORK/log its log
//	stop                            ends it as a service manager would; the exit code has to be 0
//	http STATUS METHOD URL [-token T] [-basic ID:SECRET] [BODY]
//	                                asks and wants that status; stdout is the answer's body
//	json MEMBER VARIABLE            reads a member of the last answer
//	capture MEMBER VARIABLE         reads a member of the last command's JSON
//	line FILE VARIABLE              reads a file's one line
//	address VARIABLE                is the server's host and port
//	sql FILE STATEMENT              changes a SQLite database behind the program's back
//	exitcode N PROGRAM [args]       runs a program that has to fail so
//	help COMMAND                    wants help with an example
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("LOG_FORMAT", "text")
			e.Values[scriptKey{}] = &programs{}
			e.Defer(func() {
				if p := e.Values[scriptKey{}].(*programs).running; p != nil {
					p.kill()
				}
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": scriptServe,
			// Not stop: that is testscript's own, which ends the script.
			"shutdown": scriptStop,
			"http":     scriptHTTP,
			"json":     scriptJSON,
			"capture": func(ts *testscript.TestScript, _ bool, args []string) {
				setMember(ts, ts.ReadFile("stdout"), args)
			},
			"line": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Setenv(args[1], strings.TrimSpace(ts.ReadFile(args[0])))
			},
			"address": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Setenv(args[0], strings.TrimPrefix(ts.Getenv("BASE"), "http://"))
			},
			"sql":      scriptSQL,
			"exitcode": scriptExitCode,
			"help":     scriptHelp,
		},
	})
}
