// Package examples runs the examples of docs/login.md against the program, with the
// apply file that stands there.
package examples

import (
	"bufio"
	"html"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	// What the binary is made of: a result is taken from the cache only while
	// that is the same.
	_ "github.com/tokenwright/tokenwright/authserver/cli"
	"github.com/tokenwright/tokenwright/e2e/program"
)

var binary program.Binary

func TestMain(m *testing.M) { os.Exit(program.Main(m, &binary)) }

const alice = `
users: [{username: alice, email: alice@example.test, full_name: Alice Example, password: correct horse battery, roles: [user]}]
`

// served is a server with the clients of docs/login.md, the web application's
// being at url.
func served(t *testing.T, url string) (dir, issuer string, env []string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/login.md")
	if err != nil {
		t.Fatal(err)
	}
	file := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	if file == nil {
		t.Fatal("docs/login.md has no apply file")
	}
	dir, env = t.TempDir(), []string{"PROFILE=strict"}
	text := string(file[1])
	for _, name := range []string{"https://shop.example.com", "one-secret-of-the-shop-0123456789"} {
		if !strings.Contains(text, name) {
			t.Fatalf("the apply file has no %s", name)
		}
	}
	binary.Apply(t, dir, env, strings.ReplaceAll(text, "https://shop.example.com", url)+alice)
	return dir, binary.Serve(t, dir, env).Base, env
}

// example builds one of the examples.
func example(t *testing.T, name string) string {
	t.Helper()
	built := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", built, "../../docs/login/"+name).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return built
}

func TestWebApplication(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0") // the redirect URI has to be known before
	if err != nil {
		t.Fatal(err)
	}
	at := free.Addr().String()
	free.Close()
	app := "http://" + at
	dir, issuer, env := served(t, app)
	cmd := exec.Command(example(t, "web"))
	cmd.Env = []string{"ISSUER=" + issuer, "CLIENT_ID=shop", "CLIENT_SECRET=one-secret-of-the-shop-0123456789", "LISTEN=" + at}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	up(t, at)

	b := newBrowser(t)
	if page := b.get(app + "/"); !strings.Contains(page, "not logged in") {
		t.Fatalf("the application says %s", page)
	}
	page := b.get(app + "/login")
	page = b.submit(page, "login", "username", "alice", "password", "correct horse battery")
	t.Run("consent shows what the scopes are described as", func(t *testing.T) {
		for _, want := range []string{"Example Shop", "See your orders"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
	})
	page = b.submit(page, "allow")
	if b.at != app+"/" || !strings.Contains(html.UnescapeString(page), `"name":"Alice Example"`) {
		t.Fatalf("at %s: %s", b.at, page)
	}
	t.Run("the next login asks for nothing", func(t *testing.T) {
		if page := b.get(app + "/login"); b.at != app+"/" || !strings.Contains(page, "Alice Example") {
			t.Errorf("at %s: %s", b.at, page)
		}
	})
	t.Run("an answer that this browser has not asked for is refused", func(t *testing.T) {
		for _, query := range []string{"code=twc_x&state=x&iss=" + issuer, "code=twc_x"} {
			if page := newBrowser(t).get(app + "/callback?" + query); !strings.Contains(page, "no login") {
				t.Errorf("%s: %s", query, page)
			}
		}
	})
	t.Run("logging out ends the browser's session and all that it opened", func(t *testing.T) {
		page := b.post(app+"/logout", nil)
		if b.at != app+"/" || !strings.Contains(page, "not logged in") {
			t.Errorf("at %s: %s", b.at, page)
		}
		if out := binary.Run(t, dir, env, "session", "list", "--user", "alice"); strings.Contains(out, "shop") || strings.Contains(out, "browser") {
			t.Errorf("alice is still logged in:\n%s", out)
		}
		if page := b.get(app + "/login"); !strings.Contains(page, `id="username"`) {
			t.Errorf("the next login asks for no password, at %s", b.at)
		}
	})
}

func TestCommandLine(t *testing.T) {
	dir, issuer, env := served(t, "https://shop.example.com")
	cmd := exec.Command(example(t, "cli"))
	cmd.Env = []string{"ISSUER=" + issuer, "CLIENT_ID=shop-cli"}
	cmd.Stderr = t.Output()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	lines := bufio.NewScanner(stdout)
	var address string
	for address == "" && lines.Scan() {
		if strings.HasPrefix(lines.Text(), "http") {
			address = lines.Text()
		}
	}
	b := newBrowser(t)
	page := b.submit(b.get(address), "login", "username", "alice", "password", "correct horse battery")
	if page = b.submit(page, "allow"); !strings.Contains(page, "Done") {
		t.Fatalf("at %s: %s", b.at, page)
	}
	if !lines.Scan() || !strings.Contains(lines.Text(), "Hello Alice Example!") {
		t.Errorf("the program says %q", lines.Text())
	}
	for lines.Scan() {
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
	if out := binary.Run(t, dir, env, "session", "list", "--user", "alice"); strings.Contains(out, "shop-cli") {
		t.Errorf("its session lives:\n%s", out)
	}
}

// up waits until something listens.
func up(t *testing.T, at string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", at)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing listens at %s", at)
		}
	}
}

func TestReadmeApplies(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	files := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1)
	if len(files) == 0 {
		t.Fatal("README.md has no apply file")
	}
	for _, file := range files {
		binary.Apply(t, t.TempDir(), nil, string(file[1]))
	}
}
