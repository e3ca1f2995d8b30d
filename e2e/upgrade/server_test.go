package upgrade

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// server is the address of a version, or of the balancer before several.
type server struct {
	base string
	http *http.Client
}

// serve starts a version. Its last words are shown if the test fails.
func (h *home) serve(t *testing.T, by program.Binary) (*program.Process, server) {
	t.Helper()
	p := by.Serve(t, h.dir, h.env)
	t.Cleanup(func() {
		if log := p.Log(); t.Failed() {
			t.Logf("%s says:\n%s", p.Base, log[max(0, len(log)-4000):])
		}
	})
	return p, newServer(p.Base)
}

func newServer(base string) server {
	return server{base, &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 50}}}
}

// stop ends the process as an operator does; nobody may be asking it.
func (s server) stop(t *testing.T, p *program.Process) {
	t.Helper()
	s.http.CloseIdleConnections() // a server that ends waits 5 s for one that was never used
	if err := p.Stop(); err != nil {
		t.Fatalf("stop: %v", err)
	}
	for line := range strings.Lines(p.Log()) {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "lost writes") {
			t.Errorf("the server says: %s", line)
		}
	}
}

// good is for answers that have to be as expected, or the test is over.
func good(t *testing.T) func(program.Answer, error) program.Answer {
	return func(a program.Answer, err error) program.Answer {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
}

// form is a client's request: its credentials and pairs of names and values.
func form(client string, pairs ...string) url.Values {
	f := url.Values{"client_id": {client}}
	if client == "conf" || client == "rs" {
		f.Set("client_secret", clientSecret)
	}
	for i := 0; i < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return f
}

// post wants a status of the answer to a form.
func (s server) post(want int, path string, f url.Values) (program.Answer, error) {
	a, err := program.Post(s.http, s.base+path, f)
	return a, expect(want, path, a, err)
}

// call wants a status of the answer to a request with an access token. A body is
// JSON.
func (s server) call(want int, method, path, access, body string) (program.Answer, error) {
	r, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		return program.Answer{}, err
	}
	if access != "" {
		r.Header.Set("Authorization", "Bearer "+access)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	a, err := program.Do(s.http, r)
	return a, expect(want, path, a, err)
}

func expect(want int, path string, a program.Answer, err error) error {
	if err == nil && a.Status != want {
		err = fmt.Errorf("%s: got %d %s, want %d (%s)", path, a.Status, a.Body, want, a.Header.Get(servedBy))
	}
	return err
}

func (s server) login(client, user string) (program.Answer, error) {
	return s.post(200, "/oauth/token", form(client, "grant_type", "password", "username", user, "password", phrase))
}

func (s server) refresh(want int, client, token string) (program.Answer, error) {
	return s.post(want, "/oauth/token", form(client, "grant_type", "refresh_token", "refresh_token", token))
}

func (s server) introspect(token string) (program.Answer, error) {
	return s.post(200, "/oauth/introspect", form("rs", "token", token))
}

// wantActive wants introspection to say that a token is active, or is not.
func (s server) wantActive(want bool, token string) error {
	a, err := s.introspect(token)
	if err == nil && a.Active != want {
		err = fmt.Errorf("introspection says %s, want active: %v", a.Body, want)
	}
	return err
}

// ended is what the feed says first: all that has ended.
func (s server) ended(ctx context.Context) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", s.base+"/oauth/revocations", nil)
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth("rs", clientSecret)
	res, err := s.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("the feed ends: %d, %w", res.StatusCode, err)
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			var entries any
			return entries, json.Unmarshal([]byte(data), &entries)
		}
	}
}
