package web_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver/web"
)

func answering(status int) gin.HandlerFunc {
	return func(c *gin.Context) { c.String(status, "page") }
}

func TestNavigation(t *testing.T) {
	f := newFixture(t)
	silent := func(r *http.Request) bool { return r.URL.Query().Get("prompt") == "none" }
	f.site.Handle("GET", "/account", web.Navigation(answering(200), answering(403), nil))
	f.site.Handle("GET", "/authorize", web.Navigation(answering(200), answering(403), silent))
	for _, tc := range []struct {
		name, path string
		dest       []string
		status     int
	}{
		{"a link", "/account", []string{"document"}, 200},
		{"a browser that does not say", "/account", nil, 200},
		{"PAG-004 fetch", "/account", []string{"empty"}, 403},
		{"PAG-004 a frame", "/account", []string{"iframe"}, 403},
		{"an old frame", "/account", []string{"frame"}, 403},
		{"an image", "/account", []string{"image"}, 403},
		{"a script", "/account", []string{"script"}, 403},
		{"nothing", "/account", []string{""}, 403},
		{"twice", "/account", []string{"document", "empty"}, 403},
		{"a request that may show a page, in a frame", "/authorize", []string{"iframe"}, 403},
		{"a request that shows none, in a frame", "/authorize?prompt=none", []string{"iframe"}, 200},
		{"a request that shows none, by fetch", "/authorize?prompt=none", []string{"empty"}, 403},
		{"a request that shows none, as an object", "/authorize?prompt=none", []string{"object"}, 403},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "http://auth.example.test"+tc.path, nil)
			if tc.dest != nil {
				r.Header["Sec-Fetch-Dest"] = tc.dest
			}
			if w := f.serve(r); w.Code != tc.status {
				t.Errorf("status %d, want %d", w.Code, tc.status)
			}
		})
	}
}

func TestSameOrigin(t *testing.T) {
	f := newFixture(t)
	guarded := web.SameOrigin(answering(200), answering(403))
	f.site.Handle("POST", "/login", guarded)
	f.site.Handle("GET", "/login", guarded)
	for _, tc := range []struct {
		name, method, site, origin string
		status                     int
	}{
		{"our own form", "POST", "same-origin", "https://auth.example.test", 200},
		{"our own form, without an origin", "POST", "same-origin", "null", 200},
		{"typed into the address bar", "POST", "none", "", 200},
		{"a program", "POST", "", "", 200},
		{"an older browser's, our own", "POST", "", "https://auth.example.test", 200},
		{"PAG-004 another site's form", "POST", "cross-site", "https://evil.test", 403},
		{"PAG-004 a neighbour's form", "POST", "same-site", "https://other.example.test", 403},
		{"PAG-004 an older browser's, another site's", "POST", "", "https://evil.test", 403},
		{"an older browser's, without an origin", "POST", "", "null", 403},
		{"another port's", "POST", "", "https://auth.example.test:8443", 403},
		{"another site's link", "GET", "cross-site", "https://evil.test", 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, "https://auth.example.test/login", nil)
			if tc.site != "" {
				r.Header.Set("Sec-Fetch-Site", tc.site)
			}
			if tc.origin != "" {
				r.Header.Set("Origin", tc.origin)
			}
			if w := f.serve(r); w.Code != tc.status {
				t.Errorf("status %d, want %d", w.Code, tc.status)
			}
		})
	}
}
