package e2e

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/tokenwright/tokenwright/e2e/chromium"
)

func TestDocsStrict(t *testing.T) {
	chromium.Path(t) // before a server is built
	origin := demoServer(t, "PROFILE=strict")
	t.Run("ACC-010 with PROFILE=strict Authorize goes by redirect alone", func(t *testing.T) {
		tab := byRedirect(t, origin)
		if err := chromedp.Do(tab, chromedp.Click(chromedp.CSS(`.scheme-container .btn.authorize`))); err != nil {
			t.Fatal(err)
		}
		wait(t, tab, ".modal-ux .auth-container")
		if n := evaluate(t, tab, `String(document.querySelectorAll(".modal-ux .auth-container").length)`); n != "1" {
			t.Errorf("the dialog has %s ways to authorize", n)
		}
	})
}

func TestDocsByAddress(t *testing.T) {
	origin := demoServer(t)
	t.Run("ACC-010 Authorize by redirect works where the pages are opened by address", func(t *testing.T) {
		byRedirect(t, strings.Replace(origin, "localhost", "127.0.0.1", 1))
	})
}

// byRedirect authorizes in Swagger UI below base, the demo's admin logging in on
// the server's page, and holds that the admin route then answers.
func byRedirect(t *testing.T, base string) context.Context {
	t.Helper()
	tab, seen := newTab(t)
	if err := chromedp.Do(tab,
		chromedp.Navigate(base+"/docs"),
		chromedp.Click(chromedp.CSS(`.scheme-container .btn.authorize`), chromedp.NodeVisible),
		chromedp.WaitVisible(chromedp.CSS(`#client_id_authorizationCode`)),
	); err != nil {
		t.Fatalf("open the dialog: %v", err)
	}
	screenshot(t, tab, "dialog.png")
	if client := evaluate(t, tab, `document.querySelector("#client_id_authorizationCode").value`); client != "swagger-ui" {
		t.Errorf("the client preset in the dialog is %q, want swagger-ui", client)
	}
	if scopes := evaluate(t, tab, `document.querySelector(".auth-container:has(#client_id_authorizationCode) .scopes").innerText`); !strings.Contains(scopes, "Read your data") {
		t.Errorf("the dialog shows the scopes %q", scopes)
	}
	opened := chromedp.WaitNewTarget(tab, func(info *target.Info) bool { return info.URL != "" })
	if err := chromedp.Do(tab, chromedp.Click(chromedp.CSS(`.auth-container:has(#client_id_authorizationCode) .modal-btn.authorize`))); err != nil {
		t.Fatalf("authorize: %v", err)
	}
	popup, cancel := chromedp.NewContext(tab, chromedp.WithTargetID(<-opened))
	defer cancel()
	wait(t, popup, "#username")
	at, err := url.Parse(evaluate(t, popup, `location.href`))
	if err != nil || at.Query().Get("code_challenge_method") != "S256" || at.Query().Get("redirect_uri") != base+"/docs/oauth2-redirect.html" {
		t.Errorf("the request is %s (%v)", at, err)
	}
	logIn(t, popup, "admin", "admin123")
	if err := chromedp.Do(tab,
		// The same place offers to log out once the token is there.
		chromedp.WaitVisible(chromedp.CSS(`.modal-ux .modal-btn.auth:not(.authorize)`)),
		chromedp.Click(chromedp.CSS(`.modal-ux .btn-done`)),
	); err != nil {
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
	seen.check(t, base)
	return tab
}
