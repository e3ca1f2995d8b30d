package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver/telemetry"
)

// serve sends one request through the whole handler, without a network.
func (f *fixture) serve(method, path, body string, header http.Header) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, "http://auth.example.test"+path, strings.NewReader(body))
	req.Header = header
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, req)
	if w.Code != http.StatusOK {
		f.t.Fatalf("%s %s: status %d, body %s", method, path, w.Code, w.Body)
	}
	return w
}

func BenchmarkTokenRequest(b *testing.B) {
	for _, tc := range []struct {
		name    string
		watched telemetry.Config
	}{
		{"unwatched", telemetry.Config{}},
		{"with metrics", telemetry.Config{Metrics: true}},
		// Nobody is there to take them.
		{"with metrics and traces", telemetry.Config{Metrics: true, TracesEndpoint: "http://127.0.0.1:1"}},
	} {
		b.Run(tc.name, func(b *testing.B) {
			benchmarkTokenRequest(b, func(s *setup) { s.watched = tc.watched })
		})
	}
}

func benchmarkTokenRequest(b *testing.B, watched func(*setup)) {
	urlencoded := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	b.Run("refresh", func(b *testing.B) {
		f := newFixture(b, watched)
		token := f.login("alice", userPass).RefreshToken
		b.ReportAllocs()
		for b.Loop() {
			w := f.serve("POST", "/auth/refresh", formOf("refresh_token", token), urlencoded)
			var next tokens
			if err := json.Unmarshal(w.Body.Bytes(), &next); err != nil {
				b.Fatal(err)
			}
			token = next.RefreshToken
		}
	})
	b.Run("refresh at the token endpoint", func(b *testing.B) {
		f := newFixture(b, watched)
		var current tokens
		first := formOf("grant_type", "password", "username", "alice", "password", userPass, "client_id", "conf", "client_secret", confSecret)
		check(b, json.Unmarshal(f.serve("POST", "/oauth/token", first, urlencoded).Body.Bytes(), &current))
		b.ReportAllocs()
		for b.Loop() {
			body := formOf("grant_type", "refresh_token", "refresh_token", current.RefreshToken, "client_id", "conf", "client_secret", confSecret)
			if err := json.Unmarshal(f.serve("POST", "/oauth/token", body, urlencoded).Body.Bytes(), &current); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("client_credentials", func(b *testing.B) {
		f := newFixture(b, watched)
		body := formOf("grant_type", "client_credentials", "client_id", "conf", "client_secret", confSecret)
		b.ReportAllocs()
		for b.Loop() {
			f.serve("POST", "/oauth/token", body, urlencoded)
		}
	})
}

func BenchmarkProtectedRequest(b *testing.B) {
	f := newFixture(b)
	f.benchmark(b, "/api/private", http.Header{"Authorization": {"Bearer " + f.login("alice", userPass).AccessToken}})
}

// BenchmarkHealth is what every request passes, and the least behind it.
func BenchmarkHealth(b *testing.B) { newFixture(b).benchmark(b, "/health", http.Header{}) }

// benchmark asks the handler for path, without a network and without what a test
// needs besides.
func (f *fixture) benchmark(b *testing.B, path string, header http.Header) {
	f.log.off = true
	r := httptest.NewRequest("GET", "http://auth.example.test"+path, nil)
	r.Header = header
	header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	w := &sink{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		if f.handler.ServeHTTP(w, r); w.status != http.StatusOK {
			b.Fatalf("status %d", w.status)
		}
	}
}

// sink is a connection that nobody reads.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
