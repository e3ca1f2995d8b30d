package login

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/tokenwright/tokenwright/e2e/chromium"
)

// tab is one of a Chromium, with what was answered and complained about.
type tab struct {
	context.Context
	*testing.T
	*heard
}

type heard struct {
	mu         sync.Mutex
	status     map[string]int64 // by URL without its query
	complaints []string
}

// newTab starts a Chromium of its own, to which third.test is this machine.
func newTab(t *testing.T) *tab {
	t.Helper()
	ctx := chromium.New(t, 2*time.Minute, chromedp.Flag("host-resolver-rules", "MAP third.test 127.0.0.1"))
	b := &tab{T: t, heard: &heard{status: map[string]int64{}}}
	var cancel context.CancelFunc
	b.Context, cancel = chromedp.NewContext(ctx, chromedp.WithListener(b.hear))
	t.Cleanup(cancel)
	b.open("about:blank")
	return b
}

func (b *heard) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventResponseReceived:
		address, _, _ := strings.Cut(e.Response.URL, "?")
		b.status[address] = e.Response.Status
	case *cdplog.EventEntryAdded:
		b.complaints = append(b.complaints, e.Entry.Text+" "+e.Entry.URL)
	}
}

// answered is the status of the last answer from an address.
func (b *heard) answered(address string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status[address]
}

// violations are the complaints about a Content-Security-Policy or a frame.
func (b *heard) violations() (all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		if strings.Contains(c, "Content Security Policy") || strings.Contains(c, "X-Frame-Options") {
			all = append(all, c)
		}
	}
	return all
}

// popup is the tab that an action opens.
func (b *tab) popup(act func()) *tab {
	b.Helper()
	opened := chromedp.WaitNewTarget(b.Context, func(i *target.Info) bool { return i.URL != "" && i.URL != "about:blank" })
	act()
	select {
	case id := <-opened:
		p := &tab{T: b.T, heard: &heard{status: map[string]int64{}}}
		var cancel context.CancelFunc
		p.Context, cancel = chromedp.NewContext(b.Context, chromedp.WithTargetID(id), chromedp.WithListener(p.hear))
		b.Cleanup(cancel)
		return p
	case <-b.Context.Done():
		b.Fatal("no window opens")
		return nil
	}
}

func (b *tab) open(address string) {
	b.Helper()
	// One that leaves for another program is aborted, and so may one be that goes on at once.
	if err := chromedp.Do(b.Context, chromedp.Navigate(address)); err != nil && !strings.Contains(err.Error(), "ERR_ABORTED") {
		b.Fatalf("open %s: %v", address, err)
	}
}

func (b *tab) click(selector string) {
	b.Helper()
	if err := chromedp.Do(b.Context, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)); err != nil {
		b.Fatalf("click %s: %v\nat %s", selector, err, b.eval(`location.href + "\n" + document.body.innerText`))
	}
}

func (b *tab) wait(selector string) {
	b.Helper()
	if err := chromedp.Do(b.Context, chromedp.WaitVisible(chromedp.CSS(selector))); err != nil {
		b.Fatalf("wait for %s: %v\nat %s", selector, err, b.eval(`location.href + "\n" + document.body.innerText`))
	}
}

// logIn fills in the login page.
func (b *tab) logIn(name, password string) {
	b.Helper()
	b.wait("#login")
	b.eval(`(document.getElementById("username").value = "", "")`)
	err := chromedp.Do(b.Context, chromedp.SendKeys(chromedp.CSS("#username"), name), chromedp.SendKeys(chromedp.CSS("#password"), password))
	if err != nil {
		b.Fatal(err)
	}
	b.click("#login")
}

func (b *tab) try(script string) (string, error) {
	return chromedp.Run(b.Context, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
}

// eval is a text that a script makes, or promises.
func (b *tab) eval(script string) string {
	b.Helper()
	text, err := b.try(script)
	if err != nil {
		b.Fatalf("evaluate %s: %v", script, err)
	}
	return text
}

// browse is a request of the client page's, whose redirect URI is at a port.
func browse(w *world, callback, state string, edits ...string) string {
	edits = append([]string{"client_id=page", "redirect_uri=" + callback, "state=" + state}, edits...)
	return w.issuer + "/oauth/authorize?" + url.Values(request(edits...)).Encode()
}
