// Package e2e holds what can only be seen from outside: a browser against the
// real binary.
package e2e

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/tokenwright/tokenwright/e2e/chromium"
)

func TestDocs(t *testing.T) {
	chromium.Path(t) // before a server is built
	origin := demoServer(t)

	t.Run("ACC-010 Authorize by redirect opens the admin route", func(t *testing.T) {
		byRedirect(t, origin)
	})
	for _, way := range []string{"Authorization header", "Request body"} {
		t.Run("ACC-010 Authorize with the client in the "+way+" opens the admin route, and nothing leaves the server", func(t *testing.T) {
			tab, seen := newTab(t)
			client, err := chromedp.Run(tab, authorize(origin, way))
			screenshot(t, tab, "authorize.png")
			if err != nil {
				t.Fatalf("authorize: %v", err)
			}
			if client != "swagger-ui" {
				t.Errorf("the client preset in the dialog is %q, want swagger-ui", client)
			}
			answer, err := chromedp.Run(tab, execute("/api/admin"))
			screenshot(t, tab, "execute.png")
			if err != nil {
				t.Fatalf("execute: %v", err)
			}
			if !strings.HasPrefix(answer, "200") || !strings.Contains(answer, "Admin access granted") {
				t.Errorf("GET /api/admin shows %q", answer)
			}
			seen.check(t, origin)
		})
	}

	t.Run("Redoc renders, and nothing leaves the server", func(t *testing.T) {
		tab, seen := newTab(t)
		err := chromedp.Do(tab,
			chromedp.Navigate(origin+"/redoc"),
			chromedp.WaitVisible(chromedp.CSS(`[data-section-id*="admin"]`)),
		)
		screenshot(t, tab, "redoc.png")
		if err != nil {
			t.Fatal(err)
		}
		seen.check(t, origin)
	})
}

// authorize opens Swagger UI, logs in as the demo's admin and returns the
// client id that the dialog came with.
func authorize(origin, way string) chromedp.Action[string] {
	return func(ctx context.Context, t *chromedp.Target) (string, error) {
		err := chromedp.Do(ctx,
			chromedp.Navigate(origin+"/docs"),
			chromedp.Click(chromedp.CSS(`.scheme-container .btn.authorize`), chromedp.NodeVisible),
			chromedp.WaitVisible(chromedp.CSS(`#client_id_password`)),
		)
		if err != nil {
			return "", err
		}
		client, err := chromedp.Run(ctx, chromedp.Value(chromedp.CSS(`#client_id_password`)))
		if err != nil {
			return "", err
		}
		return client, chromedp.Do(ctx,
			chromedp.SendKeys(chromedp.CSS(`#oauth_username`), "admin"),
			chromedp.SendKeys(chromedp.CSS(`#oauth_password`), "admin123"),
			chromedp.SendKeys(chromedp.CSS(`#password_type`), way),
			chromedp.Click(chromedp.CSS(`.auth-container:has(#client_id_password) .modal-btn.authorize`)),
			// The same place offers to log out once the token is there.
			chromedp.WaitVisible(chromedp.CSS(`.modal-ux .modal-btn.auth:not(.authorize)`)),
			chromedp.Click(chromedp.CSS(`.modal-ux .btn-done`)),
		)
	}
}

// execute tries out the GET operation at path and returns the status and the
// body that the page shows.
func execute(path string) chromedp.Action[string] {
	return func(ctx context.Context, t *chromedp.Target) (string, error) {
		err := chromedp.Do(ctx,
			chromedp.Click(chromedp.CSS(`.opblock-get .opblock-summary-path[data-path="`+path+`"]`), chromedp.NodeVisible),
			chromedp.Click(chromedp.CSS(`.opblock.is-open .try-out__btn`), chromedp.NodeVisible),
			chromedp.Click(chromedp.CSS(`.opblock.is-open .btn.execute`), chromedp.NodeVisible),
		)
		if err != nil {
			return "", err
		}
		return chromedp.Run(ctx, chromedp.Text(chromedp.CSS(`.opblock.is-open .live-responses-table tbody tr`), chromedp.NodeVisible))
	}
}

// traffic is what a tab asked for and complained about.
type traffic struct {
	mu         sync.Mutex
	requests   []string
	complaints []string
}

func (s *traffic) check(t *testing.T, origin string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) == 0 {
		t.Error("no request was seen")
	}
	for _, url := range s.requests {
		local := strings.HasPrefix(url, origin+"/") || strings.HasPrefix(url, "data:") || strings.HasPrefix(url, "blob:"+origin+"/")
		if !local {
			t.Errorf("the page asked for %s", url)
		}
	}
	for _, c := range s.complaints {
		t.Errorf("the console says: %s", c)
	}
}

func newTab(t *testing.T) (context.Context, *traffic) {
	t.Helper()
	ctx, cancel := chromedp.NewContext(chromium.New(t, 2*time.Minute, chromedp.WindowSize(1280, 1600),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-sync", true)))
	t.Cleanup(cancel)

	seen := &traffic{}
	err := chromedp.Listen(ctx, func(event any) {
		seen.mu.Lock()
		defer seen.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			seen.requests = append(seen.requests, e.Request.URL)
		case *cdplog.EventEntryAdded:
			if e.Entry.Level == cdplog.EntryLevelError {
				seen.complaints = append(seen.complaints, e.Entry.Text+" "+e.Entry.URL)
			}
		case *runtime.EventExceptionThrown:
			seen.complaints = append(seen.complaints, e.ExceptionDetails.Text)
		}
	})
	if err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return ctx, seen
}

// screenshot keeps what the page looked like for go test -artifacts.
func screenshot(t *testing.T, tab context.Context, name string) {
	t.Helper()
	png, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	if err != nil {
		t.Logf("no screenshot: %v", err)
		return
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name), png, 0o600); err != nil {
		t.Error(err)
	}
}

var listening = regexp.MustCompile(`http://localhost:[1-9][0-9]*`)

// demoServer builds the binary, starts it as the README does, on a port of its
// own choice in a folder of its own, and returns its origin. Of env the last counts.
func demoServer(t *testing.T, env ...string) string {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "tokenwright")
	build := exec.Command("go", "build", "-tags", "nomsgpack", "-o", binary, "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	serve := exec.Command(binary, "serve", "--demo")
	serve.Dir = dir
	serve.Env = append([]string{"LISTEN=127.0.0.1:0", "PATH=" + os.Getenv("PATH")}, env...)
	var log strings.Builder
	serve.Stderr = &log
	stdout, err := serve.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := serve.Process.Signal(os.Interrupt); err != nil {
			t.Errorf("stop: %v", err)
		}
		if err := serve.Wait(); err != nil {
			t.Errorf("serve ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", log.String())
		}
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if origin := listening.FindString(lines.Text()); origin != "" {
			go func() { // a full pipe would stop the server
				for lines.Scan() {
				}
			}()
			return origin
		}
	}
	t.Fatalf("the server printed no address:\n%s", log.String())
	return ""
}
