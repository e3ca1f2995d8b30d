package login

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// origins is a server of several names, so of several origins: localhost is the
// client's, third.test where its callback goes on to, 127.0.0.1 is of the same site
// as the issuer and of another origin.
type origins struct {
	*httptest.Server
	port    string
	arrived chan url.Values // at the callback
}

func newOrigins(t *testing.T, issuer string) *origins {
	t.Helper()
	o := &origins{arrived: make(chan url.Values, 20)}
	mux := http.NewServeMux()
	page := func(w http.ResponseWriter, format string, args ...any) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><title>page</title>"+format, args...)
	}
	mux.HandleFunc("/opener", func(w http.ResponseWriter, r *http.Request) {
		page(w, `<button id=go onclick='window.open(%q)'>go</button><p id=said></p>
			<script>onmessage = e => said.textContent = e.data</script>`, html.EscapeString(r.URL.Query().Get("to")))
	})
	mux.HandleFunc("/cb", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		r.Form.Set("method", r.Method)
		o.arrived <- r.Form
		switch r.Form.Get("state") {
		case "third":
			http.Redirect(w, r, "http://third.test:"+o.port+"/landed", http.StatusFound)
		case "loopback":
			http.Redirect(w, r, "http://127.0.0.1:"+o.port+"/landed", http.StatusFound)
		case "scheme":
			http.Redirect(w, r, "com.example.app:/done", http.StatusFound)
		default:
			page(w, "<p id=at-client>client</p>")
		}
	})
	mux.HandleFunc("/landed", func(w http.ResponseWriter, r *http.Request) {
		page(w, `<p id=landed>landed</p><script>if (opener) opener.postMessage("landed at " + location.origin, "*")</script>`)
	})
	// What the pages must not be: held to a form-action.
	mux.HandleFunc("/held", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			http.Redirect(w, r, "http://third.test:"+o.port+"/landed", http.StatusSeeOther)
			return
		}
		w.Header().Set("Content-Security-Policy", "form-action 'self'")
		page(w, `<form method=post><button id=go>go</button></form>`)
	})
	mux.HandleFunc("/frame", func(w http.ResponseWriter, r *http.Request) {
		page(w, `<iframe src="%s"></iframe>`, html.EscapeString(r.URL.Query().Get("to")))
	})
	// A form of another site: to, and all other parameters as fields.
	mux.HandleFunc("/form", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		to := q.Get("to")
		q.Del("to")
		var fields strings.Builder
		for name, values := range q {
			for _, v := range values {
				fmt.Fprintf(&fields, `<input type=hidden name="%s" value="%s">`, html.EscapeString(name), html.EscapeString(v))
			}
		}
		page(w, `<form method=post action="%s">%s<button id=go>go</button></form>`, html.EscapeString(to), fields.String())
	})
	o.Server = httptest.NewServer(mux)
	t.Cleanup(o.Close)
	o.port = o.URL[strings.LastIndex(o.URL, ":")+1:]
	return o
}

func (o *origins) at(host, path string) string { return "http://" + host + ":" + o.port + path }

// callback is the client's redirect URI.
func (o *origins) callback() string { return o.at("localhost", "/cb") }

// next is what the client gets.
func (o *origins) next(t *testing.T) url.Values {
	t.Helper()
	select {
	case got := <-o.arrived:
		return got
	case <-time.After(20 * time.Second):
		t.Fatal("nothing arrives at the client")
		return nil
	}
}

func to(address string, target string, fields ...string) string {
	q := url.Values{"to": {target}}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		q.Add(name, value)
	}
	return address + "?" + q.Encode()
}
