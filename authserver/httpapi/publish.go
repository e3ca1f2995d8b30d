package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver/keys"
)

// publish serves a document that anyone may read, from any origin, and keep for
// keys.MaxAge: a key is published for much longer before it signs.
func publish(content func() []byte) gin.HandlerFunc {
	kept := "public, max-age=" + strconv.Itoa(int(keys.MaxAge.Seconds()))
	return func(c *gin.Context) {
		h := c.Writer.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cache-Control", kept)
		serveBytes(c, "application/json", content())
	}
}

// serveBytes serves b under a tag of its content, and 304 to who has it.
func serveBytes(c *gin.Context, contentType string, b []byte) {
	sum := sha256.Sum256(b)
	c.Header("Content-Type", contentType)
	c.Header("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
	http.ServeContent(c.Writer, c.Request, "", time.Time{}, bytes.NewReader(b))
}
