// Package login logs people in by redirect at the running program: with a cookie
// jar and the forms of the pages, and in Chromium.
package login

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"testing"

	// What the binary is made of: a result is taken from the cache only while
	// that is the same.
	_ "github.com/tokenwright/tokenwright/authserver/cli"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/e2e/program"
)

var binary program.Binary

func TestMain(m *testing.M) { os.Exit(program.Main(m, &binary)) }

const (
	secretKey = "one-secret-of-many-letters-0123456789"
	webSecret = "web-secret-0123456789abcdef"
	rootName  = "root"
	phrase    = "correct horse battery"
	orders    = "https://orders.test"
)

const seed = `
resources: [{identifier: ` + orders + `, name: Orders, scopes: [read]}]
scopes:
  read: {description: Read your data}
  write: {requires_role: user, description: Change your data}
  admin: {requires_role: admin, description: Administer it all}
clients:
  - {id: web, name: The Shop, secret: ` + webSecret + `, grants: [authorization_code, refresh_token], scopes: [read, write, admin],
     resources: [` + orders + `], redirect_uris: ["https://web.test/cb?a=b", "https://web.test/other"]}
  - {id: spa, public: true, grants: [authorization_code, refresh_token], scopes: [read, write, admin], redirect_uris: ["https://spa.test/cb"]}
  - {id: native, public: true, trusted: true, grants: [authorization_code, refresh_token], scopes: [read, write],
     redirect_uris: ["http://127.0.0.1/cb", "com.example.app:/cb"]}
  - {id: lax, secret: ` + webSecret + `, require_pkce: false, trusted: true, grants: [authorization_code], scopes: [read], redirect_uris: ["https://lax.test/cb"]}
  - {id: pushed, secret: ` + webSecret + `, require_pushed_authorization_requests: true, trusted: true, grants: [authorization_code, refresh_token],
     scopes: [read], redirect_uris: ["https://pushed.test/cb"]}
  - {id: page, name: A Page, public: true, grants: [authorization_code, refresh_token], scopes: [read], redirect_uris: ["http://localhost/cb"]}
  - {id: app, public: true, grants: [password, refresh_token], scopes: [read, write]}
  - {id: rp, name: The Club, secret: ` + webSecret + `, require_pkce: false, grants: [authorization_code, refresh_token, password],
     scopes: [openid, profile, email, roles, groups, offline_access, read], redirect_uris: ["https://rp.test/cb"], post_logout_redirect_uris: ["https://rp.test/bye"]}
users:
  - {username: ` + rootName + `, email: root@example.com, full_name: Root Example, password: ` + phrase + `, roles: [admin]}
`

// world is a server and what it stands on.
type world struct {
	*program.Process
	issuer string
	dir    string
	env    []string
	redis  *redistest.Server // nil: sessions are in the database
	people *atomic.Int32
}

// newWorld starts a server, with sessions in the database or in Redis. Nobody is
// throttled and passwords cost little, unless env says otherwise.
func newWorld(t *testing.T, inRedis bool, env ...string) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), people: new(atomic.Int32)}
	at := freePort(t)
	w.issuer = "http://" + at
	w.env = append([]string{
		"SECRET_KEY=" + secretKey, "ISSUER=" + w.issuer, "LOGIN_RATE=off", "LOGIN_RATE_IP=off", "REGISTRATION_RATE=off",
		"CLIENT_RATE=off", "PASSWORD_HASH=bcrypt", "BCRYPT_COST=10",
	}, env...)
	if inRedis {
		w.redis = redistest.New(t, "")
		w.env = append(w.env, "REDIS_URL="+w.redis.URL)
	}
	binary.Apply(t, w.dir, w.env, seed)
	w.Process = binary.Serve(t, w.dir, w.env, "--listen", at)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the program says:\n%s", w.Log())
		}
	})
	return w
}

// again ends the server and starts it with other settings beside its own.
func (w *world) again(t *testing.T, env ...string) {
	t.Helper()
	if err := w.Stop(); err != nil {
		t.Fatal(err)
	}
	w.env = append(w.env, env...)
	w.Process = binary.Serve(t, w.dir, w.env, "--listen", w.issuer[len("http://"):])
}

func (w *world) run(t *testing.T, args ...string) string {
	t.Helper()
	return binary.Run(t, w.dir, w.env, args...)
}

// freePort is one that nobody listened on a moment ago: the issuer has to be
// known before the server starts.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// person is a user with a browser, which knows cookies and forms.
type person struct {
	*world
	*testing.T
	*program.Browser
	name string
}

// someone registers, not by the browser, and is logged in nowhere.
func (w *world) someone(t *testing.T) *person {
	t.Helper()
	name := fmt.Sprintf("someone%d", w.people.Add(1))
	body := fmt.Sprintf(`{"username":%q,"email":"%s@example.com","password":%q}`, name, name, phrase)
	a, err := postJSON(w.issuer+"/auth/register", body)
	program.Must(t, 200, a, err)
	return w.browserOf(t, name)
}

// browserOf is another browser of a user's.
func (w *world) browserOf(t *testing.T, name string) *person {
	return &person{world: w, T: t, Browser: program.NewBrowser(t, w.issuer), name: name}
}

// elsewhere is the same user at another browser.
func (p *person) elsewhere() *person { return p.browserOf(p.T, p.name) }

func (p *person) Context() context.Context { return p.T.Context() }
