package login

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// another is another tab of the same browser.
func (b *tab) another() *tab {
	b.Helper()
	other := &tab{T: b.T, heard: &heard{status: map[string]int64{}}}
	var cancel context.CancelFunc
	other.Context, cancel = chromedp.NewContext(b.Context, chromedp.WithListener(other.hear))
	b.Cleanup(cancel)
	other.open("about:blank")
	return other
}

// AUT-025: two tabs log in for two requests at once, each with the page that it
// had open, and then somebody goes back.
func TestTabs(t *testing.T) {
	w := newWorld(t, false)
	o := newOrigins(t, w.issuer)
	p := w.someone(t)
	first := newTab(t)
	second := first.another()
	first.open(browse(w, o.callback(), "first"))
	first.wait("#login")
	second.open(browse(w, o.callback(), "second"))
	second.logIn(p.name, phrase)
	second.click("#allow")
	if got := o.next(t); got.Get("code") == "" || got.Get("state") != "second" {
		t.Fatalf("the second tab: %v", got)
	}
	second.wait("#at-client")
	first.logIn(p.name, phrase)
	got := o.next(t)
	if got.Get("code") == "" || got.Get("state") != "first" {
		t.Fatalf("the first tab: %v", got)
	}
	first.wait("#at-client")
	redeem := func(code string) {
		t.Helper()
		program.Must(t, 200, p.redeem(code, "client_id=page", "client_secret", "redirect_uri="+o.callback()), nil)
	}
	redeem(got.Get("code"))

	// Back is the request once more: a code again, and no page that says sorry.
	first.eval(`(setTimeout(() => history.back()), "")`)
	again := o.next(t)
	if again.Get("code") == "" || again.Get("state") != "first" || again.Get("code") == got.Get("code") {
		t.Errorf("back: %v", again)
	}
	redeem(again.Get("code"))
}
