package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// byOrigin is shared by all answers, as onEveryAnswer is.
var byOrigin = []string{"Origin"}

// cors lets pages of the configured origins and of clients read answers (Fetch standard §3.2).
// No route that it opens reads a cookie, so credentials are never allowed. What
// is published for everyone says so itself.
func (s *Site) cors(c *gin.Context) {
	if s.isNavigated(c) {
		return
	}
	h := c.Writer.Header()
	h["Vary"] = byOrigin
	r := c.Request
	origin := r.Header.Get("Origin")
	allowed := s.allowsOrigin(r.Context(), origin)
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
		h.Set("Access-Control-Allow-Headers", allowedHeaders(r.Header.Values("Access-Control-Request-Headers")))
		h.Set("Access-Control-Max-Age", "600")
	}
	c.Status(http.StatusNoContent)
}

func (s *Site) allowsOrigin(ctx context.Context, origin string) bool {
	if origin == "" {
		return false
	}
	return slices.Contains(s.settings.CORSOrigins, origin) || s.settings.Origin != nil && s.settings.Origin(ctx, origin)
}

func (s *Site) isNavigated(c *gin.Context) bool {
	if s.has(c, Navigated) {
		return true
	}
	// A preflight has no route of its own; a pattern without parameters is its path.
	return c.FullPath() == "" && s.traits[strings.TrimPrefix(c.Request.URL.Path, s.base)]&Navigated != 0
}

// allowedHeaders are those that clients of ours send and those that this one
// asks for: tracing and the like. None of them lets anybody in but Authorization,
// which a page must have been given.
func allowedHeaders(asked []string) string {
	names := []string{"authorization", "content-type"}
	for name := range strings.SplitSeq(strings.Join(asked, ","), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
