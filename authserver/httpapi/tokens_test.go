package httpapi_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// form posts one and returns the answer.
func postForm(t *testing.T, target string, form url.Values) (*http.Response, string) {
	t.Helper()
	res, err := http.PostForm(target, form)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body strings.Builder
	if _, err := bufio.NewReader(res.Body).WriteTo(&body); err != nil {
		t.Fatal(err)
	}
	return res, body.String()
}

// What the endpoints about a token look like on the wire; their rules are oauth's.
func TestEndpointsAboutATokenOnTheWire(t *testing.T) {
	f := newFixture(t)
	rs1 := url.Values{"client_id": {"rs1"}, "client_secret": {confSecret}, "token": {"garbage"}}
	for _, tc := range []struct {
		name, path string
		form       url.Values
		status     int
		body       string
	}{
		{"INT-004 an inactive token", "/oauth/introspect", rs1, 200, `{"active":false}`},
		{"REV-003 an unknown token", "/oauth/revoke", rs1, 200, `{}`},
		{"INT-001 no client", "/oauth/introspect", url.Values{"token": {"x"}}, 401, `{"error":"invalid_client"`},
		{"REV-004 no token", "/oauth/revoke", url.Values{"client_id": {"spa"}}, 400, `{"error":"invalid_request"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res, body := postForm(t, f.url+tc.path, tc.form)
			if res.StatusCode != tc.status || !strings.HasPrefix(body, tc.body) {
				t.Errorf("got %d %s", res.StatusCode, body)
			}
			h := res.Header
			if h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "no-store" { // INT-012
				t.Errorf("headers are %v", h)
			}
			if h.Get("X-Process-Time") != "" { // ACC-012
				t.Error("it tells how long it took")
			}
		})
	}
	for _, path := range []string{"/oauth/introspect", "/oauth/revoke"} { // INT-009, REV-010
		res, err := http.Get(f.url + path + "?token=x")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 405 || res.Header.Get("Allow") != "POST" {
			t.Errorf("GET %s: %d, Allow %q", path, res.StatusCode, res.Header.Get("Allow"))
		}
	}
}

// An ended session can be asked why and when it ended.
func TestEndedSessions(t *testing.T) {
	f := newFixture(t)
	form := url.Values{"username": {"alice"}, "password": {userPass}}
	var tokens [2]struct {
		Access string `json:"access_token"`
	}
	for i := range tokens {
		_, body := postForm(t, f.url+"/auth/login", form)
		check(t, json.Unmarshal([]byte(body), &tokens[i]))
	}
	call := func(method, path string) string {
		req, _ := http.NewRequestWithContext(t.Context(), method, f.url+path, nil)
		req.Header.Set("Authorization", "Bearer "+tokens[0].Access)
		res := ok(http.DefaultClient.Do(req))(t)
		defer res.Body.Close()
		return string(ok(io.ReadAll(res.Body))(t))
	}
	if got := call("GET", "/auth/sessions?ended=true"); got != `{"sessions":[],"total":0}`+"\n" {
		t.Errorf("at first: %s", got)
	}
	call("DELETE", "/auth/sessions")
	got := call("GET", "/auth/sessions?ended=true")
	if !strings.Contains(got, `"total":1`) || !strings.Contains(got, `"reason":"logout"`) || !strings.Contains(got, `"ended_at":"20`) {
		t.Errorf("got %s", got)
	}
	if got := call("GET", "/auth/sessions?ended=true&limit=1&offset=9223372036854775807"); got != `{"sessions":[],"total":1}`+"\n" {
		t.Errorf("past the end: %s", got)
	}
	if got := call("GET", "/auth/sessions"); !strings.Contains(got, `"total":1`) || !strings.Contains(got, `"current":true`) {
		t.Errorf("what is left: %s", got)
	}
}

// RSV-041: a resource server that is told of nothing is not let believe that all
// is well.
func TestFollowingForAResourceOfAnother(t *testing.T) {
	f := newFixture(t)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", f.url+"/oauth/revocations?copy=&resource=https://another.example.test", nil)
	req.SetBasicAuth("rs1", confSecret)
	got := f.send(req)
	if got.StatusCode != 403 || !strings.Contains(got.body, "The client does not serve this resource.") {
		t.Errorf("got %d %s", got.StatusCode, got.body)
	}
}

// RSV-041: who may follow, and how the feed begins.
func TestFollowingTheFeed(t *testing.T) {
	f := newFixture(t)
	for client, want := range map[string]int{"": 401, "spa": 401, "conf": 403, "rs1": 200} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", f.url+"/oauth/revocations", nil)
		switch client {
		case "":
		case "spa":
			req.SetBasicAuth(client, "")
		default:
			req.SetBasicAuth(client, confSecret)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != want {
			t.Errorf("%q: got %d, want %d", client, res.StatusCode, want)
		}
		if want == 200 {
			line, err := bufio.NewReader(res.Body).ReadString('\n')
			if err != nil || line != "event: snapshot\n" || res.Header.Get("Content-Type") != "text/event-stream" {
				t.Errorf("it begins with %q, %v, as %s", line, err, res.Header.Get("Content-Type"))
			}
		}
		res.Body.Close()
	}
}
