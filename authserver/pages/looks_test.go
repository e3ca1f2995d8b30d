package pages

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tokenwright/tokenwright/e2e/chromium"
)

// TestLooks sees every page in every state in Chromium, small and large, light
// and dark, in both languages, without scripts (PAG-001, PAG-002, PAG-003,
// PAG-006). What scripts add is in TestScripts.
func TestLooks(t *testing.T) {
	if testing.Short() {
		t.Skip("Chromium is a program of its own, in which the race detector sees nothing")
	}
	all := states()
	origin := site(t, newRenderer(t), all)
	tab := newTab(t)
	for _, look := range []struct {
		width        int64
		scheme, lang string
	}{
		{320, "light", "de"}, {320, "dark", "en"}, {1280, "light", "en"}, {1280, "dark", "de"},
	} {
		t.Run(fmt.Sprintf("%d %s %s", look.width, look.scheme, look.lang), func(t *testing.T) {
			tab.looks(t, look.width, look.scheme, look.lang)
			for _, s := range all {
				t.Run(s.name, func(t *testing.T) {
					tab.scripts(t, false)
					if err := chromedp.Do(tab, chromedp.Navigate(origin+"/auth/"+s.name)); err != nil {
						t.Fatal(err)
					}
					tab.screenshot(t, s.name)
					tab.measure(t, look.width)
					tab.scripts(t, true) // axe's, the page's have been passed over
					chromium.Axe(t, tab, s.name)
					tab.quiet(t, origin)
				})
			}
		})
	}
}

// TestBrandLooks sees a brand that is hard to fit in: a long name, a wide logo
// that holds a script, a colour that is nearly black.
func TestBrandLooks(t *testing.T) {
	if testing.Short() {
		t.Skip("Chromium is a program of its own, in which the race detector sees nothing")
	}
	r, err := NewRenderer(Brand{
		Name:  "Example Widgets and Sprockets International",
		Color: "#1a0033",
		Logo: []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 60"><style>rect{fill:#c80}</style>` +
			`<rect width="400" height="60"/><script>document.documentElement.setAttribute("ran","yes")</script></svg>`),
	}, "/auth", slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	var all []state
	for _, s := range states() {
		if s.name == "login-wrong" || s.name == "sessions" || s.name == "consent" {
			all = append(all, s)
		}
	}
	origin := site(t, r, all)
	tab := newTab(t)
	for _, scheme := range []string{"light", "dark"} {
		tab.looks(t, 320, scheme, "de")
		for _, s := range all {
			t.Run(scheme+" "+s.name, func(t *testing.T) {
				if err := chromedp.Do(tab, chromedp.Navigate(origin+"/auth/"+s.name)); err != nil {
					t.Fatal(err)
				}
				tab.screenshot(t, s.name)
				tab.measure(t, 320)
				chromium.Axe(t, tab, s.name)
				tab.quiet(t, origin)
			})
		}
	}
	t.Run("a script in the logo does not run, not even when it is opened by itself", func(t *testing.T) {
		logo, err := r.static.url("icon")
		if err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(tab, chromedp.Navigate(origin+logo)); err != nil {
			t.Fatal(err)
		}
		ran, err := chromedp.Run(tab, chromedp.Evaluate[string](`document.documentElement.tagName + document.documentElement.getAttribute("ran")`))
		if err != nil || ran != "svgnull" {
			t.Errorf("%q %v", ran, err)
		}
	})
}

// measure holds that nothing is wider than the window, and that what is pressed
// is large enough to be hit.
func (b *tab) measure(t *testing.T, width int64) {
	t.Helper()
	wide, err := chromedp.Run(b, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
	if err != nil || wide > width {
		t.Errorf("the page is %d px wide, the window %d: %v", wide, width, err)
	}
	small, err := chromedp.Run(b, chromedp.Evaluate[[]string](`
		[...document.querySelectorAll("button, input:not([type=hidden]), nav a, .tiles a")]
			.filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)
			.map(e => e.outerHTML.slice(0, 80) + " " + e.getBoundingClientRect().height)`))
	if err != nil || len(small) > 0 {
		t.Errorf("lower than 44 px: %q %v", small, err)
	}
}
