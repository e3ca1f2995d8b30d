// Package program runs the binary for tests, in processes of its own that can be
// starved, killed and looked at from outside.
package program

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Binary is the path of a program that was built.
type Binary string

// Main builds the program as it is released, runs the tests of m with it and
// returns their exit code.
func Main(m *testing.M, built *Binary) int {
	dir, err := os.MkdirTemp("", "tokenwright")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	*built = Binary(filepath.Join(dir, "tokenwright"))
	build := exec.Command("go", "build", "-tags", "nomsgpack", "-o", string(*built), "github.com/tokenwright/tokenwright")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// Missing skips a test for want of something, or fails it if REQUIRE_ALL=1.
func Missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatalf("%s, and REQUIRE_ALL=1 forbids to skip", why)
	}
	t.Skip(why)
}

// Command is the program in dir with no settings but env.
func (b Binary) Command(dir string, env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(string(b), args...)
	cmd.Dir = dir
	cmd.Env = slices.Concat([]string{"PATH=" + os.Getenv("PATH"), "LOG_FORMAT=text"}, env)
	return cmd
}

// Run runs a command of the program to its end, which must be a good one.
func (b Binary) Run(t testing.TB, dir string, env []string, args ...string) string {
	t.Helper()
	out, err := b.Command(dir, env, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("tokenwright %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Apply makes the clients and users of an apply file, and returns what is said.
func (b Binary) Apply(t testing.TB, dir string, env []string, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "apply.yaml") // the operator's, not the server's
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return b.Run(t, dir, env, "apply", "-f", file)
}

// Process is a server that runs.
type Process struct {
	// Base is the URL of its listener.
	Base string
	// PID is its process id.
	PID int

	ending sync.Mutex
	cmd    *exec.Cmd
	read   sync.WaitGroup
	mu     sync.Mutex
	log    bytes.Buffer
}

// serving is the log line that says where the program listens.
var serving = regexp.MustCompile(`msg=serving listen=(\S+)`)

// Serve starts a server that has to come up, and kills it when the test ends.
func (b Binary) Serve(t testing.TB, dir string, env []string, args ...string) *Process {
	t.Helper()
	p, err := b.Start(dir, env, args...)
	if err != nil {
		t.Fatalf("serve: %v", err)
	}
	t.Cleanup(p.Kill)
	return p
}

// Start starts a server on a free port and returns when it serves; the caller
// ends it. The error of one that ends before is what it said.
func (b Binary) Start(dir string, env []string, args ...string) (*Process, error) {
	p := &Process{cmd: b.Command(dir, env, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.PID = p.cmd.Process.Pid
	lines := bufio.NewReader(stderr)
	for p.Base == "" {
		line, err := lines.ReadString('\n')
		p.log.WriteString(line)
		if err != nil {
			p.cmd.Wait()
			return nil, errors.New(p.log.String())
		}
		if m := serving.FindStringSubmatch(line); m != nil {
			p.Base = "http://" + m[1]
		}
	}
	p.read.Go(func() { io.Copy(writer{p}, lines) })
	return p, nil
}

type writer struct{ p *Process }

func (w writer) Write(b []byte) (int, error) {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	return w.p.log.Write(b)
}

// Log is what the process has written on stderr.
func (p *Process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// Kill ends the process as a crash would. One that has ended stays so.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// Stop asks the process to end and returns its exit error.
func (p *Process) Stop() error { return p.end(syscall.SIGTERM) }

// Dump ends the process and returns the stacks of its goroutines.
func (p *Process) Dump() string {
	before := len(p.Log())
	p.end(syscall.SIGQUIT)
	return p.Log()[before:]
}

func (p *Process) end(by syscall.Signal) error {
	p.ending.Lock()
	defer p.ending.Unlock()
	if p.cmd.ProcessState != nil {
		return nil
	}
	p.cmd.Process.Signal(by)
	p.read.Wait()
	return p.cmd.Wait()
}

// Sockets is how many of the process's descriptors are listeners or connections.
func (p *Process) Sockets(t testing.TB) int {
	t.Helper()
	open, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.PID))
	if err != nil || len(open) == 0 {
		t.Fatalf("descriptors of %d: %v", p.PID, err)
	}
	sockets := 0
	for _, name := range open {
		// One may have been closed since it was listed.
		if to, err := os.Readlink(name); err == nil && strings.HasPrefix(to, "socket:") {
			sockets++
		}
	}
	return sockets
}

// Memory is a line of the process's status in bytes: VmRSS, what it has now;
// VmHWM, the most that it had.
func (p *Process) Memory(t testing.TB, line string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), line+":")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return kib << 10
}
