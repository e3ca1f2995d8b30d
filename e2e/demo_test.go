package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/tokenwright/tokenwright/e2e/chromium"
)

// TestDemo logs in by redirect with the application that comes with the demo.
func TestDemo(t *testing.T) {
	chromium.Path(t) // before a server is built
	for _, tc := range []struct {
		name string
		path string // of the issuer
		env  []string
	}{
		{"compat", "", nil},
		{"strict", "", []string{"PROFILE=strict"}},
		{"AUT-034 below a path", "/auth", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var origin string
			if tc.path == "" {
				origin = demoServer(t, tc.env...)
			} else {
				origin = demoServerBelow(t, tc.path)
			}
			tab, seen := newTab(t)
			page := origin + tc.path + "/demo/"
			opened(t, tab, page)
			look(t, tab, "outside")

			press(t, tab, "login", "#username")
			logIn(t, tab, "admin", "admin123")
			t.Run("AUT-024 it lands back with the claims, and nothing of the answer in the address", func(t *testing.T) {
				wait(t, tab, "#inside #claims dd")
				if at := evaluate(t, tab, `location.href`); at != page {
					t.Errorf("the page is at %s, want %s", at, page)
				}
				if kept := evaluate(t, tab, `JSON.stringify([{...sessionStorage}, {...localStorage}])`); kept != "[{},{}]" {
					t.Errorf("it keeps %s", kept)
				}
				claims := evaluate(t, tab, `document.getElementById("claims").innerText.replaceAll("\n", " ")`)
				for _, want := range []string{"iss " + origin + tc.path + " ", "client_id demo-app ", "scope read write admin profile", "roles admin ", "name Admin User"} {
					if !strings.Contains(claims+" ", want) {
						t.Errorf("claims %s lack %q", claims, want)
					}
				}
				look(t, tab, "inside")
			})
			t.Run("the admin route, a refresh, and the admin route again", func(t *testing.T) {
				pressAndSee(t, tab, "admin", "GET /api/admin 200")
				pressAndSee(t, tab, "refresh", "POST /oauth/token 200")
				pressAndSee(t, tab, "admin", "GET /api/admin 200")
			})
			t.Run("a reload forgets the tokens, and the next login asks for no password", func(t *testing.T) {
				opened(t, tab, page)
				press(t, tab, "login", "#inside #claims dd")
				pressAndSee(t, tab, "private", "GET /api/private 200")
			})
			t.Run("logging out ends the tokens", func(t *testing.T) {
				press(t, tab, "logout", "#requests li:nth-child(5)") // three, after the login and the call
				for i, want := range []string{"POST /oauth/token 400", "GET /api/private 401", "POST /auth/logout 204"} {
					if got := line(t, tab, i+1); got != want {
						t.Errorf("the page says %q, want %q", got, want)
					}
				}
				look(t, tab, "ended")
			})
			seen.mu.Lock()
			seen.complaints = slices.DeleteFunc(seen.complaints, func(c string) bool { // of what the tokens got after they had ended
				return strings.Contains(c, "status of 401") || strings.Contains(c, "status of 400")
			})
			seen.mu.Unlock()
			seen.check(t, origin)
		})
	}
}

func TestDemoElsewhere(t *testing.T) {
	origin := demoServer(t)
	page := origin + "/demo/"

	t.Run("opened by address it goes to the name that the issuer has", func(t *testing.T) {
		tab, _ := newTab(t)
		opened(t, tab, strings.Replace(page, "localhost", "127.0.0.1", 1))
		wait(t, tab, "body[data-ready] #login")
		if at := evaluate(t, tab, `location.href`); at != page {
			t.Errorf("the page is at %s, want %s", at, page)
		}
	})
	for _, tc := range []struct{ name, query, stored, want string }{
		{"an answer that nobody asked for", "?code=twc_x&state=theirs&iss=" + origin, "", "belongs to no login"},
		{"AUT-014 another state", "?code=twc_x&state=theirs&iss=" + origin, `{"state":"mine","verifier":"v"}`, "belongs to no login"},
		{"AUT-014 another issuer", "?code=twc_x&state=mine&iss=https://evil.test", `{"state":"mine","verifier":"v"}`, "another server"},
		{"AUT-014 no issuer", "?code=twc_x&state=mine", `{"state":"mine","verifier":"v"}`, "another server"},
		{"a code that is none", "?code=twc_x&state=mine&iss=" + origin, `{"state":"mine","verifier":"v"}`, "invalid_grant"},
	} {
		t.Run(tc.name+" is refused", func(t *testing.T) {
			tab, _ := newTab(t)
			opened(t, tab, page)
			evaluate(t, tab, fmt.Sprintf(`(sessionStorage.setItem("oauth", %q), "")`, orNull(tc.stored)))
			opened(t, tab, page+tc.query)
			if says := evaluate(t, tab, `document.getElementById("fault").innerText`); !strings.Contains(says, tc.want) {
				t.Errorf("the page says %q, want %q", says, tc.want)
			}
			if at := evaluate(t, tab, `location.href + (sessionStorage.getItem("oauth") ?? "")`); at != page {
				t.Errorf("what is left is %s", at)
			}
			if tc.stored == "" {
				look(t, tab, "fault")
			}
		})
	}
	t.Run("AUT-036 a login that was cancelled is said to be", func(t *testing.T) {
		tab, _ := newTab(t)
		opened(t, tab, page)
		press(t, tab, "login", "#cancel")
		press(t, tab, "cancel", "body[data-ready] #fault")
		if says := evaluate(t, tab, `document.getElementById("fault").innerText`); says != "You cancelled the login." {
			t.Errorf("the page says %q", says)
		}
	})
}

