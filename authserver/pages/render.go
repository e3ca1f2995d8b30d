package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
)

//go:embed templates/*.html
var templateFiles embed.FS

// Renderer shows pages. It is safe for concurrent use.
type Renderer struct {
	logger  *slog.Logger
	static  *static
	matcher language.Matcher
	books   []*book // as in matcher
}

// book is every page in one language.
type book struct {
	lang  string
	pages map[string]*template.Template
}

// NewRenderer reads templates and texts. base is the path that the whole server
// is below, such as "/auth", or empty. What cannot be shown is logged.
func NewRenderer(brand Brand, base string, logger *slog.Logger) (*Renderer, error) {
	if err := brand.Check(); err != nil {
		return nil, fmt.Errorf("check brand: %w", err)
	}
	if brand.Name == "" {
		brand.Name = defaultName
	}
	if brand.Color == "" {
		brand.Color = defaultColor
	}
	files, err := newStatic(base, brand)
	if err != nil {
		return nil, err
	}
	languages, err := readTexts()
	if err != nil {
		return nil, err
	}
	r := &Renderer{logger: logger, static: files}
	var tags []language.Tag
	for _, t := range languages {
		b, err := newBook(t, brand, files)
		if err != nil {
			return nil, fmt.Errorf("read templates: %w", err)
		}
		r.books, tags = append(r.books, b), append(tags, t.tag)
	}
	r.matcher = language.NewMatcher(tags)
	return r, nil
}

func newBook(t texts, brand Brand, files *static) (*book, error) {
	b := &book{lang: t.tag.String(), pages: map[string]*template.Template{}}
	// layout.html and those whose name starts with part- belong to all pages.
	layout, err := template.New("layout.html").Option("missingkey=error").Funcs(template.FuncMap{
		"t": t.plain, "rich": t.rich, "name": name, "duration": t.duration, "when": t.when,
		"scope": t.scope, "fault": t.fault,
		"menu": func(at string, m Menu) any {
			return struct {
				At string
				Menu
			}{at, m}
		},
		"lang": func() string { return b.lang }, "brand": func() string { return brand.Name }, "static": files.url,
	}).ParseFS(templateFiles, "templates/layout.html", "templates/part-*.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || strings.HasPrefix(name, "part-") {
			continue
		}
		page, err := template.Must(layout.Clone()).ParseFS(templateFiles, file)
		if err != nil {
			return nil, err
		}
		b.pages[name] = page
	}
	return b, nil
}

// Static serves what the pages load, at the addresses below base + "/static/".
func (r *Renderer) Static() http.Handler { return r.static }

// Render answers req with page. If the page cannot be made, the answer is a
// plain 500, and nothing of the page is sent.
func (r *Renderer) Render(w http.ResponseWriter, req *http.Request, status int, page Page) {
	c, v := page.common(), page.view()
	b := r.choose(c.UILocales, req)
	var body bytes.Buffer
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	// Under no-referrer browsers send "Origin: null" with our own forms.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Security-Policy", policy(c.InRequest, v.script != ""))
	if t, ok := b.pages[v.name]; !ok {
		r.fail(w, req, fmt.Errorf("no template %q", v.name))
		return
	} else if err := t.Execute(&body, struct {
		Script string
		Page   any
	}{v.script, v.data}); err != nil {
		r.fail(w, req, err)
		return
	}
	if v.retryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((v.retryAfter+time.Second-1)/time.Second), 10))
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", b.lang)
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // who has hung up sees nothing
}

// fail is where a page could not be made: a fault of ours.
func (r *Renderer) fail(w http.ResponseWriter, req *http.Request, err error) {
	r.logger.ErrorContext(req.Context(), "page not shown", "err", err)
	http.Error(w, "Internal server error", http.StatusInternalServerError)
}

// policy is a page's Content-Security-Policy.
func policy(inRequest, script bool) string {
	p := "default-src 'none'; style-src 'self'; img-src 'self'; connect-src 'none'; base-uri 'none'; frame-ancestors 'none'"
	if script {
		p += "; script-src 'self'"
	}
	if !inRequest {
		p += "; form-action 'self'"
	}
	return p
}
