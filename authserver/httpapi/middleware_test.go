package httpapi_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver/httpapi"
)

func TestHeadersOnEveryAnswer(t *testing.T) {
	f := newFixture(t)
	for _, tc := range []struct {
		name, method, path string
		headers            []string
		status             int
		timed              bool // ACC-012: nothing secret is checked
	}{
		{"a route", "GET", "/api/public", nil, 200, true},
		{"no token", "GET", "/api/private", nil, 401, true},
		{"no route", "GET", "/nothing", nil, 404, true},
		{"no such method", "DELETE", "/api/public", nil, 405, true},
		{"another host", "GET", "/api/public", []string{"Host: evil.test"}, 400, true},
		{"a preflight", "OPTIONS", "/api/public", []string{"Origin: " + origin, "Access-Control-Request-Method: GET"}, 204, true},
		{"not modified", "GET", "/.well-known/jwks.json", []string{"If-None-Match: *"}, 304, true},
		{"a page", "GET", "/docs", nil, 200, true},
		{"a login", "POST", "/auth/login", nil, 422, false},
		{"a registration", "POST", "/auth/register", []string{jsonType}, 422, false},
		{"a refresh", "POST", "/auth/refresh", nil, 422, false},
		{"a change of password", "POST", "/auth/password", nil, 401, false},
		{"a token request", "POST", "/oauth/token", nil, 400, false},
	} {
		t.Run("ACC-012 "+tc.name, func(t *testing.T) {
			a := f.do(tc.method, tc.path, "", tc.headers...).want(t, tc.status)
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
				"Strict-Transport-Security": "", "Server": "", "X-Powered-By": "", "Access-Control-Allow-Credentials": "",
			} {
				if got := a.Header.Get(name); got != want {
					t.Errorf("%s %q, want %q", name, got, want)
				}
			}
			if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
				t.Errorf("policy %q", csp)
			}
			if len(a.Header.Get("X-Request-Id")) < 16 {
				t.Errorf("X-Request-Id %q", a.Header.Get("X-Request-Id"))
			}
			if vary := strings.Join(a.Header.Values("Vary"), ","); tc.status != 400 && !strings.Contains(vary, "Origin") {
				t.Errorf("Vary %q", vary)
			}
			seconds, err := strconv.ParseFloat(a.Header.Get("X-Process-Time"), 64)
			if timed := err == nil && seconds >= 0 && seconds < 60; timed != tc.timed {
				t.Errorf("X-Process-Time %q, want it: %v", a.Header.Get("X-Process-Time"), tc.timed)
			}
		})
	}
}

// Nobody has a choice, so nobody's choice is read.
func TestAcceptIsNotRead(t *testing.T) {
	f := newFixture(t)
	for _, accept := range []string{"text/html", "application/json;q=0", "a;b,", "*/*;q,", "\xff;x,"} {
		f.do("GET", "/livez", "", "Accept: "+accept).want(t, 200)
		f.do("GET", "/api/private", "", "Accept: "+accept).want(t, 401)
	}
}

func TestUnknownRoutes(t *testing.T) {
	f := newFixture(t)
	t.Run("an unknown route", func(t *testing.T) { f.do("GET", "/nothing", "").detail(t, 404, "Not Found") })
	t.Run("a slash too many is no redirect", func(t *testing.T) { f.do("GET", "/api/public/", "").detail(t, 404, "Not Found") })
	t.Run("TOK-001 a wrong method says which are right", func(t *testing.T) {
		a := f.do("GET", "/oauth/token?grant_type=password&username=alice&password="+url.QueryEscape(userPass), "").detail(t, 405, "Method Not Allowed")
		if a.Header.Get("Allow") != "POST" {
			t.Errorf("Allow %q", a.Header.Get("Allow"))
		}
		if strings.Contains(f.log.String(), userPass) || strings.Contains(f.log.String(), "correct+horse") {
			t.Error("the query is in the log")
		}
	})
	t.Run("OPTIONS says what may be asked", func(t *testing.T) {
		a := f.do("OPTIONS", "/api/public", "").want(t, 204)
		if a.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("Allow %q", a.Header.Get("Allow"))
		}
	})
}

func TestProbesAskByAddress(t *testing.T) {
	f := newFixture(t)
	for path, want := range map[string]int{"/livez": 200, "/readyz": 200, "/health": 400, "/api/public": 400, "/nothing": 400} {
		f.do("GET", path, "", "Host: 10.0.0.7:8000").want(t, want)
	}
}

