package resource_test

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/resource/resourcetest"
)

// An API of somebody else, in a module of its own.
func TestThirdPartyAPI(t *testing.T) {
	if testing.Short() {
		t.Skip("builds another program")
	}
	program := filepath.Join(t.TempDir(), "orders")
	tool := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = "testdata/thirdparty"
		cmd.Env = append(os.Environ(), "GOPROXY=off", "GOWORK=off") // what this module needs is enough
		output, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, output)
		}
		return string(output)
	}
	tool("build", "-o", program, ".")
	for path := range strings.FieldsSeq(tool("list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".")) {
		switch path {
		case "example.test/orders", "github.com/tokenwright/tokenwright/resource", "github.com/golang-jwt/jwt/v5":
		default:
			t.Errorf("resource brings %s along", path)
		}
	}

	s := resourcetest.NewServer(t)
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), "LISTEN=127.0.0.1:0",
		"ISSUER="+s.URL, "AUDIENCE="+s.Audience, "CLIENT_ID="+s.ClientID, "CLIENT_SECRET="+s.ClientSecret)
	cmd.Stderr = t.Output()
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	address, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address = strings.TrimSpace(address)

	call := func(method, path, token string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	if got := call(http.MethodGet, "/ready", ""); got != http.StatusOK {
		t.Fatalf("RSV-042 ready: %d", got)
	}
	c := s.User("alice", "user")
	c.Scope = "read write"
	alice := s.Mint(c)
	c = s.User("max", "moderator")
	c.Scope = "read write"
	moderator := s.Mint(c)
	for _, tc := range []struct {
		name, method, token string
		want                int
	}{
		{"RSV-001 nobody reads", http.MethodGet, "", 401},
		{"a user reads", http.MethodGet, alice, 200},
		{"RSV-007 a user without the scope does not", http.MethodGet, s.Mint(s.User("bob", "user")), 403},
		{"RSV-030 a user does not remove", http.MethodDelete, alice, 403},
		{"RSV-030 a moderator does", http.MethodDelete, moderator, 204},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := call(tc.method, "/orders", tc.token); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
	s.Revoke(session("alice"))
	start := time.Now()
	for call(http.MethodGet, "/orders", alice) != http.StatusUnauthorized {
		if time.Since(start) > time.Second {
			t.Fatal("RSV-035 not refused within a second")
		}
	}
}
