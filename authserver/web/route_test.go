package web_test

import (
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver/web"
)

// below is a fixture under /tenant/auth whose routes answer with their pattern.
func below(t *testing.T) *fixture {
	f := newFixture(t, func(s *web.Settings) { s.BasePath = "/tenant/auth" })
	for _, pattern := range []string{"/", "/oauth/token", "/items/:id", "/livez", "/.well-known/server", "/.well-known/resource/api"} {
		f.site.Handle("GET", pattern, func(c *gin.Context) { c.String(200, pattern) })
	}
	f.site.Mark(web.AnyHost|web.AtRoot, "/livez")
	f.site.Mark(web.ChecksSecret, "/oauth/token", "/items/:id")
	return f
}

func TestBelowABasePath(t *testing.T) {
	for path, want := range map[string]string{
		"/tenant/auth":                            "/",
		"/tenant/auth/":                           "/",
		"/tenant/auth/oauth/token":                "/oauth/token",
		"/tenant/auth/items/7":                    "/items/:id",
		"/tenant/auth/livez":                      "/livez",
		"/livez":                                  "/livez",
		"/tenant/auth/.well-known/server":         "/.well-known/server",
		"/.well-known/server/tenant/auth":         "/.well-known/server",
		"/tenant/auth/.well-known/resource/api":   "/.well-known/resource/api",
		"/.well-known/resource/tenant/auth/api":   "/.well-known/resource/api",
		"/":                                       "",
		"/oauth/token":                            "",
		"/tenant":                                 "",
		"/tenant/":                                "",
		"/tenant/oauth/token":                     "",
		"/tenant/authoauth/token":                 "",
		"/tenant/auth/tenant/auth/oauth/token":    "",
		"//tenant/auth/oauth/token":               "",
		"/tenant/auth//oauth/token":               "",
		"/tenant/auth/../auth/oauth/token":        "",
		"/Tenant/auth/oauth/token":                "",
		"/livez/":                                 "",
		"/.well-known/server":                     "",
		"/.well-known/server/":                    "",
		"/.well-known/server/tenant/auth/":        "",
		"/.well-known/server/tenant/authx":        "",
		"/.well-known/server/tenant":              "",
		"/.well-known/resource/api/tenant/auth":   "",
		"/.well-known//tenant/auth/server":        "",
		"/.well-known/../tenant/auth/oauth/token": "",
	} {
		t.Run(path, func(t *testing.T) {
			f := below(t)
			r := httptest.NewRequest("GET", "http://127.0.0.1/", nil)
			r.URL.Path = path
			w := f.serve(r)
			if want == "" && w.Code != 404 || want != "" && (w.Code != 200 || w.Body.String() != want) {
				t.Errorf("status %d, body %s, want the route %q", w.Code, w.Body, want)
			}
			if got := f.line()["route"]; got != want {
				t.Errorf("the log says %q, want %q", got, want)
			}
			if r.URL.Path != path {
				t.Errorf("the request has become one for %s", r.URL.Path)
			}
		})
	}
}

// What is keyed by routes holds below a path as it does without.
func TestTraitsBelowABasePath(t *testing.T) {
	f := below(t)
	for path, want := range map[string]struct {
		status int
		timed  bool
	}{
		"/tenant/auth/livez":       {200, true},
		"/livez":                   {200, true},
		"/tenant/auth/oauth/token": {400, false},
		"/tenant/auth/items/7":     {400, false},
		"/tenant/auth/":            {400, true},
		"/nothing":                 {400, true},
	} {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "evil.test"
		w := f.serve(r)
		if timed := w.Header().Get("X-Process-Time") != ""; w.Code != want.status || timed != want.timed {
			t.Errorf("%s for another host: status %d, timed %v; want %v", path, w.Code, timed, want)
		}
	}
}

func TestNavigatedBelowABasePath(t *testing.T) {
	f := newFixture(t, func(s *web.Settings) { s.BasePath, s.CORSOrigins = "/auth", []string{"https://spa.example.test"} })
	f.site.Handle("GET", "/authorize", answering(200))
	f.site.Mark(web.Navigated, "/authorize")
	for _, method := range []string{"GET", "OPTIONS"} {
		r := httptest.NewRequest(method, "http://127.0.0.1/auth/authorize", nil)
		r.Header.Set("Origin", "https://spa.example.test")
		r.Header.Set("Access-Control-Request-Method", "GET")
		if got := f.serve(r).Header().Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: %s may read it", method, got)
		}
	}
	if got := f.site.Path("/authorize"); got != "/auth/authorize" {
		t.Errorf("a link goes to %s", got)
	}
}
