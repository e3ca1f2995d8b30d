package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver/outbox"
)

var (
	loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	form     = url.Values{"logout_token": {"a.b.c"}}
)

// OUT-006: what an answer means.
func TestCallerAnswers(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // is not used
	var elsewhere atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{status}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if got := r.Header.Get("Content-Type"); string(body) != "logout_token=a.b.c" || got != "application/x-www-form-urlencoded" {
			t.Errorf("got %s of %s", body, got)
		}
		var status int
		fmt.Sscan(r.PathValue("status"), &status)
		w.Header().Set("Location", "/else/where")
		w.Header().Set("Retry-After", r.URL.Query().Get("after"))
		w.WriteHeader(status)
	})
	mux.HandleFunc("/else/where", func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	s := httptest.NewServer(mux)
	defer s.Close()
	c := outbox.NewCaller(loopback)
	in := time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)
	for _, tc := range []struct {
		path  string
		kind  string
		after time.Duration
	}{
		{"/200", "sent", 0}, {"/204", "sent", 0},
		{"/301", "refused", 0}, {"/302", "refused", 0}, {"/303", "refused", 0}, {"/307", "refused", 0}, {"/308", "refused", 0},
		{"/400", "refused", 0}, {"/401", "refused", 0}, {"/404", "refused", 0}, {"/408", "refused", 0}, {"/501", "later", 0},
		{"/429", "later", 0}, {"/500", "later", 0}, {"/503?after=120", "later", 2 * time.Minute}, {"/429?after=" + url.QueryEscape(in), "later", time.Minute},
		{"/503?after=soon", "later", 0}, {"/503?after=-1", "later", 0}, {"/503?after=99999999999999999999", "later", 0},
	} {
		err := c.Post(t.Context(), s.URL+tc.path, form)
		got := "sent"
		if _, ok := errors.AsType[*outbox.RefusedError](err); ok {
			got = "refused"
		}
		var after time.Duration
		if later, ok := errors.AsType[*outbox.LaterError](err); ok {
			got, after = "later", later.After
		}
		if d := tc.after - after; got != tc.kind || d < 0 || d > 5*time.Second {
			t.Errorf("%s: %s after %v (%v), want %s after %v", tc.path, got, after, err, tc.kind, tc.after)
		}
	}
	if elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// OUT-007: addresses that are not called, whatever name they have.
func TestCallerAddresses(t *testing.T) {
	var called atomic.Int32
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) })
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(secure.URL, "https://"), ":")
	none, some := outbox.NewCaller(nil), outbox.NewCaller([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")})
	for _, uri := range []string{
		plain.URL, secure.URL, "https://localhost:" + port, "https://[::ffff:127.0.0.1]:" + port, "https://0.0.0.0:" + port, "https://[::]:" + port,
		"https://[::1]/", "https://192.168.1.1/", "https://172.16.0.1/", "https://169.254.169.254/latest/meta-data/", "https://[fe80::1]/",
		"https://100.64.0.1/", "https://224.0.0.1/", "https://[::ffff:169.254.169.254]/", "https://[64:ff9b::a9fe:a9fe]/",
		"http://8.8.8.8/", "http://[2001:4860:4860::8888]/", // public, but not by https
	} {
		for name, c := range map[string]*outbox.Caller{"nothing allowed": none, "others allowed": some} {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			err := c.Post(ctx, uri, form)
			cancel()
			if _, ok := errors.AsType[*outbox.RefusedError](err); !ok || !strings.Contains(err.Error(), "is not allowed") {
				t.Errorf("%s, %s: %v, want it refused for its address", uri, name, err)
			}
		}
	}
	for _, uri := range []string{"https://10.1.2.3/", "https://[fd00::1]/"} {
		if _, ok := errors.AsType[*outbox.RefusedError](none.Post(t.Context(), uri, form)); !ok {
			t.Errorf("%s is not refused", uri)
		}
	}
	if called.Load() != 0 {
		t.Error("it was called")
	}
	if err := outbox.NewCaller(loopback).Post(t.Context(), plain.URL, form); err != nil || called.Load() != 1 {
		t.Errorf("what is allowed: %v", err)
	}
	// Nobody vouches for its certificate: no answer, and it is tried again.
	err := outbox.NewCaller(loopback).Post(t.Context(), secure.URL+"/?key=secret", form)
	if _, ok := errors.AsType[*outbox.RefusedError](err); ok || err == nil || strings.Contains(err.Error(), "secret") || called.Load() != 1 {
		t.Errorf("a certificate of nobody's: %v", err)
	}
}

// A receiver that answers without an end, or never, takes no more than is its.
func TestCallerBounds(t *testing.T) {
	var written atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		block := make([]byte, 64<<10)
		for range 160 { // 10 MB
			n, err := w.Write(block)
			if written.Add(int64(n)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/never", func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	mux.HandleFunc("/head", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) })
	mux.HandleFunc("/trickle", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush() // 200, and then nothing
		<-r.Context().Done()
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	c := outbox.NewCaller(loopback)
	post := func(path string) error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		return c.Post(ctx, s.URL+path, form)
	}
	if err := post("/large"); err != nil {
		t.Error(err)
	}
	s.CloseClientConnections()
	if n := written.Load(); n > 9<<20 {
		t.Errorf("%d bytes of an answer were taken", n)
	}
	for _, path := range []string{"/never", "/head"} {
		err := post(path)
		_, refused := errors.AsType[*outbox.RefusedError](err)
		if err == nil || refused {
			t.Errorf("%s: %v, want it tried again", path, err)
		}
	}
	if err := post("/trickle"); err != nil {
		t.Errorf("it said 200: %v", err)
	}
}
