// Package redistest starts private Redis servers for tests.
package redistest

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Server is a redis-server of a test's own on a free loopback port. It keeps
// nothing on disk and ends with the test.
type Server struct {
	// URL is what REDIS_URL is to be.
	URL string

	t    testing.TB
	args []string
	cmd  *exec.Cmd
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
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatalf("redis-server is needed: %v", err)
		}
		t.Skipf("skipped for want of redis-server: %v", err)
	}
	port := freePort(t)
	s := &Server{t: t, URL: "redis://127.0.0.1:" + port}
	s.args = []string{"--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "no"}
	if password != "" {
		s.URL = "redis://:" + password + "@127.0.0.1:" + port
		s.args = append(s.args, "--requirepass", password)
	}
	t.Cleanup(s.Stop)
	s.Start()
	return s
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
		if strings.Contains(lines.Text(), "Ready to accept connections") {
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

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
