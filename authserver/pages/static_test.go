package pages

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestStatic(t *testing.T) {
	r, err := NewRenderer(Brand{Color: "#123456"}, "/auth", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	get := func(method, path string, headers ...string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(method, path, nil)
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		r.Static().ServeHTTP(w, req)
		return w
	}
	body := show(r, Login{}).Body.String()
	style := regexp.MustCompile(`/auth/static/style-[\w-]{12}\.css`).FindString(body)
	script := regexp.MustCompile(`/auth/static/password-[\w-]{12}\.js`).FindString(body)
	icon := regexp.MustCompile(`/auth/static/icon-[\w-]{12}\.svg`).FindString(body)

	for path, contentType := range map[string]string{
		style: "text/css; charset=utf-8", script: "text/javascript; charset=utf-8", icon: "image/svg+xml",
	} {
		w := get(http.MethodGet, path)
		h := w.Header()
		if w.Code != http.StatusOK || h.Get("Content-Type") != contentType || h.Get("ETag") == "" ||
			h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q: %d %v", path, w.Code, h)
		}
		if !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%q may run what is in it", path)
		}
		if again := get(http.MethodGet, path, "If-None-Match", h.Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%q again: %d, want 304", path, again.Code)
		}
	}
	if css := get(http.MethodGet, style).Body.String(); !strings.HasPrefix(css, ":root{--brand:#123456;") {
		t.Errorf("the stylesheet starts with %.60q", css)
	}
	for _, ground := range []string{lightGround, darkGround} {
		if css := get(http.MethodGet, style).Body.String(); !strings.Contains(css, ground) {
			t.Errorf("the stylesheet has no ground %s: accents are reckoned for another", ground)
		}
	}
	if svg := get(http.MethodGet, icon).Body.String(); !strings.Contains(svg, "#123456") || strings.Contains(svg, defaultColor) {
		t.Error("the icon is not of the brand's colour")
	}
	for path, want := range map[string]int{
		"/auth/static/": 404, "/auth/static/style.css": 404, "/auth/static/../static.go": 404,
		strings.TrimPrefix(style, "/auth"): 404, "/x" + style: 404,
	} {
		if w := get(http.MethodGet, path); w.Code != want || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v, want %d", path, w.Code, w.Header(), want)
		}
	}
	if w := get(http.MethodPost, style); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestBrand(t *testing.T) {
	logo := []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>`)
	png := []byte("\x89PNG\r\n\x1a\nrest")
	for _, tc := range []struct {
		name  string
		brand Brand
		want  string // part of the fault, or empty
	}{
		{"nothing is ours", Brand{}, ""},
		{"a name, an SVG file and a colour", Brand{"Example", logo, "#0044AA"}, ""},
		{"a PNG file", Brand{Logo: png}, ""},
		{"neither", Brand{Logo: []byte("GIF89a")}, "neither SVG nor PNG"},
		{"no picture", Brand{Logo: []byte("<html><body>")}, "neither SVG nor PNG"},
		{"too large", Brand{Logo: append(png, make([]byte, MaxLogo)...)}, "at most 102400"},
		{"a colour by name", Brand{Color: "red"}, "not of the form"},
		{"a short colour", Brand{Color: "#abc"}, "not of the form"},
		{"a colour that is more", Brand{Color: "#123456;}"}, "not of the form"},
		{"a sign in it", Brand{Color: "#+12345"}, "not of the form"},
		{"too light for white text", Brand{Color: "#ffcc00"}, "contrast of 1.5:1"},
		{"a little too light", Brand{Color: "#777777"}, "contrast of 4.4:1"},
		{"just dark enough", Brand{Color: "#767676"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := NewRenderer(tc.brand, "", slog.New(slog.DiscardHandler))
			if got := fault(err); tc.want == "" && err != nil || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func fault(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestAccentCanBeRead goes over the whole range of colours that are taken.
func TestAccentCanBeRead(t *testing.T) {
	light, _ := parseColor(lightGround)
	dark, _ := parseColor(darkGround)
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				c := color{uint8(r), uint8(g), uint8(b)}
				if c.contrast(white) < minContrast {
					continue
				}
				if got := c.towards(black, lightGround).contrast(light); got < minContrast {
					t.Fatalf("%s on a light page: %.2f", c, got)
				}
				if got := c.towards(white, darkGround).contrast(dark); got < minContrast {
					t.Fatalf("%s on a dark card: %.2f", c, got)
				}
			}
		}
	}
}
