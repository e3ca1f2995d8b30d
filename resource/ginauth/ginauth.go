// Package ginauth puts a resource.Guard in front of gin handlers. It decides
// nothing by itself: requests pass or fail here exactly as they do behind the
// guard's own middleware for net/http.
package ginauth

import (
	"github.com/gin-gonic/gin"
	"github.com/tokenwright/tokenwright/resource"
)

// Require lets requests through that pass all rules and ends the others with
// the guard's answer; what led to it is in the context's Errors. Answers are
// marked as not for caches; a handler may say otherwise.
func Require(g *resource.Guard, rules ...resource.Rule) gin.HandlerFunc {
	return func(c *gin.Context) {
		claims, challenge := g.Authenticate(c.Request, rules...)
		if challenge != nil {
			if challenge.Err != nil {
				_ = c.Error(challenge.Err)
			}
			challenge.Write(c.Writer)
			c.Abort()
			return
		}
		resource.NoStore(c.Writer.Header())
		c.Request = c.Request.WithContext(resource.WithClaims(c.Request.Context(), claims))
		c.Next()
	}
}

// Claims are those of the request's token; nil behind no Require. They are
// shared with other requests and must not be changed.
func Claims(c *gin.Context) *resource.Claims {
	claims, _ := resource.ClaimsFrom(c.Request.Context())
	return claims
}
