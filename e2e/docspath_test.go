package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tokenwright/tokenwright/e2e/chromium"
)

func TestDocsBelowAPath(t *testing.T) {
	chromium.Path(t) // before a server is built
	origin := demoServerBelow(t, "/auth")

	t.Run("AUT-034 Authorize opens the admin route of an issuer with a path", func(t *testing.T) {
		tab, seen := newTab(t)
		if _, err := chromedp.Run(tab, authorize(origin+"/auth", "Request body")); err != nil {
			screenshot(t, tab, "authorize.png")
			t.Fatalf("authorize: %v", err)
		}
		answer, err := chromedp.Run(tab, execute("/api/admin"))
		screenshot(t, tab, "execute.png")
		if err != nil {
			t.Fatalf("execute: %v", err)
		}
		if !strings.HasPrefix(answer, "200") || !strings.Contains(answer, "Admin access granted") {
			t.Errorf("GET /api/admin shows %q", answer)
		}
		seen.check(t, origin+"/auth")
	})
	t.Run("AUT-034 Authorize by redirect opens the admin route of an issuer with a path", func(t *testing.T) {
		byRedirect(t, origin+"/auth")
	})
	t.Run("AUT-034 Redoc renders below a path", func(t *testing.T) {
		tab, seen := newTab(t)
		if err := chromedp.Do(tab, chromedp.Navigate(origin+"/auth/redoc"), chromedp.WaitVisible(chromedp.CSS(`[data-section-id*="admin"]`))); err != nil {
			t.Fatal(err)
		}
		if seen.check(t, origin); len(seen.requests) < 3 {
			t.Errorf("the page loaded %v", seen.requests)
		}
	})
}

// demoServerBelow is demoServer for an issuer with a path.
func demoServerBelow(t *testing.T, path string) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0") // the issuer has to be known before
	if err != nil {
		t.Fatal(err)
	}
	at := free.Addr().(*net.TCPAddr).Port
	free.Close()
	return demoServer(t, fmt.Sprintf("LISTEN=127.0.0.1:%d", at), fmt.Sprintf("ISSUER=http://localhost:%d%s", at, path))
}
