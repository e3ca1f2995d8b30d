package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tokenwright/tokenwright/authserver"
)

// The attributes that spans have, by OpenTelemetry's semantic conventions. There
// are no others: what else the conventions offer, a URL, an address, a
// statement, may hold what must not leave.
const (
	attrMethod = attribute.Key("http.request.method")
	attrRoute  = attribute.Key("http.route")
	attrStatus = attribute.Key("http.response.status_code")
)

// traces makes spans. A nil *traces makes none.
type traces struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

func newTraces(ctx context.Context, c Config, logger *slog.Logger) (*traces, error) {
	endpoint, err := url.JoinPath(c.TracesEndpoint, "v1", "traces")
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	// A batch that is not taken is dropped: while it is tried again, others queue
	// behind it and are lost all the same, and the log hears of it late.
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}))
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	// What runs this process, where and with which arguments, is not in it.
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "tokenwright"), attribute.String("service.version", c.Version)),
		resource.WithTelemetrySDK(),
		resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	p := sdk.NewTracerProvider(sdk.WithBatcher(&exporting{SpanExporter: exporter, logger: logger}), sdk.WithResource(about))
	return &traces{p, p.Tracer("github.com/tokenwright/tokenwright")}, nil
}

// request begins the span of a request. Of what a caller says about its own
// trace (W3C Trace Context) its ids and its flag count; tracestate and baggage,
// in which anything may be, are not looked at.
func (t *traces) request(r *http.Request, method, route string) (context.Context, trace.Span) {
	ctx := r.Context()
	if t == nil {
		return ctx, trace.SpanFromContext(ctx)
	}
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": r.Header.Get("traceparent")})
	name, attrs := method, []attribute.KeyValue{attrMethod.String(method)}
	if route != "" {
		name, attrs = method+" "+route, append(attrs, attrRoute.String(route))
	}
	return t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attrs...))
}

func endRequest(span trace.Span, status int) {
	span.SetAttributes(attrStatus.Int(status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// part begins the span of a part of a request. Outside of one there is none. No
// error's text is in it, only whether a store could not be asked.
func (t *traces) part(ctx context.Context, name string) (context.Context, func(error)) {
	if t == nil || !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(ctx, name)
	return ctx, func(err error) {
		if errors.Is(err, authserver.ErrUnavailable) {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Waits is password's OnWait: a span for the wait for a hash. Nil if traces are
// off.
func (t *Telemetry) Waits() func(context.Context) func(error) {
	if t.traces == nil {
		return nil
	}
	return func(ctx context.Context) func(error) {
		_, end := t.traces.part(ctx, "password.wait")
		return end
	}
}
