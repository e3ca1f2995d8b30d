package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver/doctor"
)

// issuer answers as one that has what fixtures name. Every tenth refresh is 503.
func issuer(t *testing.T) (base string, fixtures doctor.Fixtures) {
	var refreshes atomic.Int64
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"token_endpoint":%q}`, server.URL, server.URL+"/token")
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("grant_type") == "refresh_token" && refreshes.Add(1)%10 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if id, secret, ok := r.BasicAuth(); r.FormValue("client_id") != "app" && (!ok || id != "rs" || secret != "s%3As") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"access_token":"a","refresh_token":"r"}`)
	})
	return server.URL, doctor.Fixtures{
		Clients: []doctor.Client{
			{ID: "app", Grants: []string{"password", "refresh_token"}},
			{ID: "rs", Secret: "s:s", Grants: []string{"client_credentials"}},
		},
		Users: []doctor.User{{Username: "alice", Password: "x"}},
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	base, fixtures := issuer(t)
	var told atomic.Int64
	results, err := Run(t.Context(), Options{
		Issuer: base, Fixtures: fixtures, Connections: 4, Duration: 1200 * time.Millisecond,
		Only:     []string{"client_credentials", "refresh", "introspection"},
		Progress: func(string, time.Duration, int) { told.Add(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 3 {
		t.Fatalf("got %d results, want one for each that was named: %+v", len(results), results)
	}
	own, refresh, introspection := results[0], results[1], results[2]
	if own.Requests == 0 || own.Failed() != 0 || own.P50 == 0 || own.P50 > own.P99 || own.P99 > own.Max || own.PerSecond == 0 {
		t.Errorf("client_credentials: %+v", own)
	}
	if got, n := refresh.Errors["503 Service Unavailable"], refresh.Requests; got == 0 || got != (n+got)/10 {
		t.Errorf("refresh: %d of %d were 503, want a tenth: %v", got, n+got, refresh.Errors)
	}
	if introspection.Unmeasured != "the issuer has no introspection endpoint" {
		t.Errorf("introspection: %+v", introspection)
	}
	if told.Load() == 0 {
		t.Error("nothing was told on the way")
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	base, fixtures := issuer(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		ctx  context.Context
		o    Options
		want string
	}{
		"an unknown operation": {t.Context(), Options{Issuer: base, Only: []string{"sign"}}, `no operation is called "sign": give some of client_credentials,`},
		"no issuer":            {t.Context(), Options{Issuer: "nonsense"}, `"nonsense" is no issuer identifier`},
		"another's name":       {t.Context(), Options{Issuer: strings.Replace(base, "127.0.0.1", "localhost", 1)}, "the issuer there is " + base},
		"an end before it":     {ended, Options{Issuer: base}, "no issuer answers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.o.Fixtures, tc.o.Connections, tc.o.Duration = fixtures, 1, time.Second
			if _, err := Run(tc.ctx, tc.o); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	var thousand []time.Duration
	for i := range 1000 {
		thousand = append(thousand, time.Duration(i+1)*time.Microsecond)
	}
	for _, tc := range []struct {
		of   []time.Duration
		q    float64
		want int64
	}{
		{nil, 0.5, 0}, {thousand[:1], 0.5, 1}, {thousand[:1], 0.999, 1}, {thousand[:2], 0.5, 1}, {thousand[:3], 0.5, 2},
		{thousand, 0.5, 500}, {thousand, 0.99, 990}, {thousand, 0.999, 999}, {thousand, 1, 1000},
	} {
		if got := quantile(tc.of, tc.q); got != tc.want {
			t.Errorf("quantile %v of %d: got %d, want %d", tc.q, len(tc.of), got, tc.want)
		}
	}
}

func TestServerAt(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	own := serverAt("http://" + l.Addr().String())
	if own == nil && runtime.GOOS == "linux" {
		t.Fatal("the process that listens was not found")
	} else if own == nil {
		t.Skip("this system has no /proc that tells who listens")
	}
	if own.memory() < 1<<20 {
		t.Errorf("this process has %d bytes", own.memory())
	}
	before := own.cpu()
	for own.cpu() == before { // until a tick has been used
	}
	for _, issuer := range []string{"https://auth.example.com", "http://192.0.2.1:80", "http://localhost", "\x00"} {
		if p := serverAt(issuer); p != nil {
			t.Errorf("%q: found %v on this host", issuer, p)
		}
	}
}
