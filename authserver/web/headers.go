package web

import (
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
)

// apiPolicy is for answers that are no page.
const apiPolicy = "default-src 'none'; frame-ancestors 'none'"

// onEveryAnswer is shared by all answers: its values are replaced in one, never
// changed.
var onEveryAnswer = http.Header{
	"X-Content-Type-Options":  {"nosniff"},
	"X-Frame-Options":         {"DENY"},
	"Referrer-Policy":         {"no-referrer"},
	"Content-Security-Policy": {apiPolicy},
}

// securityHeaders sets what stands on every answer.
func (s *Site) securityHeaders(c *gin.Context) {
	h := c.Writer.Header()
	maps.Copy(h, onEveryAnswer)
	if s.overTLS(c.Request) {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if s.has(c, ChecksSecret) {
		return
	}
	w := &timedWriter{ResponseWriter: c.Writer, start: time.Now()}
	c.Writer = w
	c.Next()
	w.stamp() // an answer without a body is sent after the handlers
}

// timedWriter sets X-Process-Time just before the headers are sent.
type timedWriter struct {
	gin.ResponseWriter
	start time.Time
}

func (w *timedWriter) stamp() {
	if !w.Written() {
		w.Header().Set("X-Process-Time", strconv.FormatFloat(time.Since(w.start).Seconds(), 'f', 6, 64))
	}
}

func (w *timedWriter) Write(b []byte) (int, error) {
	w.stamp()
	return w.ResponseWriter.Write(b)
}

func (w *timedWriter) WriteString(s string) (int, error) {
	w.stamp()
	return w.ResponseWriter.WriteString(s)
}

func (w *timedWriter) WriteHeaderNow() {
	w.stamp()
	w.ResponseWriter.WriteHeaderNow()
}

// Unwrap is for http.ResponseController.
func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
