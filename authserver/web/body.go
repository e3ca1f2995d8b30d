package web

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// limitBody refuses a body that says it is too large before any of it is read,
// and cuts off one that does not say.
func (s *Site) limitBody(c *gin.Context) {
	r := c.Request
	if r.ContentLength > s.settings.MaxBody {
		c.Abort()
		c.Header("Connection", "close") // what is on its way is not read
		TooLarge().Write(c.Writer)
		return
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(underneath(c.Writer), r.Body, s.settings.MaxBody)
	}
}

// underneath is net/http's own writer. By it alone does MaxBytesReader say that
// the connection ends; otherwise the answer would wait for the rest of a body
// that may never come.
func underneath(w http.ResponseWriter) http.ResponseWriter {
	for {
		wrapped, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = wrapped.Unwrap()
	}
}
