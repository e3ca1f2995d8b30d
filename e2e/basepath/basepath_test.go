// Package basepath runs the program under an issuer with a path, behind a real
// nginx that serves other things at the root of its host.
package basepath

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	// What the binary is made of: a result is taken from the cache only while
	// that is the same.
	_ "github.com/tokenwright/tokenwright/authserver/cli"
	"github.com/tokenwright/tokenwright/e2e/program"
	"github.com/tokenwright/tokenwright/resource"
)

var binary program.Binary

func TestMain(m *testing.M) { os.Exit(program.Main(m, &binary)) }

const applied = `
resources: [{identifier: https://api.example.test, name: API, scopes: [read]}]
clients:
  - {id: app, public: true, grants: [password, refresh_token], scopes: [read], resources: [https://api.example.test]}
  - {id: web, public: true, grants: [authorization_code, refresh_token], scopes: [read], redirect_uris: [http://127.0.0.1/cb]}
  - {id: rs, secret: rs-secret-0123456789abcdef, grants: [client_credentials], introspect: true, serves: [https://api.example.test, ISSUER/api]}
users:
  - {username: alice, email: alice@example.test, password: correct horse battery, roles: [user]}
`

func TestBehindNginx(t *testing.T) {
	for _, tc := range []struct {
		name string
		root bool // whether the proxy forwards what is at the root of the host
	}{
		{"AUT-034 as deploy/nginx-path.conf says", true},
		{"AUT-034 the path alone", false},
	} {
		t.Run(tc.name, func(t *testing.T) { behindNginx(t, tc.root) })
	}
}

