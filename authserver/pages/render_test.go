package pages

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

func newRenderer(t *testing.T) *Renderer {
	t.Helper()
	r, err := NewRenderer(Brand{}, "/auth", slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func show(r *Renderer, page Page, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodGet, "/auth/login", nil)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.Render(w, req, http.StatusOK, page)
	return w
}

func TestEveryPageInEveryStateAndLanguage(t *testing.T) {
	r := newRenderer(t)
	for _, lang := range []string{"en", "de"} {
		for _, s := range states() {
			t.Run(lang+" "+s.name, func(t *testing.T) {
				w := show(r, s.page, "Accept-Language", lang)
				if w.Code != http.StatusOK {
					t.Fatalf("status %d: %s", w.Code, w.Body)
				}
				checkDocument(t, w.Body.String(), lang)
				if strings.Contains(w.Body.String(), "ZgotmplZ") && !strings.HasPrefix(s.name, "hostile") {
					t.Error("an address was not taken") // html/template's word for it
				}
			})
		}
	}
}

// checkDocument holds what a page of any kind has and has not.
func checkDocument(t *testing.T, body, lang string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	ids, headings := map[string]bool{}, 0
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("<%s> has the attribute %s", n.Data, a.Key)
			}
		}
		if id := attr["id"]; id != "" && ids[id] {
			t.Errorf("the id %q stands twice", id)
		} else {
			ids[id] = true
		}
		switch n.Data {
		case "html":
			if attr["lang"] != lang {
				t.Errorf("lang=%q, want %q", attr["lang"], lang)
			}
		case "h1":
			headings++
		case "style", "base", "iframe", "object":
			t.Errorf("there is a <%s>", n.Data)
		case "script":
			if n.FirstChild != nil || !strings.HasPrefix(attr["src"], "/auth/static/") {
				t.Errorf("there is a script that is not a file of ours: %v", n.Attr)
			}
		case "link", "img":
			if !strings.HasPrefix(attr["href"]+attr["src"], "/auth/static/") {
				t.Errorf("<%s> loads something that is not ours: %v", n.Data, n.Attr)
			}
		case "a", "form":
			if to := attr["href"] + attr["action"]; strings.HasPrefix(strings.ToLower(to), "javascript:") {
				t.Errorf("<%s> runs a script: %s", n.Data, to)
			}
		}
	}
	if headings != 1 {
		t.Errorf("%d headings of the first rank, want 1", headings)
	}
}

func TestHostileValuesAreText(t *testing.T) { // PAG-006
	r := newRenderer(t)
	for _, s := range states() {
		if !strings.HasPrefix(s.name, "hostile") {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			body := show(r, s.page).Body.String()
			if strings.Contains(body, "<script>") || strings.Contains(body, `"'>`) {
				t.Error("a value is not escaped")
			}
			doc, err := html.Parse(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			seen, shown := 0, strings.NewReplacer("\u202e", "", "\u2067", "").Replace(hostile)
			for n := range doc.Descendants() {
				if n.Type == html.TextNode && strings.ContainsAny(n.Data, "\u202e\u2067") {
					t.Errorf("<%s> turns the direction of writing around", n.Parent.Data)
				}
				if n.Type == html.TextNode && strings.Contains(n.Data, shown) {
					seen++
					if n.Parent.Data != "bdi" {
						t.Errorf("<%s> has it, which does not isolate the direction of writing", n.Parent.Data)
					}
				}
				for _, a := range n.Attr {
					if a.Key == "value" && a.Val == hostile {
						seen++
					}
				}
			}
			if seen == 0 {
				t.Error("it is not shown as it is")
			}
		})
	}
}

func TestHeaders(t *testing.T) { // AUT-010, PAG-003
	const common = "default-src 'none'; style-src 'self'; img-src 'self'; connect-src 'none'; base-uri 'none'; frame-ancestors 'none'"
	for _, tc := range []struct {
		name   string
		page   Page
		policy string
	}{
		{"inside an authorization request there is no form-action", Login{Common: Common{InRequest: true}}, common + "; script-src 'self'"},
		{"the consent page is always inside one", Consent{}, common},
		{"so is the answer by form", FormPost{}, common + "; script-src 'self'"},
		{"an error there", Error{Common: Common{InRequest: true}, Kind: KindClient}, common},
		{"elsewhere forms go to this server", Login{}, common + "; script-src 'self'; form-action 'self'"},
		{"and from the account pages", Apps{}, common + "; form-action 'self'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := show(newRenderer(t), tc.page).Header()
			for name, want := range map[string]string{
				"Content-Security-Policy":    tc.policy,
				"Content-Type":               "text/html; charset=utf-8",
				"Cache-Control":              "no-store",
				"Referrer-Policy":            "same-origin",
				"X-Frame-Options":            "DENY",
				"X-Content-Type-Options":     "nosniff",
				"Cross-Origin-Opener-Policy": "",
			} {
				if got := h.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestRetryAfterIsRoundedUp(t *testing.T) { // PAG-005
	w := show(newRenderer(t), Login{Problem: Busy, RetryAfter: 1500 * time.Millisecond})
	if got := w.Header().Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After: %q, want 2", got)
	}
	if !strings.Contains(w.Body.String(), "2 seconds") {
		t.Error("the page does not say when to try again")
	}
}

func TestNothingOfAPageThatCannotBeMade(t *testing.T) {
	w := show(newRenderer(t), Login{Username: "alice", Problem: "no such problem", RetryAfter: time.Second})
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "<") || strings.Contains(w.Body.String(), "problem") {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}
