package pages

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestLanguage(t *testing.T) {
	r := newRenderer(t)
	for _, tc := range []struct {
		name, pushed, query, accept, want string
	}{
		{"English unless something else is said", "", "", "", "en"},
		{"what the browser says", "", "", "fr;q=0.9, de-AT;q=0.8, en;q=0.1", "de"},
		{"what the address says goes first", "", "de", "en", "de"},
		{"what was pushed goes first of all", "de-CH", "en", "en", "de"},
		{"the first that there is", "tlh fr de en", "", "", "de"},
		{"a language that is not there leaves it to the browser", "fr", "", "de", "de"},
		{"what is no language is ignored", "%%% !! de", "", "", "de"},
		{"a list that is too long is not read", strings.Repeat("en ", 1000), "", "de", "de"},
		{"nor one of the browser", "", "", strings.Repeat("de,", 1000) + "de", "en"},
		{"what cannot be read of the browser is ignored", "", "", ";;q=x", "en"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := httptest.NewRequest(http.MethodGet, "/login?ui_locales="+tc.query, nil)
			req.Header.Set("Accept-Language", tc.accept)
			w := httptest.NewRecorder()
			r.Render(w, req, http.StatusOK, Login{Common: Common{UILocales: tc.pushed}})
			if got := w.Header().Get("Content-Language"); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if !strings.Contains(w.Body.String(), `<html lang="`+tc.want+`">`) {
				t.Error("the document says otherwise")
			}
		})
	}
}