func behindNginx(t *testing.T, root bool) {
	at := freePort(t)
	issuer := fmt.Sprintf("http://127.0.0.1:%d/auth", at)
	dir := t.TempDir()
	env := []string{"ISSUER=" + issuer, "TRUSTED_PROXIES=127.0.0.1/32"}
	binary.Apply(t, dir, env, strings.ReplaceAll(applied, "ISSUER", issuer))
	p := binary.Serve(t, dir, env)
	nginx(t, at, p.Base, root)
	client := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

	login, err := program.Post(client, issuer+"/oauth/token", program.Login("app", "alice", "correct horse battery"))
	login = program.Must(t, 200, login, err)
	first := program.Login("app", "alice", "correct horse battery")
	first.Set("resource", "https://api.example.test")
	foreign, err := program.Post(client, issuer+"/oauth/token", first)
	foreign = program.Must(t, 200, foreign, err)

	t.Run("the bundled API", func(t *testing.T) {
		a, err := program.Get(client, issuer+"/api/private", login.Access)
		if program.Must(t, 200, a, err); !strings.Contains(a.Body, "Hello alice!") {
			t.Errorf("body %s", a.Body)
		}
		a, err = program.Get(client, issuer+"/api/private", "")
		a = program.Must(t, 401, a, err)
		_, metadata, _ := strings.Cut(a.Header.Get("WWW-Authenticate"), `resource_metadata="`)
		metadata, _, _ = strings.Cut(metadata, `"`)
		if root {
			a, err = program.Get(client, metadata, "")
			if program.Must(t, 200, a, err); !strings.Contains(a.Body, `"resource":"`+issuer+`/api"`) {
				t.Errorf("metadata %s", a.Body)
			}
		}
	})
	t.Run("login by redirect", func(t *testing.T) { loginByRedirect(t, issuer) })
	t.Run("OID-012 its metadata, wherever clients look", func(t *testing.T) {
		origin := strings.TrimSuffix(issuer, "/auth")
		places := []string{issuer + "/.well-known/openid-configuration"} // OpenID Connect Discovery §4
		if root {
			places = append(places, origin+"/.well-known/oauth-authorization-server/auth", // RFC 8414 §3.1
				origin+"/.well-known/openid-configuration/auth") // RFC 8414 §5
		}
		var first string
		for _, place := range places {
			a, err := program.Get(client, place, "")
			a = program.Must(t, 200, a, err)
			if first == "" {
				first = a.Body
			}
			if a.Body != first || !strings.Contains(a.Body, `"issuer":"`+issuer+`"`) {
				t.Errorf("%s: %s", place, a.Body)
			}
		}
	})
	t.Run("what is not the issuer's is the host's", func(t *testing.T) {
		for path, want := range map[string]int{"/": 200, "/oauth/token": 200, "/livez": 200, "/auth/nothing": 404, "/auth": 301} {
			a, err := program.Get(client, strings.TrimSuffix(issuer, "/auth")+path, "")
			a = program.Must(t, want, a, err)
			if want == 200 && a.Body != "another program" {
				t.Errorf("%s: body %s", path, a.Body)
			}
		}
	})
	t.Run("the documentation pages", func(t *testing.T) {
		loads := regexp.MustCompile(`(?:src|href)="([^"]*)"`)
		for _, page := range []string{"/docs", "/redoc"} {
			a, err := program.Get(client, issuer+page, "")
			a = program.Must(t, 200, a, err)
			for _, m := range loads.FindAllStringSubmatch(a.Body, -1) {
				file, err := program.Get(client, issuer+"/"+m[1], "")
				program.Must(t, 200, file, err)
			}
		}
	})
	t.Run("an API that uses package resource finds keys and feed, and hears of a logout within a second", func(t *testing.T) {
		v, err := resource.New(t.Context(), resource.Config{
			Issuer: issuer, Audience: "https://api.example.test", ClientID: "rs", ClientSecret: "rs-secret-0123456789abcdef",
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		c, err := v.Verify(t.Context(), foreign.Access)
		if err != nil || c.Issuer != issuer {
			t.Fatalf("claims %+v, error %v", c, err)
		}
		next, err := program.Post(client, issuer+"/oauth/token", program.Refresh("app", foreign.Refresh))
		next = program.Must(t, 200, next, err)
		if _, err := v.Verify(t.Context(), next.Access); err != nil {
			t.Errorf("after a refresh: %v", err)
		}
		ended, err := program.Post(client, issuer+"/oauth/revoke", map[string][]string{"client_id": {"app"}, "token": {next.Refresh}})
		program.Must(t, 200, ended, err)
		deadline := time.Now().Add(time.Second)
		for _, err = v.Verify(t.Context(), next.Access); err == nil; _, err = v.Verify(t.Context(), next.Access) {
			if time.Now().After(deadline) {
				t.Fatal("the token is good a second after its session has ended")
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	t.Run("the server itself answers probes, and healthcheck asks them", func(t *testing.T) {
		for _, path := range []string{"/livez", "/readyz", "/auth/readyz"} {
			a, err := program.Get(client, p.Base+path, "")
			program.Must(t, 200, a, err)
		}
		if out := binary.Run(t, dir, env, "healthcheck", "--listen", strings.TrimPrefix(p.Base, "http://")); out != "ready\n" {
			t.Errorf("healthcheck says %q", out)
		}
	})
	t.Run("an API in a process of its own", func(t *testing.T) {
		api := binary.Serve(t, t.TempDir(), append(env, "RESOURCE_CLIENT_ID=rs", "RESOURCE_CLIENT_SECRET=rs-secret-0123456789abcdef"), "--only", "api")
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			a, err := program.Get(client, api.Base+"/readyz", "")
			if err == nil && a.Status == 200 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("it is not ready: %v %s\n%s", err, a.Body, api.Log())
			}
		}
		a, err := program.Get(client, api.Base+"/auth/api/private", login.Access)
		program.Must(t, 200, a, err)
		a, err = program.Get(client, api.Base+"/.well-known/oauth-protected-resource/auth/api", "")
		program.Must(t, 200, a, err)
	})
	if root {
		t.Run("doctor", func(t *testing.T) {
			// Not all of them: some make nginx refuse by itself, in HTML.
			const lines = "MET-001,MET-002,MET-009,MET-011,TOK-021,TOK-022,PWD-001,REF-001,RSV-027,RSV-028,RSV-035,RSV-041"
			t.Log(binary.Run(t, dir, env, "doctor", issuer, "--fixtures", fixtures(t, issuer), "--only", lines))
		})
	}
}

func TestDoctor(t *testing.T) {
	at := freePort(t)
	issuer := fmt.Sprintf("http://127.0.0.1:%d/auth", at)
	dir, env := t.TempDir(), []string{"ISSUER=" + issuer}
	binary.Apply(t, dir, env, strings.ReplaceAll(applied, "ISSUER", issuer))
	binary.Serve(t, dir, env, "--listen", fmt.Sprintf("127.0.0.1:%d", at))
	t.Log(binary.Run(t, dir, env, "doctor", issuer, "--fixtures", fixtures(t, issuer))) // fails if a line does
}

// fixtures is the name of a file that tells doctor what was applied.
func fixtures(t *testing.T, issuer string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fixtures.yaml")
	text := applied + "api: {identifier: ISSUER/api, url: ISSUER/api/private, admin_url: ISSUER/api/admin}\n"
	if err := os.WriteFile(name, []byte(strings.ReplaceAll(text, "ISSUER", issuer)), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
