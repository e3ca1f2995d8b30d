// Package chromium starts browsers for tests, and looks at what they show.
package chromium

import (
	"context"
	_ "embed"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// New is a context in which chromedp starts a Chromium of its own, with more
// options beside those that all tests need. After patience it is ended. Without a
// Chromium the test is skipped.
func New(t *testing.T, patience time.Duration, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(Path(t)), chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-dev-shm-usage", true), // 64 MB in most containers
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // chromium refuses to sandbox root
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(options, more...)...)
	t.Cleanup(cancel)
	return ctx
}

// Path is the Chromium that New starts; without one the test is skipped.
func Path(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	program.Missing(t, "no chromium in PATH")
	return ""
}

//go:embed axe/axe.min.js
var axe string

// Axe holds that the accessibility check finds nothing on the page of a tab
// (PAG-002); name says which page that is.
func Axe(t *testing.T, tab context.Context, name string) {
	t.Helper()
	found, err := chromedp.Run(tab, chromedp.Evaluate[string](axe+`
		;axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => JSON.stringify(
			{passes: r.passes.length, violations: r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html).join(" ").slice(0, 400))}))`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: axe: %v", name, err)
	}
	var result struct {
		Passes     int
		Violations []string
	}
	if err := json.Unmarshal([]byte(found), &result); err != nil {
		t.Fatalf("%s: axe says %q: %v", name, found, err)
	}
	if result.Passes < 10 {
		t.Errorf("%s: axe has looked at %d rules only", name, result.Passes)
	}
	if len(result.Violations) > 0 {
		t.Errorf("%s: axe finds:\n%s", name, strings.Join(result.Violations, "\n"))
	}
}
