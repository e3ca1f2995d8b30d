package web

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// Navigates reports whether r's answer will be a page of its own, as far as the
// browser says what it is for (Fetch Metadata §2.1): a script cannot say it, nor
// does a browser's age, so what says nothing is let through. With framed, a page
// inside another will do too.
func Navigates(r *http.Request, framed bool) bool {
	for _, dest := range r.Header.Values("Sec-Fetch-Dest") {
		if dest != "document" && !(framed && dest == "iframe") {
			return false
		}
	}
	return true
}

// Navigation is h for navigations and refuse for every other request: for routes
// that read a cookie, so that a script on a page of this server's, the
// documentation say, cannot use what the cookie opens. A nil framed means never;
// else it says of a request whether its answer may stand in a frame, because it
// shows nothing.
func Navigation(h, refuse gin.HandlerFunc, framed func(*http.Request) bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		if Navigates(c.Request, framed != nil && framed(c.Request)) {
			h(c)
			return
		}
		refuse(c)
	}
}

// SameOrigin is h for requests of this server's own pages and of no page at all,
// and refuse for another site's, by the rule of [http.CrossOriginProtection]: for
// routes that a form posts to. What only reads (GET, HEAD, OPTIONS) is let
// through.
func SameOrigin(h, refuse gin.HandlerFunc) gin.HandlerFunc {
	rule := http.NewCrossOriginProtection()
	return func(c *gin.Context) {
		if rule.Check(c.Request) == nil {
			h(c)
			return
		}
		refuse(c)
	}
}
