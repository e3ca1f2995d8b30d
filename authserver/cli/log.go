package cli

import (
	"io"
	"log/slog"

	"github.com/tokenwright/tokenwright/config"
)

// newLogger is the structured log on w.
func newLogger(w io.Writer, cfg config.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