func TestCORS(t *testing.T) {
	f := newFixture(t)
	preflight := "Access-Control-Request-Method: POST"
	t.Run("TOK-025 a preflight from an allowed origin", func(t *testing.T) {
		a := f.do("OPTIONS", "/oauth/token", "", "Origin: "+origin, preflight, "Access-Control-Request-Headers: authorization,content-type").want(t, 204)
		if a.Header.Get("Access-Control-Allow-Origin") != origin || a.Header.Get("Access-Control-Allow-Headers") != "authorization, content-type" ||
			!strings.Contains(a.Header.Get("Access-Control-Allow-Methods"), "POST") {
			t.Errorf("headers %v", a.Header)
		}
	})
	t.Run("a preflight is allowed every header that it names", func(t *testing.T) {
		a := f.do("OPTIONS", "/api/private", "", "Origin: "+origin, preflight, "Access-Control-Request-Headers: content-type, traceparent", "Access-Control-Request-Headers: X-Trace").want(t, 204)
		if got := a.Header.Get("Access-Control-Allow-Headers"); got != "authorization, content-type, traceparent, x-trace" {
			t.Errorf("allowed headers %q", got)
		}
	})
	t.Run("TOK-025 a preflight from another", func(t *testing.T) {
		for _, from := range []string{"https://evil.test", "null", origin + ".evil.test", strings.ToUpper(origin)} {
			a := f.do("OPTIONS", "/oauth/token", "", "Origin: "+from, preflight)
			for name := range a.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s: %s %v", from, name, a.Header[name])
				}
			}
		}
	})
	t.Run("the pages of a public client may read answers without being named", func(t *testing.T) {
		const page = "https://client.example.test:8443"
		f.do("OPTIONS", "/oauth/token", "", "Origin: "+page, preflight).want(t, 204)
		for _, tc := range []struct{ from, want string }{{page, page}, {"https://client.example.test", ""}, {"http://client.example.test:8443", ""}} {
			if got := f.do("POST", "/oauth/token", "", "Origin: "+tc.from).Header.Get("Access-Control-Allow-Origin"); got != tc.want {
				t.Errorf("%s: allowed %q", tc.from, got)
			}
		}
	})
	t.Run("TOK-026 answers, errors too, are for the allowed origin alone", func(t *testing.T) {
		for _, path := range []string{"/oauth/token", "/auth/login", "/auth/logout", "/nothing"} {
			a := f.do("POST", path, "", "Origin: "+origin)
			if a.StatusCode < 400 || a.Header.Get("Access-Control-Allow-Origin") != origin {
				t.Errorf("%s: status %d, allowed %q", path, a.StatusCode, a.Header.Get("Access-Control-Allow-Origin"))
			}
			a = f.do("POST", path, "", "Origin: https://evil.test")
			if got := a.Header.Get("Access-Control-Allow-Origin"); got != "" || !strings.Contains(strings.Join(a.Header.Values("Vary"), ","), "Origin") {
				t.Errorf("%s: allowed %q, Vary %v", path, got, a.Header.Values("Vary"))
			}
		}
	})
	t.Run("RSV-039 a preflight needs no token", func(t *testing.T) {
		f.do("OPTIONS", "/api/private", "", "Origin: "+origin, "Access-Control-Request-Method: GET").want(t, 204)
	})
}

func TestLimits(t *testing.T) {
	f := newFixture(t)
	large := "grant_type=password&password=" + strings.Repeat("x", 1<<20)
	t.Run("TOK-022 a body that says it is large is not read", func(t *testing.T) {
		start := time.Now()
		conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
		check(t, err)
		defer conn.Close()
		fmt.Fprintf(conn, "POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\nContent-Length: %d\r\n\r\n", formType, len(large))
		res, err := http.ReadResponse(bufio.NewReader(conn), nil) // without its ever being sent
		check(t, err)
		defer res.Body.Close()
		if res.StatusCode != 413 || time.Since(start) > 5*time.Second {
			t.Errorf("status %d after %v", res.StatusCode, time.Since(start))
		}
		if res.Header.Get("Content-Security-Policy") == "" {
			t.Error("no security headers")
		}
	})
	t.Run("TOK-022 a body that does not say is cut off", func(t *testing.T) {
		for path, media := range map[string]string{"/oauth/token": formType, "/auth/login": formType, "/auth/refresh": jsonType, "/auth/register": jsonType} {
			req, err := http.NewRequest("POST", f.url+path, struct{ *strings.Reader }{strings.NewReader(large)})
			check(t, err)
			req.ContentLength = -1
			name, value, _ := strings.Cut(media, ": ")
			req.Header.Set(name, value)
			f.send(req).want(t, 413)
		}
	})
	t.Run("64 KiB are enough", func(t *testing.T) {
		f.do("POST", "/auth/login", "password=x&username="+strings.Repeat("x", 64<<10-len("password=x&username=")), formType).want(t, 401)
	})
	t.Run("RSV-026 a header of 64 KiB", func(t *testing.T) {
		f.do("GET", "/api/private", "", bearer(strings.Repeat("x", 64<<10))).want(t, 431)
	})
}

