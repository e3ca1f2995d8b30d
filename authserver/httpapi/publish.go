package httpapi

import (
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/web"
)

// publish serves a document that anyone may read, from any origin, and keep for
// keys.MaxAge: a key is published for much longer before it signs.
func publish(content func() []byte) gin.HandlerFunc {
	kept := "public, max-age=" + strconv.Itoa(int(keys.MaxAge.Seconds()))
	return func(c *gin.Context) {
		h := c.Writer.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cache-Control", kept)
		web.ServeBytes(c.Writer, c.Request, "application/json", content())
	}
}
