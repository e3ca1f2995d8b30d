package examples

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// browser follows redirects and fills in forms.
type browser struct {
	t      *testing.T
	client *http.Client
	at     string
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, client: &http.Client{Jar: jar, Timeout: 10 * time.Second}}
}

func (b *browser) get(address string) string {
	b.t.Helper()
	return b.read(b.client.Get(address))
}

func (b *browser) post(address string, form url.Values) string {
	b.t.Helper()
	return b.read(b.client.PostForm(address, form))
}

func (b *browser) read(res *http.Response, err error) string {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.at = res.Request.URL.String()
	return string(body)
}

var (
	action = regexp.MustCompile(`<form method="post"(?: action="([^"]*)")?`)
	hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// submit posts the form of a page of the server's with its button act.
func (b *browser) submit(page, act string, fields ...string) string {
	b.t.Helper()
	if !strings.Contains(page, fmt.Sprintf(`id=%q`, act)) {
		b.t.Fatalf("no button %q at %s:\n%s", act, b.at, page)
	}
	form := url.Values{"act": {act}}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		form.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	to, err := url.Parse(b.at)
	if err == nil {
		to, err = to.Parse(html.UnescapeString(action.FindStringSubmatch(page)[1]))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return b.post(to.String(), form)
}
