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

	"github.com/tokenwright/tokenwright/authserver/transport"
	"github.com/tokenwright/tokenwright/config"
)

// listen binds the listener, before anything else is opened or made.
func listen(ctx context.Context, cfg config.HTTP, logger *slog.Logger) (net.Listener, error) {
	l, err := bind(ctx, "LISTEN", cfg.Listen)
	if err != nil || !cfg.TLS() {
		return l, err
	}
	pair, err := loadCertificate(cfg.TLSCertFile, cfg.TLSKeyFile, logger)
	if err != nil {
		l.Close()
		return nil, &plainError{fmt.Sprintf("TLS_CERT_FILE and TLS_KEY_FILE: %s: name a PEM certificate and its key", reasonOf(err)), err}
	}
	c := &tls.Config{GetCertificate: pair.get, NextProtos: []string{"h2", "http/1.1"}}
	transport.Secure(c)
	return tls.NewListener(l, c), nil
}

// bind listens on the address that setting names.
func bind(ctx context.Context, setting, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &plainError{fmt.Sprintf("%s: another program has %s: end it, or set %s to another address", setting, address, setting), err}
	case errors.Is(err, syscall.EACCES):
		return nil, &plainError{fmt.Sprintf("%s: this user may not listen on %s: set %s to a port from 1024 up", setting, address, setting), err}
	case err != nil:
		return nil, &plainError{fmt.Sprintf("%s: cannot listen on %s (%s): set %s to an address of this machine", setting, address, reasonOf(err), setting), err}
	}
	return l, nil
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
