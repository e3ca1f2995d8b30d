package cli

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

type scriptKey struct{}

// programs is what a script keeps from one command to the next.
type programs struct {
	running *program
	answer  string
}

func running(ts *testscript.TestScript) *programs { return ts.Value(scriptKey{}).(*programs) }

func scriptServe(ts *testscript.TestScript, neg bool, args []string) {
	var env []string
	for _, name := range []string{"DATABASE_URL", "ISSUER", "SECRET_KEY", "PROFILE", "ALGORITHM", "LOG_LEVEL"} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	p, err := startProgram(ts.MkAbs("."), env, args...)
	if err != nil {
		ts.Fatalf("%v", err)
	}
	running(ts).running = p
	ts.Setenv("BASE", p.base)
	ts.Setenv("AS", p.issuer)
	fmt.Fprint(ts.Stdout(), p.out.String())
}

func scriptStop(ts *testscript.TestScript, neg bool, args []string) {
	s := running(ts)
	p := s.running
	s.running = nil
	err := p.stop()
	fmt.Fprint(ts.Stdout(), p.out.String())
	fmt.Fprint(ts.Stderr(), p.log.String())
	if err != nil {
		ts.Fatalf("serve: %v\n%s", err, p.log.String())
	}
}

func scriptHTTP(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: http STATUS METHOD URL [-token T] [-basic ID:SECRET] [BODY]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	method, url, args := args[1], args[2], args[3:]
	header := http.Header{}
	for len(args) > 1 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-token":
			header.Set("Authorization", "Bearer "+args[1])
		case "-basic":
			header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(args[1])))
		default:
			ts.Fatalf("http: unknown option %s", args[0])
		}
		args = args[2:]
	}
	var body string
	if len(args) > 0 {
		body = args[0]
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(body, "{") {
			header.Set("Content-Type", "application/json")
		}
	}
	status, answer, err := ask(method, url, header, body)
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), answer)
	running(ts).answer = answer
	if status != want {
		ts.Fatalf("%s %s: got %d, want %d: %s", method, url, status, want, answer)
	}
}

func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	setMember(ts, running(ts).answer, args)
}

// setMember puts the member args[0] of a JSON object into the variable args[1].
func setMember(ts *testscript.TestScript, object string, args []string) {
	var members map[string]any
	ts.Check(json.Unmarshal([]byte(object), &members))
	ts.Setenv(args[1], fmt.Sprint(members[args[0]]))
}

func scriptSQL(ts *testscript.TestScript, neg bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(args[1])
	ts.Check(err)
}

func scriptExitCode(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || strconv.Itoa(exit.ExitCode()) != args[0] {
		ts.Fatalf("got %v, want exit code %s", err, args[0])
	}
	if n := strings.Count(ts.ReadFile("stderr"), "\n"); n != 1 {
		ts.Fatalf("got %d lines on stderr, want one sentence", n)
	}
}

func scriptHelp(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Exec("tokenwright", append(args, "--help")...))
	if help := ts.ReadFile("stdout"); !strings.Contains(help, "Example:") || !strings.Contains(help, "tokenwright "+strings.Join(args, " ")) {
		ts.Fatalf("no example in the help of %s:\n%s", strings.Join(args, " "), help)
	}
}

// ask sends one request and returns the answer.
func ask(method, url string, header http.Header, body string) (int, string, error) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header = header
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, string(answer), err
}
