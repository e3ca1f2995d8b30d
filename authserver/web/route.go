package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// Handle registers a route under a pattern of gin's, without the base path. HEAD
// goes where GET goes; net/http drops the body. It panics if the route is there.
func (s *Site) Handle(method, pattern string, h gin.HandlerFunc) {
	patterns := []string{s.Path(pattern)}
	if pattern == "/" && s.base != "" {
		patterns = append(patterns, s.base)
	}
	for _, p := range patterns {
		s.engine.Handle(method, p, h)
		if method == http.MethodGet {
			s.engine.Handle(http.MethodHead, p, h)
		}
	}
}

// Mark gives the routes of these patterns t, beside the traits that they have,
// whatever the method and whether or not they are registered.
func (s *Site) Mark(t Trait, patterns ...string) {
	for _, p := range patterns {
		s.traits[p] |= t
	}
}

// Path is where a route is on this host: its path below the base.
func (s *Site) Path(route string) string { return s.base + route }

// route is the pattern of the route that answers, without the base, and empty
// where none fits.
func (s *Site) route(c *gin.Context) string {
	pattern := c.FullPath()
	if pattern == s.base && pattern != "" {
		return "/"
	}
	return strings.TrimPrefix(pattern, s.base)
}

func (s *Site) has(c *gin.Context, t Trait) bool { return s.traits[s.route(c)]&t != 0 }

// ServeHTTP answers by the route that fits.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path, ok := s.below(r.URL.Path); ok {
		r = moved(r, path)
	}
	s.engine.ServeHTTP(w, r)
}

// below is the path below the base of what is asked for at the host's root: a
// route with the trait AtRoot, or a well-known document, which RFC 8414 §3.1 and
// RFC 9728 §3.1 look for with the base behind its name.
func (s *Site) below(path string) (string, bool) {
	if s.base == "" {
		return "", false
	}
	if s.traits[path]&AtRoot != 0 {
		return s.Path(path), true
	}
	const wellKnown = "/.well-known/"
	name, ok := strings.CutPrefix(path, wellKnown)
	end := strings.IndexByte(name, '/')
	if !ok || end < 0 {
		return "", false
	}
	rest, ok := strings.CutPrefix(name[end:], s.base)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return s.Path(wellKnown + name[:end] + rest), true
}

// moved is r as if it asked for path.
func moved(r *http.Request, path string) *http.Request {
	there, at := new(http.Request), new(url.URL)
	*there, *at = *r, *r.URL
	at.Path, at.RawPath = path, ""
	there.URL = at
	return there
}
