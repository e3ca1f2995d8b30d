// Package telemetry owns what an operator watches the server by: metrics for
// Prometheus and traces for an OpenTelemetry collector. It is the only package
// that knows either library. What it measures it asks for when somebody looks,
// from the Stats of other packages, or hears through their hooks and contracts;
// when both are off it stands between nobody.
//
// A label or an attribute is one of a few words that are written here or in
// another package of ours. Nothing that a client sent is among them.
package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Config says what is on.
type Config struct {
	// Metrics are kept, to be read from Handler.
	Metrics bool
	// TracesEndpoint is the URL of the collector that spans are sent to, without
	// the path of the signal; empty is no traces. The library reads the other
	// standard variables (OTEL_…) from the environment by itself.
	TracesEndpoint string
	// What build this is.
	Version, Commit, Go string
}

// Telemetry measures what it is put in front of. It is safe for concurrent use;
// its parts are to be joined before the first request.
type Telemetry struct {
	metrics *metrics // nil if off
	traces  *traces  // nil if off
}

// New returns a Telemetry that must be closed. A collector that is away is no
// error: the log says so, and spans are dropped.
func New(ctx context.Context, c Config, logger *slog.Logger) (*Telemetry, error) {
	t := &Telemetry{}
	if c.Metrics {
		t.metrics = newMetrics(c)
	}
	if c.TracesEndpoint != "" {
		var err error
		if t.traces, err = newTraces(ctx, c, logger); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// closing bounds how long the last spans may take to leave.
const closing = 2 * time.Second

// Close sends the spans that wait, if the collector takes them soon.
func (t *Telemetry) Close() error {
	if t.traces == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	return t.traces.provider.Shutdown(ctx)
}

// Requests is httpapi's Watch: it counts, times and traces. Nil if both are off.
func (t *Telemetry) Requests() func(*http.Request, string) (context.Context, func(int)) {
	if t.off() {
		return nil
	}
	return func(r *http.Request, route string) (context.Context, func(int)) {
		start := time.Now()
		method := known(r.Method)
		ctx, span := t.traces.request(r, method, route)
		return ctx, func(status int) {
			t.metrics.request(method, route, status, time.Since(start))
			endRequest(span, status)
		}
	}
}

// known is method if HTTP has it: anything may be in a request line.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

func (t *Telemetry) off() bool { return t.metrics == nil && t.traces == nil }
