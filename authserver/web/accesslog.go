package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
)

// accessLog writes one line a request. The route is the pattern, never the path,
// and neither query nor body is in it: both may hold what must not be logged.
func (s *Site) accessLog(c *gin.Context) {
	start := time.Now()
	c.Next()
	ctx := c.Request.Context()
	log := s.settings.AccessLog.Handler()
	if !log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	took := time.Since(start)
	caller := authserver.CallerFrom(ctx)
	attrs := []slog.Attr{
		slog.String("method", c.Request.Method),
		slog.String("route", s.route(c)),
		slog.Int("status", c.Writer.Status()),
		slog.Duration("duration", took),
		slog.Int("bytes", max(0, c.Writer.Size())),
		slog.String("request_id", caller.RequestID),
		slog.String("ip", caller.IP),
	}
	if claims, ok := resource.ClaimsFrom(ctx); ok {
		attrs = append(attrs, slog.String("client", claims.ClientID))
	}
	if last := c.Errors.Last(); last != nil { // why the guard refused
		attrs = append(attrs, slog.Any("err", last.Err))
	}
	// What LogAttrs does, but for looking up who calls it: that is always here.
	record := slog.NewRecord(start.Add(took), slog.LevelInfo, "request", 0)
	record.AddAttrs(attrs...)
	_ = log.Handle(ctx, record) // where a log cannot be written, that cannot be said
}

// watch lets Settings.Watch know of a request from its first middleware to its last,
// however it ends.
func (s *Site) watch(c *gin.Context) {
	ctx, done := s.settings.Watch(c.Request, s.route(c))
	defer func() { done(c.Writer.Status()) }()
	if ctx != c.Request.Context() {
		c.Request = c.Request.WithContext(ctx)
	}
	c.Next()
}

// recover turns a panic into a 500 and a line for the operator.
func (s *Site) recover(c *gin.Context) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler { // net/http's way to give up on a connection
			panic(p)
		}
		ctx := c.Request.Context()
		s.settings.Logger.ErrorContext(ctx, "panic", "err", fmt.Sprint(p), "request_id", authserver.CallerFrom(ctx).RequestID, "stack", string(debug.Stack()))
		c.Abort()
		if !c.Writer.Written() {
			InternalError().Write(c.Writer)
		}
	}()
	c.Next()
}