// lines are the access lines of a log.
func (f *fixture) lines() []map[string]any {
	f.t.Helper()
	var found []map[string]any
	for line := range strings.Lines(f.log.String()) {
		var m map[string]any
		check(f.t, json.Unmarshal([]byte(line), &m))
		if m["msg"] == "request" {
			found = append(found, m)
		}
	}
	return found
}

func TestAccessLog(t *testing.T) {
	f := newFixture(t)
	token := f.login("alice", userPass).AccessToken
	f.do("GET", "/api/private?access_token=marker", "", bearer(token), "X-Request-Id: from-the.proxy_1").want(t, 200)
	f.do("GET", "/nothing/marker", "", "X-Request-Id: not good").want(t, 404)
	lines := f.lines()
	if len(lines) != 3 {
		t.Fatalf("%d lines, want one a request:\n%s", len(lines), f.log)
	}
	got := lines[1]
	for name, want := range map[string]any{"method": "GET", "route": "/api/private", "status": 200.0, "client": "first-party", "ip": "127.0.0.1", "request_id": "from-the.proxy_1"} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if got["bytes"].(float64) < 10 || got["duration"] == nil {
		t.Errorf("line %v", got)
	}
	if id := lines[2]["request_id"]; id == "not good" || id == "" {
		t.Errorf("request id %q", id)
	}
	if strings.Contains(f.log.String(), "marker") || strings.Contains(f.log.String(), token) {
		t.Error("ACC-011: a path, a query or a token is in the log")
	}
}

func TestHealth(t *testing.T) {
	now := func() time.Time { return time.Now() }
	for _, tc := range []struct {
		name   string
		checks []httpapi.Check
		detail string
	}{
		{"all there", []httpapi.Check{{Name: "database", Ping: pingAt(now, nil)}}, ""},
		{"ACC-016 one away", []httpapi.Check{{Name: "database", Ping: pingAt(now, nil)}, {Name: "sessions", Ping: pingAt(now, errors.New("redis://:hunter2@host"))}}, "Not ready: sessions is away"},
		{"the clock is off", []httpapi.Check{{Name: "database", Ping: pingAt(func() time.Time { return time.Now().Add(-6 * time.Second) }, nil)}},
			"Not ready: this server's clock is more than 5 s off that of database"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t, func(s *setup) { s.checks = tc.checks })
			f.do("GET", "/livez", "").want(t, 200)
			if tc.detail == "" {
				f.do("GET", "/readyz", "").want(t, 200)
			} else {
				f.do("GET", "/readyz", "").detail(t, 503, tc.detail)
			}
			h := decode[map[string]any](t, f.do("GET", "/health", "").want(t, 200))
			if at, ok := h["timestamp"].(float64); h["status"] != "healthy" || !ok || at < 1.7e9 || len(h) != 2 {
				t.Errorf("health %v", h)
			}
		})
	}
	t.Run("a panic is a 500 that says nothing, and a line that does", func(t *testing.T) {
		f := newFixture(t, func(s *setup) {
			s.jwks = func() []byte { panic("boom") }
		})
		a := f.do("GET", "/.well-known/jwks.json", "", "Origin: "+origin).detail(t, 500, "Internal Server Error")
		if a.Header.Get("X-Frame-Options") != "DENY" || !strings.Contains(f.log.String(), `"msg":"panic"`) {
			t.Errorf("headers %v, log %s", a.Header, f.log)
		}
	})
	t.Run("ACC-009 the root says what this is", func(t *testing.T) {
		f := newFixture(t)
		got := decode[map[string]any](t, f.do("GET", "/", "").want(t, 200))
		for _, name := range []string{"name", "message", "version", "docs", "authentication", "endpoints"} {
			if got[name] == nil {
				t.Errorf("no %s in %v", name, got)
			}
		}
	})
}
