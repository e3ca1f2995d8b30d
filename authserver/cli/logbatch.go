package cli

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/tokenwright/tokenwright/config"
)

const (
	// maxLogDelay is how long a request's line waits for others at most. So much of
	// the access log is lost with a process that is killed.
	maxLogDelay = 100 * time.Millisecond
	maxLogBatch = 32 << 10
)

// serverLog is the log of a process that has a line to write for each request:
// those are written together, for a write costs more than the line. All others
// are written at once, behind what was before them.
type serverLog struct {
	*slog.Logger
	access *slog.Logger
	batch  *logBatch // to be flushed at the end
}

func newServerLog(w io.Writer, cfg config.Log) serverLog {
	b := newLogBatch(w)
	access := newLogger(b, cfg)
	return serverLog{slog.New(urgent{access.Handler(), b}), access, b}
}

// urgent is a handler that writes to out and lets nothing wait there.
type urgent struct {
	slog.Handler
	out *logBatch
}

func (u urgent) Handle(ctx context.Context, r slog.Record) error {
	defer u.out.flush()
	return u.Handler.Handle(ctx, r)
}

func (u urgent) WithAttrs(attrs []slog.Attr) slog.Handler {
	return urgent{u.Handler.WithAttrs(attrs), u.out}
}

func (u urgent) WithGroup(name string) slog.Handler { return urgent{u.Handler.WithGroup(name), u.out} }

// logBatch writes what it is given together, in its order.
type logBatch struct {
	to    io.Writer
	mu    sync.Mutex
	held  []byte
	timer *time.Timer // runs while something is held
}

func newLogBatch(to io.Writer) *logBatch {
	b := &logBatch{to: to}
	b.timer = time.AfterFunc(time.Hour, b.flush)
	b.timer.Stop()
	return b
}

// Write never fails: where a log cannot be written, that cannot be said.
func (b *logBatch) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.held) == 0 {
		b.timer.Reset(maxLogDelay)
	}
	b.held = append(b.held, line...)
	if len(b.held) >= maxLogBatch {
		b.write()
	}
	return len(line), nil
}

func (b *logBatch) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.write()
}

func (b *logBatch) write() {
	if len(b.held) == 0 {
		return
	}
	b.timer.Stop()
	_, _ = b.to.Write(b.held)
	b.held = b.held[:0]
}
