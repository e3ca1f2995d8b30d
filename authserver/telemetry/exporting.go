package telemetry

import (
	"context"
	"log/slog"
	"sync/atomic"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// exporting says in the log when spans begin to be lost and when they arrive
// again; the library would say it for every batch, and not in our log.
type exporting struct {
	sdk.SpanExporter
	logger *slog.Logger
	losing atomic.Bool
}

// ExportSpans never fails: nothing is left to be done about it.
func (e *exporting) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if e.losing.Swap(err != nil) == (err != nil) {
		return nil
	}
	if err != nil {
		e.logger.WarnContext(ctx, "traces are lost", "err", shortened(err.Error()))
	} else {
		e.logger.InfoContext(ctx, "traces are taken again")
	}
	return nil
}

// shortened keeps what a collector answers, which is in its error whole, from
// filling the log.
func shortened(text string) string {
	const most = 300
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
