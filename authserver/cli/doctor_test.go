package cli

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tokenwright/tokenwright/authserver/doctor"
)

// patientSecret and patientPassword have every letter that is encoded somewhere;
// the password is longer than what bcrypt reads.
const (
	patientSecret   = "owner:secret%+&=käse-0123456789"
	patientPassword = "käse 密码 + & = % and on and on until it has more than seventy-two bytes in all"
)

// patientWeb are the clients by which people log in by redirect.
const patientWeb = `
  - {id: spa, public: true, trusted: true, grants: [authorization_code, refresh_token], scopes: [read, write, admin], redirect_uris: ["http://127.0.0.1/callback"], resources: [https://other.example]}
  - {id: web, secret: web-secret-0123456789abcdef, grants: [authorization_code, refresh_token], scopes: [read, write], redirect_uris: ["https://web.example/callback?from=tw"]}
  - {id: old, secret: old-secret-0123456789abcdef, trusted: true, require_pkce: false, grants: [authorization_code], scopes: [read], redirect_uris: ["https://old.example/callback"]}
  - {id: bank, secret: bank-secret-0123456789abcdef, require_pushed_authorization_requests: true, grants: [authorization_code], scopes: [read], redirect_uris: ["https://bank.example/callback"]}
  - {id: club, secret: club-secret-0123456789abcdef, grants: [authorization_code, refresh_token, password], scopes: [openid, profile, email, groups, offline_access], redirect_uris: ["https://club.example/callback"], post_logout_redirect_uris: ["https://club.example/bye"]}`

const patientAccounts = `
resources: [{identifier: https://other.example, name: Other, scopes: [read]}]
scopes: {admin: {requires_role: admin}, write: {requires_role: user}}
clients:
  - {id: app, public: true, grants: [password, refresh_token], scopes: [read, write, admin, profile], resources: [https://other.example]}
  - {id: app2, public: true, grants: [password, refresh_token], scopes: [read], refresh_grace_seconds: 0}
  - {id: owner, secret: "` + patientSecret + `", grants: [password, refresh_token, client_credentials], scopes: [read, write]}
  - {id: rs, secret: rs-secret-0123456789abcdef, grants: [client_credentials], introspect: true, serves: ["ISSUER/api"]}
  - {id: rs2, secret: rs2-secret-0123456789abcdef, introspect: true, serves: [https://other.example]}
` + patientWeb + `
users:
  - {username: alice, email: alice@example.com, password: "` + patientPassword + `", roles: [user]}
  - {username: bob, email: bob@example.com, password: correct horse, roles: [user]}
  - {username: carol, email: carol@example.com, password: correct horse, roles: [user], is_active: false}
`

const patientFixtures = `
clients:
  - {id: app, grants: [password, refresh_token], scopes: [read, write, admin, profile], resources: [https://other.example], refresh_grace_seconds: 10}
  - {id: app2, grants: [password, refresh_token], refresh_grace_seconds: 0}
  - {id: owner, secret: "` + patientSecret + `", grants: [password, refresh_token, client_credentials]}
  - {id: rs, secret: rs-secret-0123456789abcdef, grants: [client_credentials], introspect: true, serves: ["ISSUER/api"]}
  - {id: rs2, secret: rs2-secret-0123456789abcdef, introspect: true, serves: [https://other.example]}
` + patientWeb + `
users:
  - {username: alice, password: "` + patientPassword + `"}
  - {username: bob, password: correct horse}
  - {username: carol, password: correct horse, is_active: false}
api: {identifier: ISSUER/api, url: ISSUER/api/private, admin_url: ISSUER/api/admin}
origin: http://localhost:3000
`

// fault is what an issuer does wrong: a request that it sees differently, an
// answer that it gives differently.
type fault struct {
	request  func(*http.Request)
	response func(*http.Response)
}

// patient is a tokenwright whose requests and answers pass by a fault.
type patient struct {
	url      string
	fixtures doctor.Fixtures
	fault    atomic.Pointer[fault]
}

