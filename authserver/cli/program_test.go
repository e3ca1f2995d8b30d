package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// program is a tokenwright serve of its own process.
type program struct {
	// base is the address that it serves, issuer who it says it is.
	base, issuer string

	cmd  *exec.Cmd
	read sync.WaitGroup
	out  safeBuffer
	log  safeBuffer
}

// safeBuffer can be written by a process while a test reads it.
type safeBuffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	written sync.Cond
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.written.Broadcast()
	return s.b.Write(p)
}

// wait returns when text has been written.
func (s *safeBuffer) wait(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !strings.Contains(s.b.String(), text) {
		s.written.Wait()
	}
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// serving is the log line that says where the program listens, and as whom.
var serving = regexp.MustCompile(`msg=serving listen=(\S+) issuer=(\S+)`)

// command is tokenwright in dir with nothing of this process's settings.
func command(dir string, env []string, args ...string) (*exec.Cmd, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe)
	cmd.Args = append([]string{"tokenwright"}, args...)
	cmd.Dir = dir
	cmd.Env = slices.Concat([]string{"PATH=" + os.Getenv("PATH"), "LOG_FORMAT=text"}, env)
	return cmd, nil
}

// startProgram runs tokenwright serve on a free port and returns when it serves.
func startProgram(dir string, env []string, args ...string) (*program, error) {
	cmd, err := command(dir, env, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	if err != nil {
		return nil, err
	}
	p := &program{cmd: cmd}
	p.out.written.L, p.log.written.L = &p.out.mu, &p.log.mu
	cmd.Stdout = &p.out
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(stderr)
	for p.base == "" {
		line, err := lines.ReadString('\n')
		io.WriteString(&p.log, line)
		if err != nil {
			cmd.Wait()
			return nil, fmt.Errorf("serve ended: %s", p.log.String())
		}
		if m := serving.FindStringSubmatch(line); m != nil {
			p.base, p.issuer = "http://"+m[1], m[2]
		}
	}
	p.read.Go(func() { io.Copy(&p.log, lines) })
	return p, nil
}

// start is startProgram for a test, which ends it.
func start(t testing.TB, dir string, env []string, args ...string) *program {
	t.Helper()
	p, err := startProgram(dir, env, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.kill()
		}
	})
	return p
}

// stop asks the program to end and returns its exit error.
func (p *program) stop() error {
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.read.Wait()
	return p.cmd.Wait()
}

// kill ends the program as a crash would.
func (p *program) kill() {
	p.cmd.Process.Kill()
	p.read.Wait()
	p.cmd.Wait()
}
