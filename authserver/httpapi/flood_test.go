package httpapi_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Who asks for one token again and again and revokes each fills nobody's memory:
// the session ends, and with it all that it was given.
func TestOneSessionCannotFloodTheFeed(t *testing.T) {
	f := newFixture(t)
	form := url.Values{"grant_type": {"password"}, "client_id": {"spa"}, "username": {"alice"}, "password": {userPass}}
	_, body := postForm(t, f.url+"/oauth/token", form)
	refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa"}, "refresh_token": {f.member(body, "refresh_token")}}
	kept := f.member(body, "access_token")
	given := 0
	for range 200 {
		res, body := postForm(t, f.url+"/oauth/token", refresh)
		if res.StatusCode != http.StatusOK {
			break
		}
		given++
		access := f.member(body, "access_token")
		res, _ = postForm(t, f.url+"/oauth/revoke", url.Values{"client_id": {"spa"}, "token": {access}})
		if res.StatusCode != http.StatusOK {
			t.Fatalf("revoke: %d", res.StatusCode)
		}
		if got := f.do("GET", "/auth/me", "", "Authorization: Bearer "+access); got.StatusCode != http.StatusUnauthorized {
			t.Fatalf("a revoked token: %d", got.StatusCode)
		}
	}
	if given != 33 {
		t.Errorf("the session gave %d tokens before it ended", given)
	}
	if got := f.do("GET", "/auth/me", "", "Authorization: Bearer "+kept); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("another token of it: %d", got.StatusCode)
	}
	if n := f.snapshot(); n != 33 {
		t.Errorf("%d entries, want 33", n)
	}
}

// member is a text in an object.
func (f *fixture) member(body, name string) string {
	f.t.Helper()
	var object map[string]any
	check(f.t, json.Unmarshal([]byte(body), &object))
	text, _ := object[name].(string)
	return text
}

// snapshot counts what a new follower is told.
func (f *fixture) snapshot() int {
	f.t.Helper()
	req := ok(http.NewRequestWithContext(f.t.Context(), "GET", f.url+"/oauth/revocations", nil))(f.t)
	req.SetBasicAuth("rs1", confSecret)
	res := ok(http.DefaultClient.Do(req))(f.t)
	defer res.Body.Close()
	r := bufio.NewReader(res.Body)
	for {
		line := ok(r.ReadString('\n'))(f.t)
		if data, found := strings.CutPrefix(line, "data: "); found {
			var entries []any
			check(f.t, json.Unmarshal([]byte(data), &entries))
			return len(entries)
		}
	}
}
