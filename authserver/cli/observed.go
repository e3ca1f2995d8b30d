package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"

	"github.com/tokenwright/tokenwright/authserver/telemetry"
	"github.com/tokenwright/tokenwright/authserver/web"
	"github.com/tokenwright/tokenwright/config"
)

// observed is a server's telemetry, with where its metrics are read.
type observed struct {
	*telemetry.Telemetry
	logger   *slog.Logger
	listener net.Listener // nil without METRICS_LISTEN
	server   *http.Server
}

// openTelemetry binds METRICS_LISTEN, but answers nothing there before begin.
func openTelemetry(ctx context.Context, cfg *config.Config, logger *slog.Logger) (*observed, error) {
	o := &observed{logger: logger}
	if at := cfg.Telemetry.MetricsListen; at != "" {
		var err error
		if o.listener, err = bind(ctx, "METRICS_LISTEN", at); err != nil {
			return nil, err
		}
	}
	build := buildVersion()
	var err error
	o.Telemetry, err = telemetry.New(ctx, telemetry.Config{
		Metrics: o.listener != nil, TracesEndpoint: cfg.Telemetry.TracesEndpoint,
		Version: build.Version, Commit: build.Commit, Go: build.Go,
	}, logger)
	if err != nil {
		if o.listener != nil {
			o.listener.Close()
		}
		return nil, err
	}
	return o, nil
}

// begin answers at METRICS_LISTEN. All that is to be measured is known by then.
func (o *observed) begin(ctx context.Context) {
	if o.listener == nil {
		return
	}
	o.server = web.NewServer(o.Handler())
	o.server.ErrorLog = slog.NewLogLogger(o.logger.Handler(), slog.LevelWarn)
	go func() {
		if err := o.server.Serve(o.listener); !errors.Is(err, http.ErrServerClosed) {
			o.logger.ErrorContext(ctx, "metrics are not served any more", "err", err)
		}
	}()
	o.logger.InfoContext(ctx, "serving metrics", "listen", o.listener.Addr().String())
}

// close comes after the last request.
func (o *observed) close() {
	switch {
	case o.server != nil:
		o.server.Close()
	case o.listener != nil:
		o.listener.Close()
	}
	if err := o.Close(); err != nil {
		o.logger.Warn("the last traces are lost", "err", err)
	}
}
