package program

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Browser is one with a cookie jar that knows forms and no scripts. What goes
// wrong with the connection ends its test.
type Browser struct {
	*testing.T
	// Site is where addresses without a host lead, and what the browser does not
	// leave.
	Site   string
	Client *http.Client
	Header http.Header // of every request
}

// NewBrowser is one without cookies.
func NewBrowser(t *testing.T, site string) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Browser{T: t, Site: site, Header: http.Header{}, Client: &http.Client{
		Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Open asks for an address as a link does.
func (b *Browser) Open(address string) Page {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), "GET", b.absolute(address), nil)
	if err != nil {
		b.Fatal(err)
	}
	return b.follow(r)
}

// Send posts a form.
func (b *Browser) Send(address string, form url.Values) Page {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), "POST", b.absolute(address), strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.follow(r)
}

func (b *Browser) absolute(address string) string {
	if strings.HasPrefix(address, "/") {
		return b.Site + address
	}
	return address
}

// follow goes where redirects lead, and stops before somebody else's address.
func (b *Browser) follow(r *http.Request) Page {
	b.Helper()
	for range 10 {
		a := b.One(r)
		if !a.Left() {
			return a
		}
		if a.Status != http.StatusSeeOther || a.Header.Get("Cache-Control") != "no-store" {
			b.Errorf("AUT-008, AUT-023: %s %s is answered with %d, Cache-Control %q", r.Method, r.URL.Path, a.Status, a.Header.Get("Cache-Control"))
		}
		to, err := a.URL.Parse(a.Header.Get("Location"))
		if err != nil {
			b.Fatal(err)
		}
		if a.URL = to; !strings.HasPrefix(to.String(), b.Site+"/") {
			return a
		}
		if r, err = http.NewRequestWithContext(b.Context(), "GET", to.String(), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.Fatal("redirects go on and on")
	return Page{}
}

// One sends one request and follows nothing.
func (b *Browser) One(r *http.Request) Page {
	b.Helper()
	for name, values := range b.Header {
		r.Header[name] = values
	}
	res, err := b.Client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	return Page{Answer{Status: res.StatusCode, Header: res.Header, Body: string(body)}, r.URL}
}

// Press fills in and sends the first form of a that has the button; edits are
// name=value.
func (b *Browser) Press(a Page, button string, edits ...string) Page {
	b.Helper()
	f := b.Find(a, button)
	for _, edit := range edits {
		name, value, _ := strings.Cut(edit, "=")
		f.Fields.Set(name, value)
	}
	return b.Send(f.Action, f.Fields)
}

// Find is the first form of a that has the button, and must be there.
func (b *Browser) Find(a Page, button string) Form {
	b.Helper()
	all := a.Forms(button)
	if len(all) == 0 {
		b.Fatalf("no button %q on the page: %d %s\n%s", button, a.Status, a.URL, a.Body)
	}
	f := all[0]
	if f.Action == "" {
		f.Action = a.URL.String()
	}
	return f
}

// LogIn fills in a login page.
func (b *Browser) LogIn(a Page, username, password string) Page {
	b.Helper()
	return b.Press(a, "login", "username="+username, "password="+password)
}

// Through does on the pages of a request what leads to the client.
func (b *Browser) Through(a Page, username, password string) Page {
	b.Helper()
	if a.On("login") {
		a = b.LogIn(a, username, password)
	}
	if a.On("allow") {
		a = b.Press(a, "allow")
	}
	if !a.Left() {
		b.Fatalf("the way does not lead to the client: %d %s\n%s", a.Status, a.URL, a.Body)
	}
	return a
}
