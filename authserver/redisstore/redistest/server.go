// Package redistest starts private Redis servers for tests: one, a primary and
// a replica with Sentinels, or a cluster, on free loopback ports.
package redistest

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tokenwright/tokenwright/authserver/certtest"
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

// password is what servers and Sentinels with one want of everybody.
const password = "p4ss-w0rd"

// guard is what stands before a server: a password, TLS, both or nothing.
type guard struct {
	password string
	// user, beside the default one, has the same password and these rights at
	// servers; URLs name it unless it is empty.
	user   string
	rights []string
	// dir has ca.crt, server.crt and server.key; it is empty without TLS.
	dir string
}

// file is name's in dir.
func (g guard) file(name string) string { return filepath.Join(g.dir, name) }

// args make a server or a Sentinel that is guarded.
func (g guard) args(port string) []string {
	args := []string{"--port", port}
	if g.dir != "" {
		args = []string{"--port", "0", "--tls-port", port, "--tls-replication", "yes", "--tls-auth-clients", "no",
			"--tls-cert-file", g.file(certtest.Cert), "--tls-key-file", g.file(certtest.Key), "--tls-ca-cert-file", g.file(certtest.CA)}
	}
	if g.password != "" {
		args = append(args, "--requirepass", g.password, "--masterauth", g.password)
	}
	return args
}

// url is that of servers at addrs.
func (g guard) url(scheme, addrs, path string) string {
	if g.password != "" {
		addrs = g.user + ":" + g.password + "@" + addrs
	}
	if g.dir != "" {
		path += "?tls=true&ca=" + g.file(certtest.CA)
	}
	return scheme + "://" + addrs + path
}

// connect is for asking one server or one Sentinel.
func (g guard) connect(t testing.TB, addr string) *redis.Client {
	t.Helper()
	opts := &redis.Options{Addr: addr, Password: g.password}
	if g.dir != "" {
		ca, err := os.ReadFile(g.file(certtest.CA))
		must(t, err)
		opts.TLSConfig = &tls.Config{RootCAs: x509.NewCertPool()}
		opts.TLSConfig.RootCAs.AppendCertsFromPEM(ca)
	}
	c := redis.NewClient(opts)
	t.Cleanup(func() { c.Close() })
	return c
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
	return launch(t, guard{password: password})
}

// launch starts a server with more arguments.
func launch(t testing.TB, g guard, args ...string) *Server {
	t.Helper()
	need(t)
	port := freePort(t)
	s := &Server{t: t, Addr: "127.0.0.1:" + port, ready: "Ready to accept connections"}
	s.args = slices.Concat(g.args(port), []string{"--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "no",
		"--repl-diskless-sync-delay", "0"}, args)
	if g.user != "" {
		s.args = slices.Concat(s.args, []string{"--user", g.user, "on", ">" + g.password}, g.rights)
	}
	s.URL = g.url("redis", s.Addr, "")
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
