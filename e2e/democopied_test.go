package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/e2e/chromium"
)

// TestDemoCopied serves the demo's files where somebody would who has copied them
// as docs/login.md says: from another origin, with settings of its own.
func TestDemoCopied(t *testing.T) {
	chromium.Path(t) // before a server is built
	var issuer string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		if strings.HasSuffix(r.URL.Path, "/") {
			name = "index.html"
		}
		content, err := os.ReadFile("../authserver/demo/static/" + name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		text := strings.Replace(string(content), `"https://auth.example.com"`, `"`+issuer+`"`, 1)
		text = strings.Replace(text, `<script type="module" src="home.js"></script>`, "", 1)
		if strings.HasSuffix(name, ".js") {
			w.Header().Set("Content-Type", "text/javascript")
		}
		w.Write([]byte(text))
	}))
	defer elsewhere.Close()
	origin := strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)
	issuer = demoServer(t, "PROFILE=strict", "CORS_ORIGINS="+origin)

	tab, _ := newTab(t)
	opened(t, tab, origin+"/demo/") // the port of a loopback redirect URI is free
	press(t, tab, "login", "#username")
	logIn(t, tab, "testuser", "user123")
	wait(t, tab, "#inside #claims dd")
	if at := evaluate(t, tab, `location.href`); at != origin+"/demo/" {
		t.Errorf("the page is at %s", at)
	}
	t.Run("AUT-028 what the roles do not allow is left out, and the page sees it refused", func(t *testing.T) {
		if claims := evaluate(t, tab, `document.getElementById("claims").innerText.replaceAll("\n", " ")`); !strings.Contains(claims, "scope read write profile ") {
			t.Errorf("claims %s", claims)
		}
		pressAndSee(t, tab, "private", "GET /api/private 200")
		pressAndSee(t, tab, "admin", "GET /api/admin 403")
	})
	t.Run("it refreshes and logs out across origins", func(t *testing.T) {
		pressAndSee(t, tab, "refresh", "POST /oauth/token 200")
		press(t, tab, "logout", "#requests li:nth-child(7)")
		if got := line(t, tab, 2); got != "GET /api/private 401" {
			t.Errorf("the page says %q", got)
		}
	})
}
