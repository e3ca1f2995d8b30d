package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestPublished(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/jwks.json", "/.well-known/oauth-protected-resource/api"} {
		t.Run("MET-001 MET-013 "+path, func(t *testing.T) {
			a := f.do("GET", path, "", "Origin: https://anyone.test").want(t, 200)
			decode[map[string]any](t, a)
			if a.Header.Get("Cache-Control") != "public, max-age=300" || a.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("headers %v", a.Header)
			}
			tag := a.Header.Get("ETag")
			if b := f.do("GET", path, "", "If-None-Match: "+tag).want(t, 304); b.body != "" || b.Header.Get("ETag") != tag {
				t.Errorf("body %q, tag %q", b.body, b.Header.Get("ETag"))
			}
			f.do("HEAD", path, "").want(t, 200)
			// An allowed origin gets the same: caches keep one answer for all.
			if b := f.do("GET", path, "", "Origin: "+origin); b.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("allowed %q", b.Header.Get("Access-Control-Allow-Origin"))
			}
		})
	}
	t.Run("MET-002 MET-004 MET-005 MET-006 the metadata names the issuer and its endpoints", func(t *testing.T) {
		m := decode[map[string]any](t, f.do("GET", "/.well-known/oauth-authorization-server", "").want(t, 200))
		if m["issuer"] != issuer || m["token_endpoint"] != issuer+"/oauth/token" || m["jwks_uri"] != issuer+"/.well-known/jwks.json" {
			t.Errorf("metadata %v", m)
		}
		if diff := cmp.Diff([]any{"code"}, m["response_types_supported"]); diff != "" {
			t.Error(diff)
		}
		if grants, _ := m["grant_types_supported"].([]any); len(grants) != 4 {
			t.Errorf("grants %v", grants)
		}
		for name, v := range m {
			if list, ok := v.([]any); v == nil || ok && len(list) == 0 {
				t.Errorf("%s is %v", name, v)
			}
		}
	})
	t.Run("MET-009 the token endpoint answers an empty POST as itself", func(t *testing.T) {
		a := f.do("POST", "/oauth/token", "").want(t, 400)
		if !strings.Contains(a.body, `"invalid_request"`) {
			t.Errorf("body %s", a.body)
		}
	})
	t.Run("MET-011 keys have no private members", func(t *testing.T) {
		set := decode[struct{ Keys []map[string]any }](t, f.do("GET", "/.well-known/jwks.json", "").want(t, 200))
		if len(set.Keys) == 0 {
			t.Fatal("no keys")
		}
		for _, key := range set.Keys {
			for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
				if key[name] != nil {
					t.Errorf("key has %s", name)
				}
			}
		}
	})
	t.Run("MET-015 no header changes the issuer", func(t *testing.T) {
		path := "/.well-known/oauth-authorization-server"
		want := f.do("GET", path, "").body
		f.do("GET", path, "", "Host: evil.test").want(t, 400)
		a := f.do("GET", path, "", "X-Forwarded-Host: evil.test", "X-Forwarded-Proto: gopher", "Forwarded: host=evil.test").want(t, 200)
		if a.body != want {
			t.Errorf("got %s", a.body)
		}
	})
	t.Run("RSV-028 the resource's metadata", func(t *testing.T) {
		m := decode[map[string]any](t, f.do("GET", "/.well-known/oauth-protected-resource/api", "").want(t, 200))
		if m["resource"] != audience || !cmp.Equal(m["authorization_servers"], []any{issuer}) || !cmp.Equal(m["bearer_methods_supported"], []any{"header"}) {
			t.Errorf("metadata %v", m)
		}
	})
}

func TestOpenAPI(t *testing.T) {
	const golden = "testdata/openapi.json"
	f := newFixture(t)
	a := f.do("GET", "/openapi.json", "").want(t, 200)
	if *update {
		check(t, os.WriteFile(golden, []byte(a.body), 0o644))
	}
	want, err := os.ReadFile(golden)
	check(t, err)
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(a.body, "\n")); diff != "" {
		t.Errorf("the document has changed; go test -update rewrites %s:\n%s", golden, diff)
	}
	t.Run("ACC-010 it says how to authorize", func(t *testing.T) {
		doc := decode[struct {
			OpenAPI    string
			Components struct {
				SecuritySchemes map[string]struct {
					Type  string
					Flows map[string]struct {
						AuthorizationURL string `json:"authorizationUrl"`
						TokenURL         string `json:"tokenUrl"`
						RefreshURL       string `json:"refreshUrl"`
						Scopes           map[string]string
					}
				}
			}
			Paths map[string]map[string]struct {
				Security []map[string][]string
			}
		}](t, a)
		scheme := doc.Components.SecuritySchemes["oauth2"]
		flow := scheme.Flows["password"]
		if !strings.HasPrefix(doc.OpenAPI, "3.1") || scheme.Type != "oauth2" || flow.TokenURL != "/oauth/token" || flow.RefreshURL != "/oauth/token" || len(flow.Scopes) != 3 {
			t.Errorf("scheme %+v", scheme)
		}
		redirect := scheme.Flows["authorizationCode"]
		if redirect.AuthorizationURL != "/oauth/authorize" || redirect.TokenURL != "/oauth/token" || redirect.RefreshURL != "/oauth/token" || redirect.Scopes["read"] != "Read your data" {
			t.Errorf("scheme %+v", scheme)
		}
		for path, ways := range map[string]int{"/api/public": 0, "/api/private": 1, "/api/admin": 1, "/auth/me": 1, "/auth/register": 2} {
			for method, op := range doc.Paths[path] {
				if len(op.Security) != ways {
					t.Errorf("%s %s: security %v", method, path, op.Security)
				}
			}
		}
	})
	t.Run("PWD-015 strict offers no password flow", func(t *testing.T) {
		f := newFixture(t, func(s *setup) { s.settings.Strict = true })
		doc := f.do("GET", "/openapi.json", "").want(t, 200).body
		flows := regexp.MustCompile(`(?s)"flows": \{\s*"(\w+)": \{[^{}]*\{[^{}]*\}[^{}]*\}\s*\}`).FindStringSubmatch(doc)
		if flows == nil || flows[1] != "authorizationCode" || strings.Contains(doc, `"/auth/login"`) {
			t.Errorf("flows %q; the document must offer no passwords", flows)
		}
	})
}

