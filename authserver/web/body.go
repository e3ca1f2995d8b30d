package web

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// maxQuery is how many parameters a query may have. All are taken apart whenever
// one is read.
const maxQuery = 256

// limitRequest refuses a long query, and a body that says it is too large before any of it is read,
// and cuts off one that does not say.
func (s *Site) limitRequest(c *gin.Context) {
	r := c.Request
	if strings.Count(r.URL.RawQuery, "&") >= maxQuery {
		c.Abort()
		NewProblem(http.StatusBadRequest, "Too many query parameters: 256 at most").Write(c.Writer)
		return
	}
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
