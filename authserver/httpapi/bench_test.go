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
	header := http.Header{"Authorization": {"Bearer " + f.login("alice", userPass).AccessToken}}
	b.ReportAllocs()
	for b.Loop() {
		f.serve("GET", "/api/private", "", header)
	}
}
