// Package clients logs in at the running program with the client libraries that
// people use, of several languages. README.md has the matrix.
package clients

import (
	"net"
	"net/url"
	"os"
	"testing"

	// What the binary is made of: a result is taken from the cache only while
	// that is the same.
	_ "github.com/tokenwright/tokenwright/authserver/cli"
	"github.com/tokenwright/tokenwright/e2e/program"
)

var binary program.Binary

func TestMain(m *testing.M) { os.Exit(program.Main(m, &binary)) }

const (
	webSecret = "web-secret-0123456789abcdef"
	phrase    = "correct horse battery"
	username  = "alice"
	webCB     = "https://web.test/cb"
	webBye    = "https://web.test/bye"
	spaCB     = "https://spa.test/cb"
	spaBye    = "https://spa.test/bye"
	audience  = "https://api.test"
)

const seed = `
scopes: {read: {description: Read your data}}
clients:
  - {id: web, name: The Shop, secret: ` + webSecret + `, grants: [authorization_code, refresh_token, client_credentials, password],
     scopes: [openid, profile, email, roles, offline_access, read], introspect: true,
     redirect_uris: ["` + webCB + `"], post_logout_redirect_uris: ["` + webBye + `"]}
  - {id: spa, public: true, grants: [authorization_code, refresh_token], scopes: [openid, profile, email, read],
     redirect_uris: ["` + spaCB + `", "http://127.0.0.1/cb"], post_logout_redirect_uris: ["` + spaBye + `"]}
  - {id: es256, public: true, id_token_signed_response_alg: ES256, grants: [authorization_code, refresh_token],
     scopes: [openid, profile, email, read], redirect_uris: ["` + spaCB + `"], post_logout_redirect_uris: ["` + spaBye + `"]}
users:
  - {username: ` + username + `, email: alice@example.com, full_name: Alice Example, password: ` + phrase + `, roles: [user]}
`

// server is one that runs, with the seed.
type server struct {
	*program.Process
	issuer string
}

func newServer(t *testing.T) *server {
	t.Helper()
	dir, at := t.TempDir(), freePort(t)
	env := []string{
		"SECRET_KEY=one-secret-of-many-letters-0123456789", "ISSUER=http://" + at, "AUDIENCE=" + audience,
		"LOGIN_RATE=off", "LOGIN_RATE_IP=off", "CLIENT_RATE=off", "PASSWORD_HASH=bcrypt", "BCRYPT_COST=10",
	}
	binary.Apply(t, dir, env, seed)
	s := &server{binary.Serve(t, dir, env, "--listen", at), "http://" + at}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the program says:\n%s", s.Log())
		}
	})
	return s
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

// person is the user at a browser.
type person struct{ *program.Browser }

func (s *server) person(t *testing.T) person {
	return person{program.NewBrowser(t, s.issuer)}
}

// answer is what the client's redirect URI gets for a request.
func (p person) answer(request string) url.Values {
	p.Helper()
	return p.Through(p.Open(request), username, phrase).Query()
}

// sentTo is where an address leads a person who logs in, allows, and logs out when
// they are asked.
func (p person) sentTo(address string) string {
	p.Helper()
	a := p.Open(address)
	switch {
	case a.On("login"), a.On("allow"):
		a = p.Through(a, username, phrase)
	case a.On("logout"):
		a = p.Press(a, "logout")
	}
	return a.URL.String()
}
