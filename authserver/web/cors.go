package web

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"
)

// cors lets pages of the configured origins read answers (Fetch standard §3.2).
// There is no cookie anywhere, so credentials are never allowed. What is
// published for everyone says so itself.
func (s *Site) cors(c *gin.Context) {
	h := c.Writer.Header()
	h.Add("Vary", "Origin")
	r := c.Request
	origin := r.Header.Get("Origin")
	allowed := slices.Contains(s.settings.CORSOrigins, origin)
	if allowed {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate, X-Request-Id")
	}
	preflight := r.Method == http.MethodOptions && origin != "" && r.Header.Get("Access-Control-Request-Method") != ""
	methods := h.Get("Allow") // gin's, for the path's other methods; empty for an unknown path
	if !preflight || methods == "" {
		return
	}
	c.Abort()
	if allowed {
		h.Set("Access-Control-Allow-Methods", methods)
		h.Set("Access-Control-Allow-Headers", "authorization, content-type")
		h.Set("Access-Control-Max-Age", "600")
	}
	c.Status(http.StatusNoContent)
}
