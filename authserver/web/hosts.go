package web

import (
	"net"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// checkHost refuses requests for other hosts, so that a page whose name was
// pointed at this server cannot speak to it (DNS rebinding).
func (s *Site) checkHost(c *gin.Context) {
	if !s.has(c, AnyHost) && !s.allowsHost(c.Request.Host) {
		c.Abort()
		NewProblem(http.StatusBadRequest, "Invalid host header").Write(c.Writer)
	}
}

func (s *Site) allowsHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = bareHost(host)
	for _, pattern := range s.hosts {
		if suffix, wild := strings.CutPrefix(pattern, "*"); wild && len(host) > len(suffix) && strings.HasSuffix(host, suffix) {
			return true
		}
		if host == pattern && host != "" {
			return true
		}
	}
	return false
}

func hostPatterns(allowed []string) []string {
	patterns := make([]string, len(allowed))
	for i, host := range allowed {
		patterns[i] = bareHost(host)
	}
	return patterns
}

// bareHost is the form in which hosts compare: in lower case, an IPv6 address
// without its brackets.
func bareHost(host string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
}
