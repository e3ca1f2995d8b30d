package resource_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/resource"
)

const metadataURL = "https://api.example.test/.well-known/oauth-protected-resource/api"

func bearer(token string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/api/private", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func TestGuardCredentials(t *testing.T) {
	f := newFixture(t, "ES256")
	handler := resource.NewGuard(f.verifier, metadataURL).Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := resource.ClaimsFrom(r.Context()); !ok || c.Username != "alice" {
			t.Errorf("claims in the context: %v", c)
		}
	}))
	good := f.alice("user")
	const (
		metadata = `resource_metadata="` + metadataURL + `"`
		bare     = "Bearer " + metadata
		request  = `Bearer error="invalid_request", ` + metadata
		token    = `Bearer error="invalid_token", ` + metadata
	)
	for _, tc := range []struct {
		name      string
		headers   []string
		status    int
		challenge string
		detail    string
	}{
		{"RSV-001 RSV-027 no header", nil, 401, bare, "Not authenticated"},
		{"an empty header", []string{""}, 401, bare, "Not authenticated"},
		{"Basic credentials", []string{"Basic YTpi"}, 401, bare, "Not authenticated"},
		{"another scheme with the token", []string{"Token " + good}, 401, bare, "Not authenticated"},
		{"no scheme", []string{good}, 401, bare, "Not authenticated"},
		{"RSV-002 garbage", []string{"Bearer garbage"}, 401, token, "Could not validate credentials"},
		{"RSV-003 Bearer", []string{"Bearer " + good}, 200, "", ""},
		{"RSV-003 bearer", []string{"bearer " + good}, 200, "", ""},
		{"RSV-003 BEARER", []string{"BEARER " + good}, 200, "", ""},
		{"two spaces", []string{"Bearer  " + good}, 200, "", ""},
		{"RSV-004 no token", []string{"Bearer"}, 400, request, "Authorization header has no token after Bearer"},
		{"RSV-004 a space for a token", []string{"Bearer "}, 400, request, "Authorization header has no token after Bearer"},
		{"RSV-004 Bearer a b", []string{"Bearer a b"}, 400, request, "Authorization header has more than one token after Bearer"},
		{"RSV-004 two good ones", []string{"Bearer " + good + " " + good}, 400, request, "Authorization header has more than one token after Bearer"},
		{"RSV-004 two in one header", []string{"Bearer " + good + ",Bearer " + good}, 400, request, "Authorization header has more than one token after Bearer"},
		{"RSV-037 two headers", []string{"Bearer " + good, "Bearer " + good}, 400, request, "Authorization header sent more than once"},
		{"RSV-037 two headers, one empty", []string{"", "Bearer " + good}, 400, request, "Authorization header sent more than once"},
		{"RSV-026 64 KiB", []string{"Bearer " + strings.Repeat("x", 64<<10)}, 401, token, "Could not validate credentials"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/api/private", nil)
			r.Header["Authorization"] = tc.headers
			if tc.headers == nil {
				r.Header.Del("Authorization")
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != tc.status || w.Header().Get("WWW-Authenticate") != tc.challenge {
				t.Errorf("got %d %q", w.Code, w.Header().Get("WWW-Authenticate"))
			}
			if tc.detail != "" && w.Body.String() != `{"detail":"`+tc.detail+`"}` {
				t.Errorf("body %s", w.Body)
			}
			if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Vary") != "Authorization" {
				t.Errorf("RSV-031 headers %v", w.Header())
			}
		})
	}
}

func TestGuardLooksInTheHeaderOnly(t *testing.T) {
	f := newFixture(t, "ES256")
	g := resource.NewGuard(f.verifier, "")
	good := f.alice("user")
	form := url.Values{"access_token": {good}}.Encode()

	query := httptest.NewRequest(http.MethodGet, "/api/private?"+form, nil)
	if _, c := g.Authenticate(query); c == nil || c.Status != 401 || c.WWWAuthenticate != "Bearer" {
		t.Errorf("RSV-006 a token in the query: %+v", c)
	}
	post := func() *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/api/private", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	if _, c := g.Authenticate(post()); c == nil || c.Status != 401 {
		t.Errorf("RSV-005 a token in a form: %+v", c)
	}
	both := post()
	both.Header.Set("Authorization", "Bearer garbage")
	if _, c := g.Authenticate(both); c == nil || c.Status != 401 {
		t.Errorf("RSV-005 the form was preferred: %+v", c)
	}
	both.Header.Set("Authorization", "Bearer "+good)
	if _, c := g.Authenticate(both); c != nil {
		t.Errorf("RSV-005 the form was not ignored: %+v", c)
	}
}

