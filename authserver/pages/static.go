package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static
var staticFiles embed.FS

// staticPolicy is for who opens a file by itself: an SVG file is a document,
// and could hold a script.
const staticPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"

// static are the files that pages load, under names that change with what is in
// them: so they may be kept for good.
type static struct {
	base  string            // of their addresses, with a slash at the end
	names map[string]string // name in the templates → with hash
	files map[string]file   // name with hash → file
}

type file struct {
	contentType, etag string
	content           []byte
}

func newStatic(base string, b Brand) (*static, error) {
	s := &static{base: base + "/static/", names: map[string]string{}, files: map[string]file{}}
	css, err := b.css()
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		switch name = path.Base(name); name {
		case "style.css":
			content = append([]byte(css), content...)
		case "icon.svg":
			content = bytes.ReplaceAll(content, []byte(defaultColor), []byte(b.Color))
		}
		s.add(name, content)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read static files: %w", err)
	}
	if ext, ok := b.logoType(); ok {
		s.add("logo"+ext, b.Logo)
		s.names["icon"] = s.names["logo"+ext]
	} else {
		s.names["icon"] = s.names["icon.svg"]
	}
	return s, nil
}

func (s *static) add(name string, content []byte) {
	sum := sha256.Sum256(content)
	hash := base64.RawURLEncoding.EncodeToString(sum[:9])
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "-" + hash + ext
	s.names[name] = hashed
	s.files[hashed] = file{contentType: contentTypes[ext], etag: `"` + hash + `"`, content: content}
}

// contentTypes are not the machine's: another's tables may say anything.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".png": "image/png",
}

// url is the address of the file that templates call name.
func (s *static) url(name string) (string, error) {
	hashed, ok := s.names[name]
	if !ok {
		return "", fmt.Errorf("no static file %q", name)
	}
	return s.base + hashed, nil
}

// ServeHTTP serves the files of the addresses that the pages have, by GET and
// HEAD; nothing else is there.
func (s *static) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	name, ok := strings.CutPrefix(req.URL.Path, s.base)
	f, found := s.files[name]
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", staticPolicy)
	switch {
	case !ok || !found:
		h.Set("Cache-Control", "no-store") // an older or newer server may have it
		http.Error(w, "Not found", http.StatusNotFound)
	case req.Method != http.MethodGet && req.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
	default:
		h.Set("Content-Type", f.contentType)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("ETag", f.etag)
		http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(f.content))
	}
}
