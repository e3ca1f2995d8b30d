// Package redistest starts private Redis servers for tests: one, a primary and
// a replica with Sentinels, or a cluster, on free loopback ports.
package redistest

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Server is a redis-server of a test's own on a free loopback port. It keeps
// nothing on disk and ends with the test.
type Server struct {
	// URL is what REDIS_URL is to be.
	URL string
	// Addr is host and port.
	Addr string

	t     testing.TB
	ready string // is in the line that says that it has started
	args  []string
	cmd   *exec.Cmd
}

// Start starts a server and returns its URL.
func Start(t testing.TB) string {
	t.Helper()
	return New(t, "").URL
}

// New starts a server, which wants the password unless that is empty. Without
// redis-server in PATH the test is skipped; with REQUIRE_ALL=1 it fails.
func New(t testing.TB, password string) *Server {
	t.Helper()
	return launch(t, password)
}

// launch starts a server with more arguments.
func launch(t testing.TB, password string, args ...string) *Server {
	t.Helper()
	need(t)
	port := freePort(t)
	s := &Server{t: t, Addr: "127.0.0.1:" + port, ready: "Ready to accept connections"}
	s.args = append([]string{"--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "no",
		"--repl-diskless-sync-delay", "0"}, args...)
	s.URL = "redis://" + s.Addr
	if password != "" {
		s.URL = "redis://:" + password + "@" + s.Addr
		s.args = append(s.args, "--requirepass", password, "--masterauth", password)
	}
	t.Cleanup(s.Stop)
	s.Start()
	return s
}

func need(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatalf("redis-server is needed: %v", err)
		}
		t.Skipf("skipped for want of redis-server: %v", err)
	}
}

// Start starts the server again after Stop, on the same port and empty.
func (s *Server) Start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", s.args...)
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), s.ready) {
			go io.Copy(io.Discard, out)
			return
		}
	}
	s.t.Fatalf("redis-server did not start:\n%s", said.String())
}

// Stop kills the server, as a crash would. A stopped one stays stopped.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Kill()
	s.cmd.Wait()
	s.cmd = nil
}

// Hang keeps the server from doing anything until Resume; connections to it
// still open.
func (s *Server) Hang() { s.signal(syscall.SIGSTOP) }

// Resume ends Hang.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// settle asks until servers that have to find one another say that they have.
func settle(t testing.TB, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(15 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 15 s", what)
		}
	}
}
