package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver/oauth"
)

// limitBody refuses a body that says it is too large before any of it is read,
// and cuts off one that does not say.
func limitBody(c *gin.Context) {
	r := c.Request
	if r.ContentLength > oauth.MaxBody {
		c.Abort()
		c.Header("Connection", "close") // what is on its way is not read
		tooLarge().write(c.Writer)
		return
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(c.Writer, r.Body, oauth.MaxBody)
	}
}