func orNull(text string) string {
	if text == "" {
		return "null"
	}
	return text
}

// opened goes to a page of the demo's and waits until its script has run.
func opened(t *testing.T, tab context.Context, address string) {
	t.Helper()
	if err := chromedp.Do(tab, chromedp.Navigate(address)); err != nil {
		t.Fatalf("open %s: %v", address, err)
	}
	wait(t, tab, "body[data-ready]")
}

// press clicks on what has an id and waits for what follows.
func press(t *testing.T, tab context.Context, id, next string) {
	t.Helper()
	if err := chromedp.Do(tab, chromedp.Click(chromedp.CSS("#"+id), chromedp.NodeVisible, chromedp.NodeEnabled)); err != nil {
		t.Fatalf("press %s: %v", id, err)
	}
	wait(t, tab, next)
}

func wait(t *testing.T, tab context.Context, selector string) {
	t.Helper()
	if err := chromedp.Do(tab, chromedp.WaitVisible(chromedp.CSS(selector))); err != nil {
		t.Fatalf("wait for %s: %v\nat %s", selector, err, evaluate(t, tab, `location.href + "\n" + document.body.innerText`))
	}
}

// logIn fills in the server's page.
func logIn(t *testing.T, tab context.Context, username, password string) {
	t.Helper()
	if err := chromedp.Do(tab,
		chromedp.SendKeys(chromedp.CSS("#username"), username),
		chromedp.SendKeys(chromedp.CSS("#password"), password),
		chromedp.Click(chromedp.CSS("#login")),
	); err != nil {
		t.Fatalf("log in: %v", err)
	}
}

// pressAndSee presses a button of the demo's and holds what its list then says.
func pressAndSee(t *testing.T, tab context.Context, id, want string) {
	t.Helper()
	before := evaluate(t, tab, `String(document.querySelectorAll("#requests li").length)`)
	press(t, tab, id, "#requests li:nth-last-child(n+"+before+"):first-child:not(:nth-last-child("+before+"))")
	if got := line(t, tab, 1); got != want {
		t.Errorf("the page says %q, want %q", got, want)
	}
	wait(t, tab, "#"+id+":enabled")
}

// line is the nth request that the demo shows, the newest first.
func line(t *testing.T, tab context.Context, n int) string {
	t.Helper()
	return evaluate(t, tab, fmt.Sprintf(`[...document.querySelectorAll("#requests li:nth-child(%d) .line > *")].map(e => e.textContent).join(" ")`, n))
}

func evaluate(t *testing.T, tab context.Context, script string) string {
	t.Helper()
	text, err := chromedp.Run(tab, chromedp.Evaluate[string](script))
	if err != nil {
		t.Fatalf("evaluate %s: %v", script, err)
	}
	return text
}

// look sees the page small and large, light and dark, with the accessibility
// check, and keeps what it looks like.
func look(t *testing.T, tab context.Context, name string) {
	t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{320, 1280} {
			_, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			if err == nil {
				err = chromedp.Do(tab, chromedp.EmulateViewport(width, 900))
			}
			if err != nil {
				t.Fatalf("set looks: %v", err)
			}
			screenshot(t, tab, fmt.Sprintf("%s-%d-%s.png", name, width, scheme))
			if wide := evaluate(t, tab, `String(document.documentElement.scrollWidth)`); wide != fmt.Sprint(width) {
				t.Errorf("%s: the page is %s px wide, the window %d", name, wide, width)
			}
			chromium.Axe(t, tab, fmt.Sprintf("%s, %d px, %s", name, width, scheme))
		}
	}
}