func newPatient(t *testing.T) *patient {
	t.Helper()
	p := &patient{}
	var behind atomic.Pointer[url.URL]
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(behind.Load())
			r.Out.Host = r.In.Host
			if f := p.fault.Load(); f != nil && f.request != nil {
				f.request(r.Out)
			}
		},
		ModifyResponse: func(res *http.Response) error {
			if f := p.fault.Load(); f != nil && f.response != nil {
				f.response(res)
			}
			return nil
		},
	})
	t.Cleanup(front.Close)
	p.url = front.URL
	env := []string{
		"ISSUER=" + front.URL, "CORS_ORIGINS=http://localhost:3000", "LOGIN_RATE=off", "LOGIN_RATE_IP=off", "CLIENT_RATE=off", "REGISTRATION_RATE=off",
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "accounts.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(patientAccounts, "ISSUER", front.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	apply, err := command(dir, env, "apply", "-f", file)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("apply: %v\n%s", err, out)
	}
	base, err := url.Parse(start(t, dir, env).base)
	if err != nil {
		t.Fatal(err)
	}
	behind.Store(base)
	if p.fixtures, err = doctor.ParseFixtures([]byte(strings.ReplaceAll(patientFixtures, "ISSUER", front.URL))); err != nil {
		t.Fatal(err)
	}
	return p
}

// examine returns what became of each line that was tried.
func (p *patient) examine(t *testing.T, f fault, only ...string) []doctor.Result {
	t.Helper()
	p.fault.Store(&f)
	report, err := doctor.Run(t.Context(), doctor.Options{Issuer: p.url, Fixtures: p.fixtures, Only: only})
	if err != nil {
		t.Fatal(err)
	}
	return report.Results
}

// path is a fault of the requests or answers of one route.
func path(route string, f fault) fault {
	return fault{
		request: func(r *http.Request) {
			if f.request != nil && r.URL.Path == route {
				f.request(r)
			}
		},
		response: func(res *http.Response) {
			if f.response != nil && res.Request.URL.Path == route {
				f.response(res)
			}
		},
	}
}

// answers replaces a response.
func answers(res *http.Response, status int, body string) {
	res.Body.Close()
	res.StatusCode = status
	res.Header.Del("Content-Length")
	res.ContentLength = int64(len(body))
	res.Body = io.NopCloser(strings.NewReader(body))
}

// edit changes words in the body of a response.
func edit(pairs ...string) func(*http.Response) {
	return func(res *http.Response) {
		body, err := io.ReadAll(res.Body)
		if err != nil {
			body = []byte(err.Error())
		}
		answers(res, res.StatusCode, strings.NewReplacer(pairs...).Replace(string(body)))
	}
}

// without removes a header of the answers.
func without(header string) func(*http.Response) {
	return func(res *http.Response) { res.Header.Del(header) }
}

// asked changes parameters of a request's address; an empty value takes one out.
func asked(pairs ...string) func(*http.Request) {
	return func(r *http.Request) {
		q := r.URL.Query()
		for i := 0; i < len(pairs); i += 2 {
			if !q.Has(pairs[i]) {
				continue
			}
			if q.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
				q.Del(pairs[i])
			}
		}
		r.URL.RawQuery = q.Encode()
	}
}

// tell changes a parameter of what a client is told; an empty value takes it out.
func tell(name, value string) func(*http.Response) {
	return func(res *http.Response) {
		u, err := url.Parse(res.Header.Get("Location"))
		if err != nil || !u.Query().Has(name) {
			return
		}
		q := u.Query()
		if q.Set(name, value); value == "" {
			q.Del(name)
		}
		u.RawQuery = q.Encode()
		res.Header.Set("Location", u.String())
	}
}

// marked is a fault in answers to requests with a word in their form.
func marked(word string, response func(*http.Response)) fault {
	return fault{
		request: func(r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err == nil && strings.Contains(string(body), word) {
				r.Header.Set("X-Marked", "yes")
			}
			r.Body = io.NopCloser(strings.NewReader(string(body)))
		},
		response: func(res *http.Response) {
			if res.Request.Header.Get("X-Marked") != "" {
				response(res)
			}
		},
	}
}

