package basepath

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// nginx starts the proxy of deploy/nginx-path.conf at a port, in front of the
// server at base, and ends it with the test.
func nginx(t *testing.T, at int, base string, root bool) {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		program.Missing(t, "no nginx in PATH")
	}
	text, err := os.ReadFile("../../deploy/nginx-path.conf")
	if err != nil {
		t.Fatal(err)
	}
	edits := []string{
		"listen 8080;", fmt.Sprintf("listen 127.0.0.1:%d; location / { return 200 'another program'; }", at),
		"http://127.0.0.1:8000", base,
		"http {", "http { client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;",
	}
	if !root {
		edits = append(edits, `location ~ ^/\.well-known`, `location ~ ^/none`)
	}
	dir := t.TempDir()
	config := "daemon off; master_process off; pid pid; error_log stderr;\n" + string(text)
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(config, edits[i]) {
			t.Fatalf("deploy/nginx-path.conf has no %q", edits[i])
		}
		config = strings.ReplaceAll(config, edits[i], edits[i+1])
	}
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-p", dir, "-c", "nginx.conf", "-e", "stderr")
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", at))
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nginx does not listen")
		}
	}
}

// freePort is one that nobody listened on a moment ago: nginx cannot be handed a
// listener, and the issuer has to be known before the server starts.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
