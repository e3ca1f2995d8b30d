package doctor

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
)

// agent is what the doctor's browsers call themselves.
const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// browser is a person's: it keeps cookies, follows the issuer's redirects and
// fills in forms. It runs no script.
type browser struct {
	*subject
	jar http.CookieJar
	set []*http.Cookie // all that it was given
}

func (s *subject) newBrowser() *browser {
	jar, _ := cookiejar.New(nil) // never an error without options
	return &browser{subject: s, jar: jar}
}

// cookies are those that go to the authorization endpoint.
func (b *browser) cookies() []*http.Cookie {
	u, err := url.Parse(b.metadata.authorize)
	if err != nil {
		return nil
	}
	return b.jar.Cookies(u)
}

// plant puts the cookies of another browser into this one.
func (b *browser) plant(other *browser) {
	if u, err := url.Parse(b.metadata.authorize); err == nil {
		b.jar.SetCookies(u, other.set)
	}
}

// headers are what a browser says of a request to a page of its own (Fetch
// Metadata), changed by pairs.
func headers(origin string, pairs ...string) http.Header {
	h := http.Header{
		"User-Agent": {agent}, "Accept": {"text/html"}, "Accept-Language": {"en"},
		"Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Site": {"same-origin"},
	}
	if origin != "" {
		h.Set("Origin", origin)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if h.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			h.Del(pairs[i])
		}
	}
	return h
}

// visit sends one request with the cookies that belong to it. header are pairs
// that change what a browser says.
func (b *browser) visit(ctx context.Context, method, target, body string, header ...string) answer {
	u, err := url.Parse(target)
	if err != nil {
		return answer{method: method, url: target, err: plain(err)}
	}
	origin := ""
	if method == http.MethodPost {
		origin = u.Scheme + "://" + u.Host
	}
	h := headers(origin, header...)
	if method == http.MethodPost {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r := http.Request{Header: h}
	for _, c := range b.jar.Cookies(u) {
		r.AddCookie(c)
	}
	a := b.send(ctx, method, target, h, body)
	if a.err == nil {
		cookies := (&http.Response{Header: a.header}).Cookies()
		b.set = append(b.set, cookies...)
		b.jar.SetCookies(u, cookies)
	}
	return a
}

// press sends a form of page by a button that Pages names, with fields filled in.
func (b *browser) press(ctx context.Context, page answer, called string, fill []string, header ...string) answer {
	for _, f := range page.forms() {
		button := f.button(called)
		if button == nil {
			continue
		}
		pairs := slices.Concat(f.hidden(), fill)
		if name := attribute(button, "name"); name != "" {
			pairs = append(pairs, name, attribute(button, "value"))
		}
		return b.submit(ctx, page, f, pairs, header...)
	}
	a := answer{method: page.method, url: page.url}
	a.err = page.wrong("no form of the page has the button %q", called)
	return a
}

func (b *browser) submit(ctx context.Context, page answer, f htmlForm, pairs []string, header ...string) answer {
	return b.visit(ctx, http.MethodPost, resolve(page.url, f.action), form(pairs...), header...)
}

// resolve is where a reference on a page leads; empty refers to the page.
func resolve(page, reference string) string {
	base, err := url.Parse(page)
	if err != nil {
		return reference
	}
	u, err := base.Parse(reference)
	if err != nil {
		return reference
	}
	return u.String()
}
