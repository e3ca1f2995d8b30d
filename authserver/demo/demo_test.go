package demo_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver/demo"
	"github.com/tokenwright/tokenwright/authserver/web"
)

const issuer = "http://localhost:8000/auth"

func TestMount(t *testing.T) {
	site, err := web.New(web.Settings{
		BasePath: "/auth", AllowedHosts: []string{"localhost"}, MaxBody: 1 << 10, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Mount(site, issuer); err != nil {
		t.Fatal(err)
	}
	get := func(address string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		site.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
		return w
	}

	page := get(issuer + demo.Path)
	t.Run("PAG-003 page and files run and ask what the server serves alone", func(t *testing.T) {
		loads := regexp.MustCompile(`(?:src|href)="([^"./]+\.[a-z]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
		if len(loads) < 4 {
			t.Fatalf("the page loads %v", loads)
		}
		for _, name := range append(loads, []string{"", ""}, []string{"", "oauth.js"}, []string{"", "settings.js"}) {
			w := get(issuer + demo.Path + name[1])
			policy := w.Header().Get("Content-Security-Policy")
			if w.Code != 200 || strings.Contains(policy, "unsafe") ||
				!strings.Contains(policy, "script-src 'self';") || !strings.Contains(policy, "connect-src 'self';") || !strings.Contains(policy, "frame-ancestors 'none'") {
				t.Errorf("%q: %d, policy %q", name[1], w.Code, policy)
			}
		}
		if inline := regexp.MustCompile(`<script[^>]*>[^<]|<style| style=| on[a-z]+=`).FindString(page.Body.String()); inline != "" {
			t.Errorf("the page has %q in line", inline)
		}
	})
	t.Run("settings.js names the issuer", func(t *testing.T) {
		if body := get(issuer + "/demo/settings.js").Body.String(); !strings.Contains(body, `issuer = "`+issuer+`";`) {
			t.Errorf("got %s", body)
		}
	})
	t.Run("without its slash the page is a redirect away", func(t *testing.T) {
		if w := get(issuer + "/demo"); w.Code != 303 || w.Header().Get("Location") != "/auth/demo/" {
			t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
		}
	})
}
