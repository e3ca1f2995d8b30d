package pages

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/tokenwright/tokenwright/e2e/chromium"
)

// site serves the page of each state, as r shows it, at /auth/NAME.
func site(t *testing.T, r *Renderer, all []state) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/auth/static/", r.Static())
	for _, s := range all {
		mux.HandleFunc("/auth/"+s.name, func(w http.ResponseWriter, req *http.Request) {
			r.Render(w, req, http.StatusOK, s.page)
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// tab is one of a Chromium of its own, with what was asked for and complained about.
type tab struct {
	context.Context
	mu         sync.Mutex
	requests   []string
	complaints []string
}

func newTab(t *testing.T) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(chromium.New(t, 5*time.Minute, chromedp.Flag("hide-scrollbars", true)))
	t.Cleanup(cancel)
	b := &tab{Context: ctx}
	err := chromedp.Listen(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			b.requests = append(b.requests, e.Request.URL)
		case *cdplog.EventEntryAdded:
			b.complaints = append(b.complaints, e.Entry.Text+" "+e.Entry.URL)
		case *runtime.EventExceptionThrown:
			b.complaints = append(b.complaints, e.ExceptionDetails.Text)
		}
	})
	if err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return b
}

// quiet holds that everything came from origin and nothing was complained about,
// since it was last asked.
func (b *tab) quiet(t *testing.T, origin string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) == 0 {
		t.Error("no request was seen")
	}
	for _, url := range b.requests {
		if !strings.HasPrefix(url, origin+"/auth/") {
			t.Errorf("the page asked for %s", url)
		}
	}
	for _, c := range b.complaints {
		t.Errorf("the console says: %s", c)
	}
	b.requests, b.complaints = nil, nil
}

func (b *tab) scripts(t *testing.T, on bool) {
	t.Helper()
	if _, err := chromedp.Call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}); err != nil {
		t.Fatalf("switch scripts: %v", err)
	}
}

// looks sets what the page is to be shown on.
func (b *tab) looks(t *testing.T, width int64, scheme, lang string) {
	t.Helper()
	_, err := chromedp.Call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err == nil {
		_, err = chromedp.Call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
			Headers: network.Headers{"Accept-Language": lang},
		})
	}
	if err == nil {
		err = chromedp.Do(b, chromedp.EmulateViewport(width, 720))
	}
	if err != nil {
		t.Fatalf("set looks: %v", err)
	}
}

// screenshot keeps what the page looks like for go test -artifacts.
func (b *tab) screenshot(t *testing.T, name string) {
	t.Helper()
	png, err := chromedp.Run(b, chromedp.FullScreenshot(100))
	if err != nil {
		t.Errorf("screenshot: %v", err)
		return
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name+".png"), png, 0o600); err != nil {
		t.Error(err)
	}
}
