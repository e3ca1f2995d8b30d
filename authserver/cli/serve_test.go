package cli

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
)

const testSecret = "SECRET_KEY=one-secret-of-many-letters-0123456789"

// refused wants serve to end with exit code 1 and one sentence that has words.
func refused(t *testing.T, env []string, words ...string) {
	t.Helper()
	cmd, err := command(t.TempDir(), env, "serve", "--listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	err = cmd.Run()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
		t.Errorf("got %v, want exit code 1", err)
	}
	said := stderr.String()
	if strings.Count(said, "\n") != 1 {
		t.Errorf("got %q, want one sentence", said)
	}
	for _, word := range words {
		if !strings.Contains(said, word) {
			t.Errorf("got %q, want %q in it", said, word)
		}
	}
	if left, _ := os.ReadDir(cmd.Dir); len(left) > 0 {
		t.Errorf("%s was left behind", left[0].Name())
	}
	if strings.Contains(said, "opensesame") {
		t.Errorf("the password is in %q", said)
	}
}

func TestServeRefusesRedis(t *testing.T) {
	t.Run("that wants a password", func(t *testing.T) {
		server := redistest.New(t, "opensesame")
		refused(t, []string{testSecret, "REDIS_URL=" + strings.Replace(server.URL, ":opensesame@", "", 1)}, "REDIS_URL")
	})
	t.Run("that wants another password", func(t *testing.T) {
		server := redistest.New(t, "another")
		refused(t, []string{testSecret, "REDIS_URL=" + strings.Replace(server.URL, "another", "opensesame", 1)}, "REDIS_URL")
	})
	t.Run("that is away", func(t *testing.T) {
		refused(t, []string{testSecret, "REDIS_URL=redis://:opensesame@127.0.0.1:1"}, "REDIS_URL", "127.0.0.1:1")
	})
}

// ACC-016 a server whose sessions are away lives, is not ready, and says which
// part is missing.
func TestReadyNamesWhatIsAway(t *testing.T) {
	redis := redistest.New(t, "opensesame")
	p := start(t, t.TempDir(), []string{testSecret, "REDIS_URL=" + redis.URL})
	wantAnswer(t, p, "/readyz", 200, "ready")
	redis.Stop()
	wantAnswer(t, p, "/livez", 200, "alive")
	answer := wantAnswer(t, p, "/readyz", 503, "redis is away")
	for _, word := range []string{"opensesame", "redis:", "127.0.0.1", "go1."} {
		if strings.Contains(strings.ToLower(answer), word) {
			t.Errorf("%q is in %s", word, answer)
		}
	}
	redis.Start()
	wantAnswer(t, p, "/readyz", 200, "ready")
}

func wantAnswer(t *testing.T, p *program, path string, status int, words string) string {
	t.Helper()
	got, answer, err := ask("GET", p.base+path, http.Header{}, "")
	if err != nil {
		t.Fatal(err)
	}
	if got != status || !strings.Contains(answer, words) {
		t.Errorf("%s: got %d %s, want %d and %q", path, got, answer, status, words)
	}
	return answer
}

// openRequest sends the head of a login and waits until it is being answered
// to: from then on it is in flight. The returned function sends the rest and
// returns what comes back.
func openRequest(t *testing.T, p *program) (finish func() string) {
	t.Helper()
	host := strings.TrimPrefix(p.base, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	body := "username=admin&password=admin123"
	_, err = conn.Write([]byte("POST /auth/login HTTP/1.1\r\nHost: " + host + "\r\nExpect: 100-continue\r\n" +
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 32\r\nConnection: close\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	n, err := conn.Read(answer) // 100 Continue: the handler reads the body
	if err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 100") {
		t.Fatalf("got %q, %v; want 100", answer[:n], err)
	}
	return func() string {
		conn.Write([]byte(body))
		n, _ := conn.Read(answer)
		return string(answer[:n])
	}
}

func TestShutdown(t *testing.T) {
	t.Run("requests in flight finish", func(t *testing.T) {
		p := start(t, t.TempDir(), nil, "--demo")
		finish := openRequest(t, p)
		p.cmd.Process.Signal(syscall.SIGTERM)
		p.log.wait("msg=stopping")
		if answer := finish(); !strings.HasPrefix(answer, "HTTP/1.1 200") {
			t.Errorf("got %q, want 200", answer)
		}
		p.read.Wait()
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Run("a second signal ends at once", func(t *testing.T) {
		p := start(t, t.TempDir(), nil, "--demo")
		openRequest(t, p)
		p.cmd.Process.Signal(syscall.SIGTERM)
		p.log.wait("msg=stopping")
		p.cmd.Process.Signal(syscall.SIGTERM)
		p.read.Wait()
		if err := p.cmd.Wait(); err == nil {
			t.Error("serve ended as if nothing had been cut off")
		}
	})
}
