// Package pgtest runs PostgreSQL servers for tests: each in a temporary folder
// of its own, on loopback, and gone when the test is.
package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	user     = "tokenwright"
	password = "test-password"
)

// patience is how long a server may take to start or to end.
const patience = 30 * time.Second

// Server is a PostgreSQL server. Its methods are for the test's goroutine.
type Server struct {
	// URL names its database postgres as a superuser.
	URL string

	t             testing.TB
	bin, dir      string
	own, settings []string // of this one; of its standbys too
	owner         *syscall.SysProcAttr
	process       *exec.Cmd
	log           *output
}

// New starts a server with settings ("name=value") until t ends. Unless they say
// otherwise it does not wait for the disk. Without PostgreSQL the test is
// skipped, or fails if REQUIRE_ALL=1.
func New(t testing.TB, settings ...string) *Server {
	t.Helper()
	s := prepare(t, settings...)
	s.init()
	s.Start()
	return s
}

// prepare is New without a database and without a start.
func prepare(t testing.TB, settings ...string) *Server {
	t.Helper()
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(installed) == 0 {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatal("PostgreSQL is not installed: no /usr/lib/postgresql/*/bin/initdb")
		}
		t.Skip("PostgreSQL is not installed: no /usr/lib/postgresql/*/bin/initdb")
	}
	// Not t.TempDir: another user must get there, and a socket's path is short.
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &Server{t: t, bin: filepath.Dir(installed[len(installed)-1]), dir: dir, owner: &syscall.SysProcAttr{}}
	if os.Getuid() == 0 {
		s.runAsPostgres()
	}
	port := freePort(t)
	s.own = []string{"listen_addresses=127.0.0.1", "port=" + port, "unix_socket_directories=" + dir}
	s.settings = slices.Concat([]string{"fsync=off"}, settings)
	s.URL = fmt.Sprintf("postgres://%s:%s@127.0.0.1:%s/postgres?sslmode=disable", user, password, port)
	t.Cleanup(func() {
		if s.process != nil {
			s.end(syscall.SIGQUIT)
		}
	})
	return s
}

// Start is New for a test that needs no more than the URL.
func Start(t testing.TB) (url string) {
	t.Helper()
	return New(t).URL
}

// runAsPostgres is for root, which PostgreSQL refuses.
func (s *Server) runAsPostgres() {
	s.t.Helper()
	id := func(flag string) uint32 {
		out, err := exec.Command("id", flag, "postgres").Output()
		if err != nil {
			s.t.Fatalf("find the user postgres to run PostgreSQL as: %v", err)
		}
		n, err := strconv.ParseUint(strings.TrimSpace(string(out)), 10, 32)
		if err != nil {
			s.t.Fatal(err)
		}
		return uint32(n)
	}
	s.owner.Credential = &syscall.Credential{Uid: id("-u"), Gid: id("-g")}
	s.give(s.dir)
}

// give makes a file the server's own.
func (s *Server) give(file string) {
	s.t.Helper()
	if c := s.owner.Credential; c != nil {
		if err := os.Chown(file, int(c.Uid), int(c.Gid)); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, name), args...)
	c.Dir, c.SysProcAttr = s.dir, s.owner
	c.Env = []string{"LC_ALL=C", "PATH=" + s.bin}
	return c
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) init() {
	s.t.Helper()
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
	// A collation that is not that of bytes, as most servers have.
	c := s.command("initdb", "--pgdata="+s.data(), "--username="+user, "--pwfile="+secret, "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale-provider=icu", "--icu-locale=en", "--no-sync", "--no-instructions")
	if out, err := c.CombinedOutput(); err != nil {
		s.t.Fatalf("initdb: %v\n%s", err, out)
	}
}

// Start starts a server that was stopped or killed, and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	args := []string{"-D", s.data()}
	for _, setting := range slices.Concat(s.own, s.settings) {
		args = append(args, "-c", setting)
	}
	s.process, s.log = s.command("postgres", args...), &output{ready: make(chan struct{})}
	// All of its processes write there, so that Wait waits for all of them.
	s.process.Stderr = s.log
	if err := s.process.Start(); err != nil {
		s.t.Fatalf("start PostgreSQL: %v", err)
	}
	select {
	case <-s.log.ready:
	case <-time.After(patience):
		s.t.Fatalf("PostgreSQL does not start:\n%s", s.log)
	}
}

// Kill ends the server in the middle of what it is doing.
func (s *Server) Kill() {
	s.t.Helper()
	s.end(syscall.SIGKILL)
}

func (s *Server) end(signal os.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		s.t.Fatalf("end PostgreSQL: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.process.Wait() }()
	select {
	case err := <-ended:
		if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
			s.t.Fatalf("end PostgreSQL: %v", err)
		}
	case <-time.After(patience):
		s.t.Fatalf("PostgreSQL does not end:\n%s", s.log)
	}
	s.process = nil
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// output keeps what is written to it, and closes ready when the server says
// that it is.
type output struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	ready chan struct{}
	once  sync.Once
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Write(p)
	if bytes.Contains(o.buf.Bytes(), []byte("database system is ready to accept")) {
		o.once.Do(func() { close(o.ready) })
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
