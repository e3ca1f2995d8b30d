package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/feed"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/password"
	"github.com/tokenwright/tokenwright/authserver/sessions"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/resource"
)

const (
	testIssuer   = "http://127.0.0.1:8000"
	testAudience = testIssuer + "/api"
	testResource = "https://api.example.test"
	confSecret   = "conf-secret-0123456789abcdef"
)

// fixture is a server with its real parts on a database of its own.
type fixture struct {
	*Server
	t        testing.TB
	db       *sqlstore.DB
	hasher   *password.Hasher
	verifier *resource.Verifier
}

func newFixture(t testing.TB, edits ...func(*Deps)) *fixture {
	t.Helper()
	ctx := context.Background()
	db, err := sqlstore.Open(ctx, sqlstore.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	master, err := keys.NewMaster("a test's secret of many letters 0123456789")
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(ctx, db, master, "ES256")
	if err != nil {
		t.Fatal(err)
	}
	hasher, err := password.New(password.Config{
		Algorithm: password.Argon2id, Argon2: password.Argon2Params{Memory: 64, Time: 1, Threads: 1},
		Concurrency: 2, Queue: 1000, Wait: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	roles, err := resource.ParseHierarchy("viewer<user<editor<moderator<admin")
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.DiscardHandler)
	ended := resource.NewEnded()
	tail := feed.New(db, ended, 0, logger)
	if err := tail.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	a := account.Deps{
		Users: db, Clients: db, Hasher: hasher, Limiter: limit.NewMemory(1000), Master: master, Roles: roles,
		Audience: testAudience, Changed: tail.Changed, Logger: logger,
	}
	issuers, err := resource.NewVerifier(resource.VerifierConfig{Issuer: testIssuer, AnyAudience: true, Keys: ring, Ended: ended})
	if err != nil {
		t.Fatal(err)
	}
	d := Deps{
		Verifier: issuers,
		Settings: Settings{
			Issuer: testIssuer, Audience: testAudience,
			AccessLifetime: 30 * time.Minute, IdleLifetime: 7 * 24 * time.Hour, SessionLifetime: 30 * 24 * time.Hour,
			RefreshGrace: 10 * time.Second, SessionsPerUser: 100, Scopes: []string{"profile"},
		},
		Facts: db, Sessions: db, Audit: db,
		Users: account.NewUsers(a), Clients: account.NewClients(a),
		Ring: ring, Master: master, Roles: roles, Logger: logger,
	}
	for _, edit := range edits {
		edit(&d)
	}
	d.Endings = sessions.New(sessions.Deps{
		Facts: d.Facts, Store: d.Sessions, Users: db, Log: db, Changed: tail.Changed, Logger: logger,
	})
	verifier, err := resource.NewVerifier(resource.VerifierConfig{
		Issuer: testIssuer, Audience: testAudience, Keys: ring, Ended: ended,
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{Server: server, t: t, db: db, hasher: hasher, verifier: verifier}
	f.seed()
	return f
}

// seed makes alice (user), root (admin), and the clients that the tests speak of.
func (f *fixture) seed() {
	f.t.Helper()
	ctx := context.Background()
	all := []string{authserver.GrantPassword, authserver.GrantRefreshToken, authserver.GrantClientCredentials}
	scopes := []string{"read", "write", "admin", "profile"}
	for _, s := range [][2]string{{"admin", "admin"}, {"write", "user"}, {"read", ""}} {
		if err := f.db.PutScope(ctx, s[0], authserver.Scope{RequiresRole: s[1]}, authserver.Event{Act: "test"}); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := f.db.PutResource(ctx, authserver.Resource{Identifier: testResource}, authserver.Event{Act: "test"}); err != nil {
		f.t.Fatal(err)
	}
	zero := time.Duration(0)
	code := []string{authserver.GrantAuthorizationCode, authserver.GrantRefreshToken}
	for _, c := range []account.ClientSpec{
		{ID: "conf", Secret: confSecret, Grants: all, Scopes: scopes, Resources: []string{testResource}},
		{ID: "other", Secret: confSecret, Grants: all, Scopes: scopes},
		{ID: "strict", Public: true, Grants: all[:2], Scopes: scopes, RefreshGrace: &zero},
		{ID: "pub", Public: true, Grants: all[:2], Scopes: scopes},
		{ID: "nopw", Secret: confSecret, Grants: all[1:], Scopes: scopes},
		{ID: "norefresh", Public: true, Grants: all[:1], Scopes: scopes},
		{ID: "rs1", Secret: confSecret, Serves: []string{testAudience}, Introspect: true},
		{ID: "rs2", Secret: confSecret, Serves: []string{testResource}, Introspect: true},
		{ID: "web", Secret: confSecret, Grants: code, Scopes: append(scopes, "offline_access"), Resources: []string{testResource},
			RedirectURIs: []string{"https://web.test/cb?a=b", "https://web.test/other"}},
		{ID: "lax", Secret: confSecret, Grants: code, Scopes: scopes, PKCEOptional: true, RedirectURIs: []string{"https://lax.test/cb"}},
		{ID: "native", Public: true, Grants: code, Scopes: scopes, RedirectURIs: []string{"http://127.0.0.1/cb"}},
		{ID: "rp", Secret: confSecret, Trusted: true, Grants: append(code, authserver.GrantPassword), RedirectURIs: []string{"https://rp.test/cb"},
			Scopes: []string{"openid", "profile", "email", "roles", "groups", "offline_access"}, PostLogoutRedirectURIs: []string{"https://rp.test/bye?x=1"}},
		{ID: "own", Public: true, Trusted: true, Grants: code[:1], Scopes: scopes, RedirectURIs: []string{"https://own.test/cb"}},
		{ID: "reader", Public: true, Grants: all[:2], Scopes: []string{"read"}},
	} {
		if _, _, err := f.Clients.Add(ctx, c, "test"); err != nil {
			f.t.Fatal(err)
		}
	}
	for name, role := range map[string]string{"alice": "user", "root": "admin", "käse": "user"} {
		_, err := f.Users.Register(ctx, account.Registration{
			Email: "u" + role + "-" + url.PathEscape(name) + "@example.com", Username: strings.ReplaceAll(name, "ä", "ae"),
			FullName: "Full " + name, Password: "correct horse " + name, Roles: []string{role}, Active: true,
		})
		if err != nil {
			f.t.Fatal(err)
		}
	}
}

// request is a request to the token endpoint that would succeed; edits of the
// form "name=value" change or add a parameter, "name" alone removes it, "+name=value"
// repeats it, and "Basic id:secret" authenticates with the header.
func request(form string, edits ...string) *http.Request {
	values, _ := url.ParseQuery(form)
	var basic string
	for _, e := range edits {
		if b, ok := strings.CutPrefix(e, "Basic "); ok {
			basic = "Basic " + base64.StdEncoding.EncodeToString([]byte(b))
			continue
		}
		name, value, set := strings.Cut(e, "=")
		switch {
		case !set:
			values.Del(name)
		case strings.HasPrefix(name, "+"):
			values.Add(name[1:], value)
		default:
			values.Set(name, value)
		}
	}
	r := httptest.NewRequest("POST", PathToken, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic != "" {
		r.Header.Set("Authorization", basic)
	}
	return r.WithContext(authserver.WithCaller(r.Context(), authserver.Caller{IP: "192.0.2.1", UserAgent: "test", RequestID: "r1"}))
}

const (
	passwordForm = "grant_type=password&username=alice&password=correct+horse+alice&client_id=pub"
	clientForm   = "grant_type=client_credentials&client_id=conf&client_secret=" + confSecret
)

func refreshForm(client, token string) string {
	return url.Values{"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {token}}.Encode()
}

func (f *fixture) post(form string, edits ...string) (Response, error) {
	return f.Token(request(form, edits...))
}

// login returns the tokens of a new session of alice's.
func (f *fixture) login(edits ...string) Response {
	f.t.Helper()
	res, err := f.post(passwordForm, edits...)
	if err != nil {
		f.t.Fatalf("log in: %v", err)
	}
	return res
}

// rotate returns the tokens of a refresh that has to succeed.
func (f *fixture) rotate(client, token string, edits ...string) Response {
	f.t.Helper()
	res, err := f.post(refreshForm(client, token), edits...)
	if err != nil {
		f.t.Fatalf("refresh: %v", err)
	}
	return res
}

func (f *fixture) claims(access string) *resource.Claims {
	f.t.Helper()
	c, err := f.verifier.Verify(context.Background(), access)
	if err != nil {
		f.t.Fatalf("verify access token: %v", err)
	}
	return c
}

// wantCode fails unless err is an *Error of that code.
func wantCode(t testing.TB, err error, want Code) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