func TestGuardRules(t *testing.T) {
	f := newFixture(t, "ES256")
	g := resource.NewGuard(f.verifier, metadataURL)
	h := hierarchy(t, order)
	claims := f.User("alice", "user")
	claims.Scope = "read"
	users := f.Token(f.key, claims)
	owns := f.Token(f.key, f.Client("service"))
	const metadata = `resource_metadata="` + metadataURL + `"`
	for _, tc := range []struct {
		name      string
		token     string
		rules     []resource.Rule
		challenge string // empty: may pass
		detail    string
	}{
		{"no rule", users, nil, "", ""},
		{"RSV-007 the scope", users, []resource.Rule{resource.Scope("read")}, "", ""},
		{"RSV-007 another scope", users, []resource.Rule{resource.Scope("write")}, `scope="write", `, "Insufficient permissions"},
		{"all rules count", users, []resource.Rule{resource.Scope("read"), h.AnyRole("admin")}, " ", "Insufficient permissions"},
		{"RSV-008 another role", users, []resource.Rule{h.AnyRole("admin")}, " ", "Insufficient permissions"},
		{"a lower role", users, []resource.Rule{h.AtLeast("moderator")}, " ", "Requires moderator permission or higher"},
		{"a user", users, []resource.Rule{resource.AnyUser()}, "", ""},
		{"a client, but a user is wanted", owns, []resource.Rule{resource.AnyUser()}, " ", "Insufficient permissions"},
		{"the zero rule", users, []resource.Rule{{}}, " ", "Insufficient permissions"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, c := g.Authenticate(bearer(tc.token), tc.rules...)
			if tc.challenge == "" {
				if c != nil {
					t.Errorf("refused: %+v", c)
				}
				return
			}
			want := `Bearer error="insufficient_scope", ` + strings.TrimLeft(tc.challenge, " ") + metadata
			if c == nil || c.Status != 403 || c.WWWAuthenticate != want || c.Detail != tc.detail {
				t.Errorf("got %+v, want %s", c, want)
			}
		})
	}
}

func TestGuardUnavailable(t *testing.T) {
	f := newFixture(t, "ES256")
	v, err := resource.NewVerifier(resource.VerifierConfig{
		Issuer: f.URL, Audience: f.Audience, Keys: f, Ended: resource.NewEnded(),
	})
	if err != nil {
		t.Fatal(err)
	}
	reached := false
	handler := resource.NewGuard(v, metadataURL).Require()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, bearer(f.alice("admin")))
	if w.Code != 503 || w.Header().Get("Retry-After") != "1" || w.Header().Get("WWW-Authenticate") != "" || reached {
		t.Errorf("RSV-042 got %d %v, reached: %v", w.Code, w.Header(), reached)
	}
	w = httptest.NewRecorder()
	handler.ServeHTTP(w, bearer("garbage"))
	if w.Code != 401 {
		t.Errorf("what is certainly bad is answered all the same: %d", w.Code)
	}
}

func TestGuardSaysWhenAUserIsDisabled(t *testing.T) {
	f := newFixture(t, "ES256")
	f.ended.Apply(resource.Revocation{
		Kind: resource.KindUser, ID: "sub-alice", Epoch: 2, Reason: resource.ReasonUserDisabled, Until: time.Now().Add(time.Hour),
	})
	_, c := resource.NewGuard(f.verifier, "").Authenticate(bearer(f.alice("user")))
	if c == nil || c.Status != 401 || c.Detail != "Inactive user" || c.WWWAuthenticate != `Bearer error="invalid_token"` {
		t.Errorf("got %+v", c)
	}
}

func TestNoTokenInWhatGuardSaysForTheLog(t *testing.T) {
	f := newFixture(t, "ES256")
	g := resource.NewGuard(f.verifier, "")
	good := f.alice("user")
	segments := strings.Split(good, ".")
	for _, token := range []string{good + "x", good[:len(good)-1], segments[1] + "." + good, "Secret-Token"} {
		_, c := g.Authenticate(bearer(token))
		if c == nil || c.Err == nil {
			t.Fatalf("got %+v", c)
		}
		for _, part := range append(segments, token) {
			if strings.Contains(c.Err.Error(), part) {
				t.Errorf("the token is in %q", c.Err)
			}
		}
	}
}
