package resource

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The document of an issuer with a path is looked for at two places, and taken
// only from one that names that very issuer.
func TestDiscover(t *testing.T) {
	const (
		part     = "/.well-known/oauth-authorization-server"
		document = `{"issuer":"ISSUER","jwks_uri":"ISSUER/keys","revocation_feed_endpoint":"ISSUER/feed"}`
		other    = `{"issuer":"ISSUER/other","jwks_uri":"ISSUER/keys","revocation_feed_endpoint":"ISSUER/feed"}`
	)
	for _, tc := range []struct {
		name, path string
		answers    map[string]string // by path; else 404
		want       string            // the path of jwks_uri
		asked      int
		err        string
	}{
		{"no path", "", map[string]string{part: document}, "/keys", 1, ""},
		{"no path, and nothing there", "", nil, "", 1, "answers 404"},
		{"RFC 8414 §3.1", "/a/b", map[string]string{part + "/a/b": document}, "/a/b/keys", 1, ""},
		{"both", "/a", map[string]string{part + "/a": document, "/a" + part: other}, "/a/keys", 1, ""},
		{"below the issuer alone", "/a", map[string]string{"/a" + part: document}, "/a/keys", 2, ""},
		{"a page where RFC 8414 looks", "/a", map[string]string{part + "/a": "<html>", "/a" + part: document}, "/a/keys", 2, ""},
		{"another issuer where RFC 8414 looks", "/a", map[string]string{part + "/a": other, "/a" + part: document}, "/a/keys", 2, ""},
		{"another issuer at both", "/a", map[string]string{part + "/a": other, "/a" + part: other}, "", 2, "must be the same to the byte"},
		{"the root's document is not its own", "/a", map[string]string{part: document}, "", 2, "answers 404"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			asked, issuer := 0, ""
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				text, ok := tc.answers[r.URL.Path]
				if !ok {
					http.NotFound(w, r)
					return
				}
				w.Write([]byte(strings.ReplaceAll(text, "ISSUER", issuer)))
			}))
			defer s.Close()
			issuer = s.URL + tc.path
			found, err := discover(t.Context(), newClient(http.DefaultTransport), issuer)
			if tc.err == "" && (err != nil || found.jwksURI != s.URL+tc.want) || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("found %v, error %v", found, err)
			}
			if asked != tc.asked {
				t.Errorf("asked %d times, want %d", asked, tc.asked)
			}
		})
	}
}
