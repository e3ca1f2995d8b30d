package httpapi

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

// forPeople sends who prefers a page to Home, if there is one.
func (s *server) forPeople(op huma.Operation) huma.Operation {
	if s.Settings.Home == "" {
		return op
	}
	op.Metadata = map[string]any{metaGuard: gin.HandlerFunc(func(c *gin.Context) {
		c.Writer.Header().Add("Vary", "Accept")
		if prefersHTML(c.Request) {
			c.Header("Location", s.site.Path(s.Settings.Home))
			c.AbortWithStatus(http.StatusSeeOther)
		}
	})}
	return op
}

// prefersHTML reports whether r names text/html and likes nothing else better
// that is answered here (RFC 9110 §12.5.1).
func prefersHTML(r *http.Request) bool {
	var html, other float64
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		switch media {
		case "text/html":
			html = max(html, q)
		case "application/json":
			other = max(other, q)
		}
	}
	return html > other
}
