package httpapi

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver/web"
)

//go:embed docs/*.html docs/*.js docs/*.png docs/*.gz docs/*.txt
var docs embed.FS

// pagesPolicy lets the pages load what this server serves and nothing else.
// Both put style elements into the page; Redoc searches in a worker of its own.
const pagesPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pages adds /docs and /redoc with what they load, and the document itself.
func (d *document) pages(openAPI []byte) error {
	d.site.Handle(http.MethodGet, "/openapi.json", func(c *gin.Context) {
		c.Header("Cache-Control", "no-cache")
		web.ServeBytes(c.Writer, c.Request, "application/json", openAPI)
	})
	files, err := docs.ReadDir("docs")
	if err != nil {
		return fmt.Errorf("read documentation pages: %w", err)
	}
	for _, f := range files {
		content, err := docs.ReadFile("docs/" + f.Name())
		if err != nil {
			return fmt.Errorf("read documentation pages: %w", err)
		}
		switch name := f.Name(); name {
		case "swagger.html":
			d.site.Handle(http.MethodGet, "/docs", servePage(content))
		case "redoc.html":
			d.site.Handle(http.MethodGet, "/redoc", servePage(content))
		case "oauth2-redirect.html": // where a login by redirect comes back to
			d.site.Handle(http.MethodGet, "/docs/"+name, servePage(content))
		default:
			d.site.Handle(http.MethodGet, "/docs/"+strings.TrimSuffix(name, ".gz"), serveFile(name, content))
		}
	}
	return nil
}

func servePage(content []byte) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Header("Content-Security-Policy", pagesPolicy)
		c.Header("Cache-Control", "no-cache")
		web.ServeBytes(c.Writer, c.Request, "text/html; charset=utf-8", content)
	}
}

// serveFile serves a file as it is kept: the large ones packed, to all who can
// unpack them.
func serveFile(name string, content []byte) gin.HandlerFunc {
	name, packed := strings.CutSuffix(name, ".gz")
	contentType := mime.TypeByExtension(path.Ext(name))
	// Once for all who cannot: it takes a hundred times as long as to send it.
	unpacked := sync.OnceValues(func() ([]byte, error) { return unpack(content) })
	return func(c *gin.Context) {
		c.Header("Cache-Control", "no-cache")
		if !packed {
			web.ServeBytes(c.Writer, c.Request, contentType, content)
			return
		}
		c.Writer.Header().Add("Vary", "Accept-Encoding")
		if acceptsGzip(c.Request) {
			c.Header("Content-Encoding", "gzip")
			web.ServeBytes(c.Writer, c.Request, contentType, content)
			return
		}
		plain, err := unpacked()
		if err != nil { // the file is part of this program
			panic(err)
		}
		web.ServeBytes(c.Writer, c.Request, contentType, plain)
	}
}

func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
		return err != nil || q > 0
	}
	return false
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return io.ReadAll(r)
}