func TestPages(t *testing.T) {
	f := newFixture(t)
	local := regexp.MustCompile(`(?:src|href)="([^"]*)"`)
	for _, page := range []string{"/docs", "/redoc"} {
		t.Run("ACC-010 "+page+" loads from this server alone", func(t *testing.T) {
			a := f.do("GET", page, "").want(t, 200)
			csp := a.Header.Get("Content-Security-Policy")
			if !strings.Contains(csp, "script-src 'self';") || !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe-eval") {
				t.Errorf("policy %q", csp)
			}
			for _, m := range local.FindAllStringSubmatch(a.body, -1) {
				if !strings.HasPrefix(m[1], "docs/") { // from wherever the page is
					t.Errorf("the page loads %q", m[1])
				}
				f.do("GET", "/"+m[1], "").want(t, 200)
			}
		})
	}
	t.Run("the page that a login comes back to runs its script alone", func(t *testing.T) {
		a := f.do("GET", "/docs/oauth2-redirect.html", "").want(t, 200)
		if !strings.Contains(a.body, `src="oauth2-redirect.js"`) || !strings.Contains(a.Header.Get("Content-Security-Policy"), "script-src 'self';") ||
			a.Header.Get("Cross-Origin-Opener-Policy") != "" { // the page that opened it has to be told
			t.Errorf("headers %v, body %s", a.Header, a.body)
		}
		f.do("GET", "/docs/oauth2-redirect.js", "").want(t, 200)
	})
	t.Run("a packed file is unpacked for who cannot", func(t *testing.T) {
		plain := f.do("GET", "/docs/swagger-ui.css", "", "Accept-Encoding: identity").want(t, 200)
		refused := f.do("GET", "/docs/swagger-ui.css", "", "Accept-Encoding: gzip;q=0").want(t, 200)
		packed := f.do("GET", "/docs/swagger-ui.css", "", "Accept-Encoding: br, gzip").want(t, 200)
		if packed.Header.Get("Content-Encoding") != "gzip" || plain.Header.Get("Content-Encoding") != "" || refused.Header.Get("Content-Encoding") != "" {
			t.Error("wrong encodings")
		}
		r, err := gzip.NewReader(bytes.NewReader([]byte(packed.body)))
		check(t, err)
		unpacked, err := io.ReadAll(r)
		check(t, err)
		if string(unpacked) != plain.body || refused.body != plain.body {
			t.Error("the contents differ")
		}
		if packed.Header.Get("ETag") == plain.Header.Get("ETag") || !strings.HasPrefix(plain.Header.Get("Content-Type"), "text/css") {
			t.Errorf("tags %q, type %q", packed.Header.Get("ETag"), plain.Header.Get("Content-Type"))
		}
	})
	t.Run("nothing in them loads from a known host of theirs", func(t *testing.T) {
		for _, path := range []string{"/docs/redoc.standalone.js", "/docs/swagger-start.js", "/docs/redoc-start.js", "/docs/swagger-ui.css"} {
			body := f.do("GET", path, "", "Accept-Encoding: identity").want(t, 200).body
			for _, host := range []string{"cdn.", "fonts.googleapis", "unpkg.com", ".js.map"} {
				if strings.Contains(body, host) {
					t.Errorf("%s has %s", path, host)
				}
			}
		}
	})
	t.Run("ACC-010 they can be turned off", func(t *testing.T) {
		f := newFixture(t, func(s *setup) { s.settings.Docs = false })
		for _, path := range []string{"/docs", "/redoc", "/openapi.json", "/docs/swagger-ui.css"} {
			f.do("GET", path, "").detail(t, 404, "Not Found")
		}
		var root map[string]any
		check(t, json.Unmarshal([]byte(f.do("GET", "/", "").body), &root))
		if root["docs"] != nil {
			t.Errorf("docs %v", root["docs"])
		}
	})
	t.Run("ACC-010 both ways of the Authorize dialog get a token", func(t *testing.T) {
		form := formOf("grant_type", "password", "username", "alice", "password", userPass, "scope", "")
		f.do("POST", "/oauth/token", form+"&client_id=swagger-ui&client_secret=", formType).want(t, 200)
		f.do("POST", "/oauth/token", form, formType, "Authorization: Basic c3dhZ2dlci11aTo=").want(t, 200)
	})
}