// turned answers with another status than the usual one.
func turned(from, to int) func(*http.Response) {
	return func(res *http.Response) {
		if res.StatusCode == from {
			res.StatusCode = to
		}
	}
}

// deaf does not hear where a request comes from.
func deaf(r *http.Request) {
	r.Header.Del("Origin")
	r.Header.Del("Sec-Fetch-Site")
	r.Header.Del("Sec-Fetch-Dest")
}

func TestDoctor(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a program of its own")
	}
	t.Parallel()
	p := newPatient(t)

	t.Run("what can be seen of tokenwright holds", func(t *testing.T) {
		var skipped []string
		for _, r := range p.examine(t, fault{}) {
			switch r.Verdict {
			case doctor.Fail:
				t.Errorf("%s %s: %s", r.ID, r.Title, r.Reason)
			case doctor.NotApplicable:
				skipped = append(skipped, r.ID)
			}
		}
		if want := []string{"REF-014", "AUT-007", "OID-012", "PWD-004", "CLI-007"}; !slices.Equal(skipped, want) {
			t.Errorf("not applicable: %v, want what needs --timing or an issuer with a path: %v", skipped, want)
		}
	})

	const tokens, introspect, revoke, api = "/oauth/token", "/oauth/introspect", "/oauth/revoke", "/api/private"
	const authorize, par = "/oauth/authorize", "/oauth/par"
	const userinfo, logout, openid = "/oauth/userinfo", "/oauth/logout", "/.well-known/openid-configuration"
	const metadata, keys = "/.well-known/oauth-authorization-server", "/.well-known/jwks.json"
	queryInBody := func(r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.RawQuery == "" {
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			return
		}
		joined := strings.Trim(string(body)+"&"+r.URL.RawQuery, "&")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(joined)), int64(len(joined))
		r.URL.RawQuery = ""
	}
	caught := map[string]bool{}
	for _, tc := range []struct {
		id    string
		name  string
		fault fault
	}{
		{"TOK-002", "reads grants in the query", path(tokens, fault{request: queryInBody})},
		{"TOK-003", "reads secrets in the query", path(tokens, fault{request: queryInBody})},
		{"REF-028", "reads refresh tokens in the query", path(tokens, fault{request: queryInBody})},
		{"TOK-014", "lets tokens be stored", path(tokens, fault{response: without("Cache-Control")})},
		{"TOK-015", "forgets old caches", path(tokens, fault{response: without("Pragma")})},
		{"TOK-016", "writes expires_in as a string", path(tokens, fault{response: edit(`"expires_in":1800`, `"expires_in":"1800"`)})},
		{"TOK-021", "repeats what it refuses", path(tokens, fault{response: edit(`"error_description":"`, `"error_description":"`+"käse")})},
		{"TOK-026", "lets any origin read", path(tokens, fault{response: func(res *http.Response) {
			res.Header.Set("Access-Control-Allow-Origin", "https://evil.test")
		}})},
		{"CLI-006", "challenges nobody", path(tokens, fault{response: without("WWW-Authenticate")})},
		{"CLI-007", "names the client that it does not know", path(tokens, fault{response: func(res *http.Response) {
			if id, _, _ := res.Request.BasicAuth(); id == "no-such-client" {
				answers(res, 401, `{"error":"invalid_client","error_description":"no such client"}`)
			}
		}})},
		{"PWD-002", "takes a wrong password", path(tokens, fault{response: func(res *http.Response) {
			if res.StatusCode == 400 {
				answers(res, 200, `{"access_token":"a","token_type":"Bearer"}`)
			}
		}})},
		{"PWD-003", "answers strangers from a cache", path(tokens, marked("no-such-user", func(res *http.Response) { res.Header.Set("X-Cache", "miss") }))},
		{"REF-001", "hands out the same token again", path(tokens, fault{response: edit(`"refresh_token"`, `"refresh"`)})},
		{"REF-010", "takes a refresh token twice", path(tokens, fault{response: func(res *http.Response) {
			if res.StatusCode == 400 {
				answers(res, 200, `{"access_token":"a","refresh_token":"b","token_type":"Bearer"}`)
			}
		}})},
		{"INT-004", "says why a token is not active", path(introspect, fault{response: edit(`{"active":false}`, `{"active":false,"reason":"expired"}`)})},
		{"INT-012", "lets introspections be stored", path(introspect, fault{response: without("Cache-Control")})},
		{"REV-001", "says that it revokes, and does not", path(revoke, fault{request: func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("token=x&client_id=app")), 21
		}})},
		{"MET-001", "sends its metadata as text", path(metadata, fault{response: without("Content-Type")})},
		{"MET-002", "is called by another name", path(metadata, fault{response: edit(`"issuer":"http://127`, `"issuer":"http://128`)})},
		{"MET-006", "has empty members", path(metadata, fault{response: edit(`["code"]`, `[]`)})},
		{"MET-008", "takes the plain challenge", path(metadata, fault{response: edit(`["S256"]`, `["S256","plain"]`)})},
		{"MET-009", "advertises what is not there", path(metadata, fault{response: edit(revoke, "/oauth/rovoke")})},
		{"MET-011", "publishes a private key", path(keys, fault{response: edit(`"kty"`, `"d":"AA","kty"`)})},
		{"MET-012", "names keys as it likes", path(keys, fault{response: edit(`"kid":"`, `"kid":"key-`)})},
		{"JWT-001", "signs with a key that it does not publish", path(keys, fault{response: edit(`"kid":"`, `"kid":"key-`)})},
		{"RSV-001", "finds fault where there is no token", path(api, fault{response: func(res *http.Response) {
			res.Header.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		}})},
		{"RSV-006", "takes tokens in the query", path(api, fault{request: func(r *http.Request) {
			if token := r.URL.Query().Get("access_token"); token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
		}})},
		{"RSV-016", "takes tokens without a signature", path(api, fault{response: func(res *http.Response) {
			if strings.HasSuffix(res.Request.Header.Get("Authorization"), ".") {
				answers(res, 200, `{}`)
			}
		}})},
		{"RSV-022", "trims tokens", path(api, fault{request: func(r *http.Request) {
			r.Header.Set("Authorization", strings.TrimRight(r.Header.Get("Authorization"), "="))
		}})},
		{"RSV-037", "takes the first of two tokens", path(api, fault{request: func(r *http.Request) {
			r.Header.Set("Authorization", r.Header.Get("Authorization"))
		}})},
		{"MET-010", "does not name itself", path(authorize, fault{response: tell("iss", "")})},
		{"AUT-001", "redirects to whom it does not know", path(authorize, fault{response: func(res *http.Response) {
			if to := res.Request.URL.Query().Get("redirect_uri"); res.StatusCode == 400 {
				res.Header.Set("Location", to+"?error=invalid_request")
				answers(res, 303, "")
			}
		}})},
		{"AUT-002", "passes over redirect URIs", path(authorize, fault{request: asked("redirect_uri", "")})},
		{"AUT-003", "takes the plain challenge", path(authorize, fault{request: asked("code_challenge_method", "S256")})},
		{"AUT-005", "takes a code twice", path(tokens, fault{response: func(res *http.Response) {
			if res.StatusCode == 400 {
				answers(res, 200, `{"access_token":"a","refresh_token":"b","token_type":"Bearer"}`)
			}
		}})},
		{"AUT-008", "lets a browser send the password on", path(authorize, fault{response: turned(303, 307)})},
		{"AUT-009", "lets scripts read its pages", path(authorize, fault{response: func(res *http.Response) {
			res.Header.Set("Access-Control-Allow-Origin", "*")
		}})},
		{"AUT-010", "lets its pages be framed", path(authorize, fault{response: without("X-Frame-Options")})},
		{"AUT-012", "takes a consent from anywhere", path(authorize, fault{request: deaf})},
		{"AUT-014", "writes states as it likes", path(authorize, fault{response: tell("state", "mine")})},
		{"AUT-020", "asks where nothing may be shown", path(authorize, fault{request: asked("prompt", "")})},
		{"AUT-021", "lets nobody log in again", path(authorize, fault{request: asked("prompt", "", "max_age", "")})},
		{"AUT-022", "answers in another way than it was asked for", path(authorize, fault{request: asked("response_mode", "query")})},
		{"AUT-023", "answers a login by 302", path(authorize, fault{response: turned(303, 302)})},
		{"AUT-028", "passes over scopes", path(authorize, fault{request: asked("scope", "read")})},
		{"AUT-029", "asks nobody for a consent", path(authorize, fault{request: asked("prompt", "")})},
		{"AUT-031", "keeps the cookie that there was", path(authorize, fault{response: func(res *http.Response) {
			if len(res.Request.Cookies()) > 0 {
				res.Header.Del("Set-Cookie")
			}
		}})},
		{"AUT-032", "lets scripts read its cookie", path(authorize, fault{response: func(res *http.Response) {
			for i, c := range res.Header["Set-Cookie"] {
				res.Header["Set-Cookie"][i] = strings.Replace(c, "; HttpOnly", "", 1)
			}
		}})},
		{"AUT-033", "does not escape what it posts", path(authorize, fault{response: edit("&#34;", `"`)})},
		{"AUT-036", "does not say who leaves", path(authorize, fault{response: tell("error", "server_error")})},
		{"PAR-001", "lets pushed requests be stored", path(par, fault{response: without("Cache-Control")})},
		{"PAR-003", "passes over a request_uri in a pushed request", path(par, fault{request: func(r *http.Request) {
			body, err := io.ReadAll(r.Body)
			rest := strings.ReplaceAll(string(body), "request_uri=", "ignored=")
			if err != nil {
				rest = ""
			}
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(rest)), int64(len(rest))
		}})},
		{"PAG-003", "runs what stands in its pages", path(authorize, fault{response: func(res *http.Response) {
			res.Header.Add("Content-Security-Policy", "script-src 'unsafe-inline'")
		}})},
		{"PAG-004", "takes forms from anywhere", path(authorize, fault{request: deaf})},
		{"PAG-005", "tells strangers that they are", path(authorize, fault{response: edit(`value="no-such-user"`, `><p>Nobody is called so.</p><input`)})},
		{"PAG-006", "writes what it is told", path(authorize, fault{response: func(res *http.Response) {
			edit("</main>", res.Request.URL.Query().Get("login_hint")+"</main>")(res)
		}})},
		{"PAG-008", "does not say what its fields are", path(authorize, fault{response: edit(`"current-password"`, `"off"`)})},
		{"OID-001", "signs ID tokens with a key that it does not publish", path(keys, fault{response: edit(`"kid":"`, `"kid":"key-`)})},
		{"OID-002", "tells of another login at a refresh", path(tokens, marked("grant_type=refresh_token", edit(`"id_token":"`, `"id_token":"e30.e30.","id":"`)))},
		{"OID-003", "tells everybody's address", path(userinfo, fault{response: edit(`"sub":`, `"email":"alice@example.com","sub":`)})},
		{"OID-004", "does not sign as all can read", path(openid, fault{response: edit(`"RS256",`, "")})},
		{"OID-005", "passes over claims", path(authorize, fault{request: asked("claims", "")})},
		{"OID-006", "passes over hints", path(authorize, fault{request: asked("login_hint", "", "id_token_hint", "")})},
		{"OID-007", "passes over request objects", path(authorize, fault{request: asked("request", "", "request_uri", "")})},
		{"OID-010", "gives ID tokens to redirects alone", path(tokens, marked("grant_type=password", edit(`"id_token"`, `"id"`)))},
		{"OID-011", "hashes something else", path(tokens, fault{response: edit(`"access_token":"`, `"access_token":"x`)})},
		{"OID-014", "calls groups otherwise", path(userinfo, fault{response: edit(`"groups"`, `"teams"`)})},
		{"OUT-001", "forgets the state at a logout", path(logout, fault{response: tell("state", "")})},
		{"OUT-002", "sends people wherever it is told", path(logout, fault{response: func(res *http.Response) {
			if to := res.Request.URL.Query().Get("post_logout_redirect_uri"); res.StatusCode == 400 {
				res.Header.Set("Location", to)
				answers(res, 303, "")
			}
		}})},
		{"OUT-003", "logs out without asking", path(logout, fault{request: func(r *http.Request) {
			if r.Method == http.MethodGet {
				r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader("act=logout")), 10
				r.Header = http.Header{"Cookie": r.Header["Cookie"], "Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}}
			}
		}})},
		{"OUT-004", "ends what was to stay", path(tokens, marked("grant_type=refresh_token", func(res *http.Response) {
			answers(res, 400, `{"error":"invalid_grant"}`)
		}))},
		{"ACC-002", "repeats a password that it refuses", path("/auth/register", fault{response: edit(`"loc"`, `"input":"password1 Xq7~v!w","loc"`)})},
		{"ACC-012", "lets browsers guess types", fault{response: without("X-Content-Type-Options")}},
	} {
		t.Run(tc.id+" catches an issuer that "+tc.name, func(t *testing.T) {
			// TOK-010 is refused, for those lines that look at all refusals.
			results := p.examine(t, tc.fault, tc.id, "TOK-010")
			if !slices.ContainsFunc(results, func(r doctor.Result) bool { return r.ID == tc.id && r.Verdict == doctor.Fail }) {
				t.Errorf("got %+v", results)
			}
		})
		caught[tc.id] = true
	}

	// Whatever else a line wants, one of these issuers does the opposite.
	t.Run("no line passes whatever the issuer does", func(t *testing.T) {
		passed := map[string]bool{}
		for _, tc := range []struct {
			fault fault
			only  []string
		}{
			{fault: fault{response: func(res *http.Response) { // it refuses nothing
				if res.StatusCode >= 400 && res.StatusCode != 422 {
					clear(res.Header)
					answers(res, 200, `{}`)
				}
			}}},
			{fault: fault{response: func(res *http.Response) { // it grants nothing
				if res.StatusCode < 400 && res.Request.URL.Path != metadata {
					clear(res.Header)
					answers(res, 400, `{}`)
				}
			}}},
			{path(tokens, fault{response: func(res *http.Response) { // its tokens say other things than it does
				if res.StatusCode == 200 {
					answers(res, 200, `{"access_token":"`+other+`","refresh_token":"x","token_type":"Bearer","expires_in":1800,"scope":"read write"}`)
				}
			}}), []string{"TOK-018", "REF-008", "REF-009", "JWT-001", "JWT-003", "JWT-004", "JWT-005", "JWT-006", "JWT-007", "JWT-008"}},
			{path(metadata, fault{response: edit(`"issuer"`, `"issuers"`, `"grant_types_supported"`, `"grants"`, `["client_secret_basic"`, `["private_key_jwt"`)}),
				[]string{"MET-004", "MET-005", "MET-007"}},
			{path("/.well-known/oauth-protected-resource/api", fault{response: edit(`{"resource"`, `{"resource_signing_alg_values_supported":["none"],"resource"`)}),
				[]string{"RSV-029"}},
		} {
			for _, r := range p.examine(t, tc.fault, tc.only...) {
				caught[r.ID] = caught[r.ID] || r.Verdict == doctor.Fail
				passed[r.ID] = passed[r.ID] || r.Verdict == doctor.Pass
			}
		}
		for id, ok := range passed {
			if ok && !caught[id] {
				t.Errorf("%s does", id)
			}
		}
	})
}

// other is a JWT, and nothing that RFC 9068 wants of an access token.
var other = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." +
	base64.RawURLEncoding.EncodeToString([]byte(`{"aud":"app","scope":"nothing","email":"alice@example.com","iss":"x"}`)) + "."

func TestDoctorKnowsTheDemo(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/doctor-demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := start(t, dir, nil, "--demo")
	file := filepath.Join(dir, "fixtures.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "http://localhost:8000", p.issuer)), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := run(t, "", "doctor", p.issuer, "--fixtures", file)
	if code != 0 || strings.Contains(stdout, "\nfail") || !strings.Contains(stdout, " of 253 lines") {
		t.Errorf("exit code %d: %s\n%s", code, stderr, stdout)
	}
}
