package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

// newBelow is a fixture whose issuer has a path.
func newBelow(t testing.TB, change ...func(*setup)) *fixture {
	t.Helper()
	path := func(s *setup) {
		s.web.BasePath = "/tenant/auth"
		s.settings.Issuer, s.settings.Audience = issuer+"/tenant/auth", issuer+"/tenant/auth/api"
	}
	return newFixture(t, append([]func(*setup){path}, change...)...)
}

func TestIssuerWithAPath(t *testing.T) {
	const named = issuer + "/tenant/auth"
	f := newBelow(t)
	at := func(url string) string { // on this server, what is published under the issuer's host
		t.Helper()
		path, ok := strings.CutPrefix(url, issuer)
		if !ok {
			t.Fatalf("%q is at another host", url)
		}
		return path
	}
	metadata := decode[map[string]any](t, f.do("GET", "/.well-known/oauth-authorization-server/tenant/auth", "").want(t, 200))
	t.Run("AUT-034 the metadata is where RFC 8414 §3.1 puts it, and below the issuer", func(t *testing.T) {
		if metadata["issuer"] != named {
			t.Errorf("issuer %v", metadata["issuer"])
		}
		a := f.do("GET", "/.well-known/oauth-authorization-server/tenant/auth", "")
		b := f.do("GET", "/tenant/auth/.well-known/oauth-authorization-server", "").want(t, 200)
		if a.body != b.body {
			t.Errorf("two documents: %s and %s", a.body, b.body)
		}
		f.do("GET", "/.well-known/oauth-authorization-server", "").detail(t, 404, "Not Found")
	})
	t.Run("AUT-034 every address in it is below the issuer and answers", func(t *testing.T) {
		for name, v := range metadata {
			url, _ := v.(string)
			if !strings.HasPrefix(url, "https://") || name == "issuer" {
				continue
			}
			if !strings.HasPrefix(url, named+"/") {
				t.Errorf("%s is %s", name, url)
				continue
			}
			if name == "authorization_endpoint" || name == "end_session_endpoint" {
				continue // the pages'
			}
			method := http.MethodPost
			if name == "jwks_uri" || name == "revocation_feed_endpoint" {
				method = http.MethodGet
			}
			if a := f.do(method, at(url), ""); a.StatusCode == 404 || a.StatusCode == 405 {
				t.Errorf("%s %s: status %d", method, url, a.StatusCode)
			}
			if a := f.do(method, strings.TrimPrefix(at(url), "/tenant/auth"), ""); a.StatusCode != 404 {
				t.Errorf("%s %s: status %d outside the path", method, url, a.StatusCode)
			}
		}
	})
	t.Run("AUT-034 a token from there is good there", func(t *testing.T) {
		login := f.form("/tenant/auth/auth/login", "username", "alice", "password", userPass).want(t, 200)
		if login.Header.Get("X-Process-Time") != "" {
			t.Error("ACC-012: a login says how long it took")
		}
		got := decode[tokens](t, login)
		f.do("GET", "/tenant/auth/api/private", "", bearer(got.AccessToken)).want(t, 200)
		f.do("GET", "/tenant/auth/auth/me", "", bearer(got.AccessToken)).want(t, 200)
		next := decode[tokens](t, f.form("/tenant/auth/auth/refresh", "refresh_token", got.RefreshToken).want(t, 200))
		f.do("GET", "/tenant/auth/api/private", "", bearer(next.AccessToken)).want(t, 200)
		f.do("GET", "/api/private", "", bearer(next.AccessToken)).want(t, 404)
		for _, route := range f.lines() {
			if path := route["route"].(string); strings.HasPrefix(path, "/tenant") {
				t.Errorf("the log's route %q has the path", path)
			}
		}
	})
	t.Run("RSV-027 RSV-028 the challenge says where RFC 9728 §3.1 puts the API's metadata", func(t *testing.T) {
		challenge := f.do("GET", "/tenant/auth/api/private", "").want(t, 401).Header.Get("WWW-Authenticate")
		const want = issuer + "/.well-known/oauth-protected-resource/tenant/auth/api"
		if !strings.Contains(challenge, `resource_metadata="`+want+`"`) {
			t.Errorf("challenge %s", challenge)
		}
		m := decode[map[string]any](t, f.do("GET", at(want), "").want(t, 200))
		if m["resource"] != named+"/api" || m["authorization_servers"].([]any)[0] != named {
			t.Errorf("metadata %v", m)
		}
		f.do("GET", "/tenant/auth/.well-known/oauth-protected-resource/api", "").want(t, 200)
	})
	t.Run("the root names routes where they are", func(t *testing.T) {
		for _, path := range []string{"/tenant/auth", "/tenant/auth/"} {
			root := decode[struct {
				Docs      string
				Endpoints map[string]string
			}](t, f.do("GET", path, "").want(t, 200))
			for name, link := range root.Endpoints {
				if a := f.do("OPTIONS", link, "").want(t, 204); a.Header.Get("Allow") == "" {
					t.Errorf("%s: nothing at %s", name, link)
				}
			}
			f.do("GET", root.Docs, "").want(t, 200)
		}
		f.do("GET", "/", "").detail(t, 404, "Not Found")
	})
	t.Run("ACC-010 the document says where its paths are", func(t *testing.T) {
		doc := decode[struct {
			Servers    []struct{ URL string }
			Paths      map[string]any
			Components struct {
				SecuritySchemes map[string]struct {
					Flows map[string]struct {
						TokenURL string `json:"tokenUrl"`
					}
				}
			}
		}](t, f.do("GET", "/tenant/auth/openapi.json", "").want(t, 200))
		if len(doc.Servers) != 1 || doc.Servers[0].URL != "/tenant/auth" || doc.Paths["/oauth/token"] == nil {
			t.Errorf("servers %v", doc.Servers)
		}
		for name, flow := range doc.Components.SecuritySchemes["oauth2"].Flows {
			f.form(flow.TokenURL).want(t, 400)
			if !strings.HasPrefix(flow.TokenURL, "/tenant/auth/") {
				t.Errorf("%s: %s", name, flow.TokenURL)
			}
		}
	})
	t.Run("probes are asked by address, with the path and without", func(t *testing.T) {
		for _, path := range []string{"/livez", "/readyz", "/tenant/auth/livez", "/tenant/auth/readyz"} {
			f.do("GET", path, "", "Host: 10.0.0.7:8000").want(t, 200)
		}
		f.do("GET", "/health", "").want(t, 404)
	})
}
