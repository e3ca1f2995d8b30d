package telemetry_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/telemetry"
)

// exported runs act, watched by traces alone, and returns the spans that a
// collector has got, the first to end first, and the bytes that they came in.
func exported(t *testing.T, act func(*telemetry.Telemetry)) ([]*trace.Span, []byte) {
	t.Helper()
	var (
		mu    sync.Mutex
		raw   bytes.Buffer
		spans []*trace.Span
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		var batch collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &batch); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		raw.Write(body)
		for _, from := range batch.ResourceSpans {
			for _, scope := range from.ScopeSpans {
				spans = append(spans, scope.Spans...)
			}
		}
	}))
	defer server.Close()
	watched, err := telemetry.New(t.Context(), telemetry.Config{TracesEndpoint: server.URL, Version: "1.2.3"}, discard)
	if err != nil {
		t.Fatal(err)
	}
	act(watched)
	if err := watched.Close(); err != nil {
		t.Fatal(err)
	}
	return spans, raw.Bytes()
}

// told is a span as far as it is a word of ours: name, attributes, status.
func told(s *trace.Span) string {
	var all []string
	for _, a := range s.Attributes {
		all = append(all, a.Key+"="+a.Value.GetStringValue())
		if n := a.Value.GetIntValue(); n != 0 {
			all[len(all)-1] = fmt.Sprint(a.Key, "=", n)
		}
	}
	slices.Sort(all)
	return fmt.Sprintf("%s %v %d events, %s %q", s.Name, all, len(s.Events), s.GetStatus().GetCode(), s.GetStatus().GetMessage())
}

// ACC-011: a span says what was done, and not with what.
func TestSpansHoldNoSecret(t *testing.T) {
	db := newDatabase(t)
	spans, raw := exported(t, func(watched *telemetry.Telemetry) {
		r := httptest.NewRequest("POST", "/auth/refresh?refresh_token=a-secret", strings.NewReader("password=a-secret"))
		r.Host = "a-secret.example.test"
		for _, name := range []string{"Authorization", "Cookie", "User-Agent", "X-Forwarded-For", "X-Request-Id", "Baggage", "Tracestate"} {
			r.Header.Set(name, "a=a-secret")
		}
		r.Header.Set("Traceparent", "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")
		ctx, done := watched.Requests()(r, "/auth/refresh")
		if _, err := watched.Facts(db).Facts(ctx, authserver.Ask{Login: "a-secret", ClientID: "a-secret"}); err != nil {
			t.Error(err)
		}
		watched.Sessions(db).Advance(ctx, "a-secret", authserver.Advance{ClientID: "a-secret"})
		watched.Users(db).User(ctx, "a-secret")
		watched.Limiter(limit.NewMemory(1)).Take(ctx, limit.Rule{Name: "login", Burst: 1, Per: time.Minute}, "a-secret")
		watched.Revocations(db).End(ctx, []authserver.Ending{{Kind: authserver.KindSession, ID: "a-secret", Subject: "a-secret"}}, authserver.Event{Act: "a-secret"})
		watched.Waits()(ctx)(nil)
		gone, cancel := context.WithCancel(ctx)
		cancel()
		watched.Sessions(db).Session(gone, "a-secret") // and its error may have it
		done(503)
	})
	var got []string
	for _, s := range spans {
		got = append(got, told(s))
		if id := fmt.Sprintf("%x", s.TraceId); id != "0123456789abcdef0123456789abcdef" || s.TraceState != "" {
			t.Errorf("%s is in trace %s with state %q, want the caller's and none", s.Name, id, s.TraceState)
		}
	}
	want := []string{
		`FactStore.Facts [] 0 events, STATUS_CODE_UNSET ""`,
		`SessionStore.Advance [] 0 events, STATUS_CODE_UNSET ""`,
		`UserStore.User [] 0 events, STATUS_CODE_UNSET ""`,
		`Limiter.Take [] 0 events, STATUS_CODE_UNSET ""`,
		`RevocationLog.End [] 0 events, STATUS_CODE_UNSET ""`,
		`password.wait [] 0 events, STATUS_CODE_UNSET ""`,
		`SessionStore.Session [] 0 events, STATUS_CODE_ERROR ""`,
		`POST /auth/refresh [http.request.method=POST http.response.status_code=503 http.route=/auth/refresh] 0 events, STATUS_CODE_ERROR ""`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if bytes.Contains(raw, []byte("a-secret")) {
		t.Errorf("what was exported has the secret: %q", raw)
	}
}

func TestStoresAreNotTracedOutsideOfRequests(t *testing.T) {
	db := newDatabase(t)
	spans, _ := exported(t, func(watched *telemetry.Telemetry) {
		if _, err := watched.Facts(db).Facts(t.Context(), authserver.Ask{}); err != nil {
			t.Error(err)
		}
	})
	if len(spans) != 0 {
		t.Errorf("got %v", spans)
	}
}

// A collector that is away or hangs delays no request, and is told of once.
func TestCollectorAway(t *testing.T) {
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1") // milliseconds
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "50")
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "10")
	t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2")
	hangs := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hangs }))
	defer server.Close()
	defer close(hangs)
	for name, endpoint := range map[string]string{"away": "http://127.0.0.1:1", "hanging": server.URL} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			watched, err := telemetry.New(t.Context(), telemetry.Config{TracesEndpoint: endpoint}, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			for range 1000 {
				_, done := watched.Requests()(httptest.NewRequest("GET", "/", nil), "/")
				done(200)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("1000 requests took %v", took)
			}
			start = time.Now()
			if err := watched.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("the end took %v", took)
			}
			if n := strings.Count(log.String(), "traces are lost"); n != 1 {
				t.Errorf("the log says it %d times:\n%s", n, log.String())
			}
		})
	}
}
