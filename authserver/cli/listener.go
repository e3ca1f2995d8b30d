package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/tokenwright/tokenwright/config"
)

// listen binds the listener, before anything else is opened or made.
func listen(ctx context.Context, cfg config.HTTP) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", cfg.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &plainError{fmt.Sprintf("LISTEN: another program has %s: end it, or set LISTEN to another address", cfg.Listen), err}
	case errors.Is(err, syscall.EACCES):
		return nil, &plainError{fmt.Sprintf("LISTEN: this user may not listen on %s: set LISTEN to a port from 1024 up", cfg.Listen), err}
	case err != nil:
		return nil, &plainError{fmt.Sprintf("LISTEN: cannot listen on %s (%s): set LISTEN to an address of this machine", cfg.Listen, reasonOf(err)), err}
	}
	if !cfg.TLS() {
		return l, nil
	}
	pair, err := tls.LoadX509KeyPair(cfg.TLSCertFile, cfg.TLSKeyFile)
	if err != nil {
		l.Close()
		return nil, &plainError{fmt.Sprintf("TLS_CERT_FILE and TLS_KEY_FILE: %s: name a PEM certificate and its key", reasonOf(err)), err}
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{pair},
		NextProtos:   []string{"h2", "http/1.1"},
	}), nil
}

// drain is how long requests in flight have when the server is told to end.
const drain = 10 * time.Second

// serve answers until ctx ends, and then lets requests in flight finish.
func serve(ctx context.Context, server *http.Server, l net.Listener, logger *slog.Logger) error {
	server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelWarn)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	logger.InfoContext(ctx, "stopping", "grace", drain.String())
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		server.Close()
		logger.WarnContext(ctx, "requests were cut off", "err", err)
	}
	logger.InfoContext(ctx, "stopped")
	return nil
}
