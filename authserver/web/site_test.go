package web_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver/web"
)

// fixture is a site with two routes, of which /probe answers any host.
type fixture struct {
	t    testing.TB
	site *web.Site
	log  bytes.Buffer
}

func newFixture(t testing.TB, change ...func(*web.Settings)) *fixture {
	t.Helper()
	f := &fixture{t: t}
	settings := web.Settings{
		AllowedHosts: []string{"127.0.0.1", "*.example.test", "[::1]"},
		MaxBody:      64 << 10,
		Logger:       slog.New(slog.NewJSONHandler(&f.log, nil)),
	}
	for _, c := range change {
		c(&settings)
	}
	site, err := web.New(settings)
	if err != nil {
		t.Fatal(err)
	}
	f.site = site
	answer := func(c *gin.Context) { web.WriteJSON(c.Writer, http.StatusOK, struct{}{}) }
	f.site.Handle("GET", "/route", answer)
	f.site.Handle("GET", "/probe", answer)
	f.site.Mark(web.AnyHost, "/probe")
	return f
}

func (f *fixture) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	f.site.ServeHTTP(w, r)
	return w
}

// line is the only line of the access log.
func (f *fixture) line() map[string]any {
	f.t.Helper()
	var found map[string]any
	for line := range strings.Lines(f.log.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			f.t.Fatal(err)
		}
		if m["msg"] != "request" {
			continue
		}
		if found != nil {
			f.t.Fatalf("more than one line of the access log:\n%s", &f.log)
		}
		found = m
	}
	return found
}

func TestHosts(t *testing.T) {
	f := newFixture(t)
	get := func(path, host string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = host
		return f.serve(r)
	}
	for host, want := range map[string]int{
		"127.0.0.1": 200, "127.0.0.1:9": 200, "auth.example.test": 200, "AUTH.example.test:443": 200, "[::1]:8000": 200, "[::1]": 200,
		"example.test": 400, "evil.test": 400, "auth.example.test.evil.test": 400, "notexample.test": 400, "127.0.0.1.evil.test": 400,
	} {
		w := get("/route", host)
		if w.Code != want || want == 400 && w.Body.String() != `{"detail":"Invalid host header"}`+"\n" {
			t.Errorf("%s: status %d, body %s", host, w.Code, w.Body)
		}
	}
	if w := get("/probe", "evil.test"); w.Code != 200 {
		t.Errorf("a probe: status %d", w.Code)
	}
}

func TestTraits(t *testing.T) {
	f := newFixture(t)
	f.site.Handle("POST", "/secret/:id", func(c *gin.Context) { c.Status(http.StatusNoContent) })
	f.site.Mark(web.ChecksSecret, "/secret/:id")
	f.site.Mark(web.AnyHost, "/secret/:id")
	r := httptest.NewRequest("POST", "/secret/7", nil)
	r.Host = "evil.test"
	if w := f.serve(r); w.Code != 204 || w.Header().Get("X-Process-Time") != "" {
		t.Errorf("both traits: status %d, headers %v", w.Code, w.Header())
	}
	r = httptest.NewRequest("GET", "/route", nil)
	r.Host = "127.0.0.1"
	if w := f.serve(r); w.Header().Get("X-Process-Time") == "" {
		t.Error("a route without traits does not say how long it took")
	}
}

func TestNavigatedRoutesHaveNoCORS(t *testing.T) {
	const origin = "https://spa.example.test"
	f := newFixture(t, func(s *web.Settings) { s.CORSOrigins = []string{origin} })
	f.site.Handle("GET", "/authorize", answering(200))
	f.site.Mark(web.Navigated, "/authorize")
	for path, want := range map[string]string{"/authorize": "", "/route": origin} {
		for _, method := range []string{"GET", "POST", "OPTIONS"} { // of which only the first has a route
			r := httptest.NewRequest(method, "http://auth.example.test"+path, nil)
			r.Header.Set("Origin", origin)
			r.Header.Set("Access-Control-Request-Method", "GET")
			w := f.serve(r)
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("AUT-009 %s %s: %q may read it, want %q", method, path, got, want)
			}
			for name := range w.Header() {
				if want == "" && strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("AUT-009 %s %s: %s %v", method, path, name, w.Header()[name])
				}
			}
		}
	}
}

// Whatever happens before a route or in it: the answer has what every answer has.
func TestPanic(t *testing.T) {
	f := newFixture(t)
	f.site.Handle("GET", "/panic", func(*gin.Context) { panic("boom") })
	r := httptest.NewRequest("GET", "/panic", nil)
	r.Host = "127.0.0.1"
	w := f.serve(r)
	if w.Code != 500 || w.Body.String() != `{"detail":"Internal Server Error"}`+"\n" || w.Header().Get("X-Frame-Options") != "DENY" {
		t.Errorf("status %d, headers %v, body %s", w.Code, w.Header(), w.Body)
	}
	if !strings.Contains(f.log.String(), `"msg":"panic"`) || f.line()["status"] != 500.0 {
		t.Errorf("log %s", &f.log)
	}
}

// Values that all answers share are not to be changed by one of them.
func TestAnswersDoNotShareHeaders(t *testing.T) {
	f := newFixture(t)
	f.site.Handle("GET", "/page", func(c *gin.Context) {
		for _, name := range []string{"Vary", "Content-Security-Policy", "X-Frame-Options"} {
			c.Writer.Header().Add(name, "of the page")
		}
		c.Header("Referrer-Policy", "same-origin")
	})
	get := func(path string) http.Header {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "127.0.0.1"
		return f.serve(r).Header()
	}
	get("/page")
	for name, values := range get("/route") {
		if strings.Contains(strings.Join(values, ","), "of the page") || values[0] == "same-origin" {
			t.Errorf("%s: %v", name, values)
		}
	}
	if got := get("/page"); len(got["Vary"]) != 2 || len(got["X-Frame-Options"]) != 2 || got.Get("Referrer-Policy") != "same-origin" {
		t.Errorf("headers %v", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, s := range map[string]web.Settings{
		"no logger":         {MaxBody: 1},
		"no limit for body": {Logger: slog.New(slog.DiscardHandler)},
	} {
		if _, err := web.New(s); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
