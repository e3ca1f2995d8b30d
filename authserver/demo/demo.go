// Package demo is an application that people can copy: a single page in a few
// files, without a server of its own, that logs people in by redirect. It owns
// the files and how they are served; `serve --demo` mounts it.
package demo

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver/web"
)

// Path is where the page is, below the issuer's.
const Path = "/demo/"

//go:embed static
var static embed.FS

// policy lets the page run and ask what this server serves, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// example is what stands in settings.js for the issuer.
const example = `"https://auth.example.com"`

var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// Mount registers the page and its files. Only settings.js is not as it is kept:
// it names the issuer.
func Mount(site *web.Site, issuer string) error {
	quoted, err := json.Marshal(issuer)
	if err != nil {
		return fmt.Errorf("quote issuer: %w", err)
	}
	files, err := static.ReadDir("static")
	if err != nil {
		return fmt.Errorf("read demo: %w", err)
	}
	for _, f := range files {
		content, err := static.ReadFile("static/" + f.Name())
		if err != nil {
			return fmt.Errorf("read demo: %w", err)
		}
		switch name := f.Name(); name {
		case "index.html":
			site.Handle(http.MethodGet, Path, serve(name, content))
		case "settings.js":
			content = []byte(strings.Replace(string(content), example, string(quoted), 1))
			fallthrough
		default:
			site.Handle(http.MethodGet, Path+name, serve(name, content))
		}
	}
	// Relative addresses need the slash.
	site.Handle(http.MethodGet, strings.TrimSuffix(Path, "/"), func(c *gin.Context) {
		c.Header("Location", site.Path(Path))
		c.Status(http.StatusSeeOther)
	})
	return nil
}

func serve(name string, content []byte) gin.HandlerFunc {
	contentType := contentTypes[path.Ext(name)]
	return func(c *gin.Context) {
		c.Header("Content-Security-Policy", policy)
		c.Header("Cache-Control", "no-cache")
		web.ServeBytes(c.Writer, c.Request, contentType, content)
	}
}
