package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/feed"
	"github.com/tokenwright/tokenwright/authserver/httpapi"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/password"
	"github.com/tokenwright/tokenwright/authserver/sessions"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/telemetry"
	"github.com/tokenwright/tokenwright/authserver/web"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/api"
)

const (
	issuer      = "https://auth.example.test"
	audience    = issuer + "/api"
	origin      = "https://spa.example.test"
	adminPass   = "grape lantern orbit"
	userPass    = "correct horse battery"
	confSecret  = "conf-secret-0123456789abcdef"
	masterWords = "a master secret of the tests, 32 bytes and more"
)

// setup is what a test may change before the server is made.
type setup struct {
	settings  httpapi.Settings
	web       web.Settings
	checks    []httpapi.Check
	loginRate limit.Rule
	jwks      func() []byte // in place of the ring's
	ready     bool          // whether the resource server has heard what has ended
	watched   telemetry.Config
}

// fixture is a server of real parts on a database of its own, with the users
// admin, moderator and alice, the public client spa and the confidential conf.
type fixture struct {
	t       testing.TB
	url     string
	handler http.Handler
	users   *account.Users
	log     *logBuffer
}

func newFixture(t testing.TB, change ...func(*setup)) *fixture {
	t.Helper()
	ctx := t.Context()
	roles := ok(resource.ParseHierarchy("viewer<user<editor<moderator<admin"))(t)
	set := setup{
		settings: httpapi.Settings{
			Version: "1.2.3", Issuer: issuer, Audience: audience,
			Docs: true,
			Scopes: authserver.Scopes{
				"admin": {RequiresRole: "admin", Description: "Administer the service"}, "read": {Description: "Read your data"}, "profile": {},
			},
		},
		web: web.Settings{
			AllowedHosts: []string{"127.0.0.1", "*.example.test", "[::1]"},
			CORSOrigins:  []string{origin},
			MaxBody:      oauth.MaxBody,
		},
		ready: true,
	}
	for _, f := range change {
		f(&set)
	}
	f := &fixture{t: t, log: &logBuffer{}}
	logger := slog.New(slog.NewJSONHandler(f.log, nil))

	watching := ok(telemetry.New(ctx, set.watched, logger))(t)
	t.Cleanup(func() { check(t, watching.Close()) })
	db := ok(sqlstore.Open(ctx, sqlstore.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")}))(t)
	t.Cleanup(func() { db.Close() })
	check(t, db.Migrate(ctx))
	check(t, db.RaiseLifetimes(ctx, time.Hour, 24*time.Hour))
	master := ok(keys.NewMaster(masterWords))(t)
	ring := ok(keys.Open(ctx, db, master, "ES256"))(t)
	hasher := ok(password.New(password.Config{
		Algorithm: "argon2id", Argon2: password.Argon2Params{Memory: 64, Time: 1, Threads: 1}, Concurrency: 2, Queue: 100, Wait: 5 * time.Second,
	}))(t)
	ended := resource.NewEnded()
	tail := feed.New(db, ended, 0, logger)
	if set.ready {
		check(t, tail.Sync(ctx))
	}
	deps := account.Deps{
		Users: db, Clients: db, Hasher: hasher, Limiter: watching.Limiter(limit.NewMemory(1000)), LoginRate: set.loginRate,
		Master: master, Roles: roles, Audience: set.settings.Audience, Changed: tail.Changed, Logger: logger,
	}
	f.users = account.NewUsers(deps)
	clients := account.NewClients(deps)
	f.seed(clients, set.settings.Audience)
	issued := ok(resource.NewVerifier(resource.VerifierConfig{Issuer: set.settings.Issuer, AnyAudience: true, Keys: ring, Ended: ended}))(t)
	facts, store := watching.Facts(db), watching.Sessions(db)
	endings := sessions.New(sessions.Deps{
		Facts: facts, Store: store, Users: db, Log: watching.Revocations(db), Changed: tail.Changed, Logger: logger,
	})
	server := ok(oauth.New(oauth.Deps{
		Verifier: issued,
		Settings: oauth.Settings{
			Issuer: set.settings.Issuer, Audience: set.settings.Audience, AccessLifetime: 30 * time.Minute,
			IdleLifetime: time.Hour, SessionLifetime: 24 * time.Hour, RefreshGrace: 10 * time.Second,
			SessionsPerUser: 100, Strict: set.settings.Strict, Scopes: slices.Sorted(maps.Keys(set.settings.Scopes)),
		},
		Facts: facts, Sessions: store, Endings: endings, Audit: db,
		Answered: watching.Answered(),
		Users:    f.users, Clients: clients, Ring: ring, Master: master, Roles: roles, Logger: logger,
	}))(t)
	jwks := ring.JWKS
	if set.jwks != nil {
		jwks = set.jwks
	}
	verifier := ok(resource.NewVerifier(resource.VerifierConfig{Issuer: set.settings.Issuer, Audience: set.settings.Audience, Keys: ring, Ended: ended}))(t)
	set.web.Logger, set.web.Watch = logger, watching.Requests()
	set.web.Origin = ok(account.NewOrigins(ctx, db, logger))(t).Has
	site := ok(web.New(set.web))(t)
	check(t, httpapi.Mount(site, httpapi.Deps{
		Settings:  set.settings,
		Authority: &httpapi.Authority{OAuth: server, Users: f.users, Sessions: endings, UserStore: db, Feed: tail, JWKS: jwks},
		API:       httpapi.LocalUsers{Store: db},
		Guard:     resource.NewGuard(verifier, api.MetadataURL(set.settings.Issuer)), Roles: roles,
		Checks: set.checks, Logger: logger,
	}))
	f.handler = site
	srv := httptest.NewUnstartedServer(f.handler)
	srv.Config = web.NewServer(f.handler)
	srv.Start()
	t.Cleanup(srv.Close)
	f.url = srv.URL
	return f
}

func (f *fixture) seed(clients *account.Clients, api string) {
	f.t.Helper()
	ctx := f.t.Context()
	for _, r := range []account.Registration{
		{Email: "admin@example.test", Username: "admin", Password: adminPass, FullName: "Admin User", Roles: []string{"admin"}, Active: true, Actor: "test"},
		{Email: "moderator@example.test", Username: "moderator", Password: userPass, Roles: []string{"moderator"}, Active: true, Actor: "test"},
		{Email: "alice@example.test", Username: "alice", Password: userPass, FullName: "Alice Example", Roles: []string{"user"}, Active: true, Actor: "test"},
	} {
		if _, err := f.users.Register(ctx, r); err != nil {
			f.t.Fatalf("register %s: %v", r.Username, err)
		}
	}
	all := []string{authserver.GrantPassword, authserver.GrantRefreshToken}
	for _, c := range []account.ClientSpec{
		{ID: "spa", Public: true, Grants: all, Scopes: []string{"read", "profile"}, RedirectURIs: []string{"https://client.example.test:8443/cb"}},
		{ID: "swagger-ui", Public: true, Grants: all, Scopes: []string{"read", "profile"}},
		{ID: "rs1", Secret: confSecret, Serves: []string{api}, Introspect: true},
		{ID: "conf", Secret: confSecret, Grants: append(all, authserver.GrantClientCredentials), Scopes: []string{"read", "profile"}},
	} {
		if _, _, err := clients.Add(ctx, c, "test"); err != nil {
			f.t.Fatalf("add client %s: %v", c.ID, err)
		}
	}
}

// answer is a response that has been read.
type answer struct {
	*http.Response
	body string
}

// do sends a request; headers are "Name: value".
func (f *fixture) do(method, path, body string, headers ...string) answer {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header.Add(name, value)
	}
	return f.send(req)
}

func (f *fixture) send(req *http.Request) answer {
	f.t.Helper()
	res, err := http.DefaultTransport.RoundTrip(req) // no redirect is followed
	if err != nil {
		f.t.Fatalf("%s %s: %v", req.Method, req.URL.Path, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatalf("%s %s: %v", req.Method, req.URL.Path, err)
	}
	return answer{res, string(b)}
}

const (
	formType = "Content-Type: application/x-www-form-urlencoded"
	jsonType = "Content-Type: application/json"
)

func (f *fixture) form(path string, pairs ...string) answer {
	f.t.Helper()
	return f.do("POST", path, formOf(pairs...), formType)
}

func formOf(pairs ...string) string {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return form.Encode()
}

// tokens are what a login answers.
type tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	Scope        string `json:"scope"`
}

func (f *fixture) login(username, pw string) tokens {
	f.t.Helper()
	return decode[tokens](f.t, f.form("/auth/login", "username", username, "password", pw).want(f.t, 200))
}

// clientToken is conf's own.
func (f *fixture) clientToken() string {
	f.t.Helper()
	a := f.form("/oauth/token", "grant_type", "client_credentials", "client_id", "conf", "client_secret", confSecret).want(f.t, 200)
	return decode[tokens](f.t, a).AccessToken
}

func bearer(token string) string { return "Authorization: Bearer " + token }

func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d; body %s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.body)
	}
	return a
}

// detail checks a {"detail": …}.
func (a answer) detail(t testing.TB, status int, want string) answer {
	t.Helper()
	a.want(t, status)
	if got := decode[map[string]string](t, a); len(got) != 1 || got["detail"] != want {
		t.Errorf("%s %s: body %s, want the detail %q", a.Request.Method, a.Request.URL.Path, a.body, want)
	}
	return a
}

func decode[T any](t testing.TB, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%s %s: %v in %s", a.Request.Method, a.Request.URL.Path, err, a.body)
	}
	if media := a.Header.Get("Content-Type"); media != "application/json" {
		t.Errorf("%s %s: Content-Type %q", a.Request.Method, a.Request.URL.Path, media)
	}
	return v
}

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
	off bool
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off {
		return len(p), nil
	}
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func pingAt(clock func() time.Time, err error) func(context.Context) (time.Time, error) {
	return func(context.Context) (time.Time, error) { return clock(), err }
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ok returns the value of a call that must succeed: ok(call())(t).
func ok[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
