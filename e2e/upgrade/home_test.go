package upgrade

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver/password"
	"github.com/tokenwright/tokenwright/e2e/program"
)

const (
	issuer       = "http://127.0.0.1:8000" // whatever port a server listens on
	clientSecret = "a-client-secret-0123456789"
	newPhrase    = "several unrelated words"
)

// phrase is longer than bcrypt takes, so that the cheap hash of it stays what it
// is: passwords are not what is tested here.
var phrase = strings.Repeat("correct horse battery ", 4)

// home is what one deployment keeps, whichever version serves it.
type home struct {
	dir            string
	env            []string
	driver, source string // of its database, for looking into it
}

func newHome(t *testing.T) *home {
	t.Helper()
	h := &home{dir: t.TempDir(), env: []string{
		"SECRET_KEY=one-secret-of-many-letters-0123456789", "ISSUER=" + issuer, "REFRESH_GRACE_SECONDS=60",
		"LOGIN_RATE=off", "LOGIN_RATE_IP=off", "CLIENT_RATE=off", "REGISTRATION_RATE=off", "PASSWORD_HASH=bcrypt", "BCRYPT_COST=10",
	}}
	h.keepIn("sqlite", filepath.Join(h.dir, "tokenwright.db"))
	return h
}

// keepIn names the home's database.
func (h *home) keepIn(driver, source string) {
	url := source
	if driver == "sqlite" {
		url = "sqlite:" + source
	}
	h.env = append(h.env, "DATABASE_URL="+url)
	h.driver, h.source = driver, source
}

// settle has a version make the clients and users. The names are roles of the
// tests: gone leaves, bob is disabled, carol loses a role, dave changes his
// password, and loadN and lostN are used and disabled under load.
func (h *home) settle(t *testing.T, by program.Binary) {
	t.Helper()
	hasher, err := password.New(password.Config{Argon2: password.Argon2Params{Memory: 64, Time: 1, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := hasher.Hash(t.Context(), phrase)
	if err != nil {
		t.Fatal(err)
	}
	var file strings.Builder
	file.WriteString(`
clients:
  - {id: app, public: true, grants: [password, refresh_token], scopes: [profile]}
  - {id: gone, public: true, grants: [password, refresh_token], scopes: [profile]}
  - {id: conf, secret: ` + clientSecret + `, grants: [password, refresh_token, client_credentials], scopes: [profile]}
  - {id: rs, secret: ` + clientSecret + `, introspect: true, serves: ["` + issuer + `/api"]}
users:
`)
	for _, name := range slices.Concat([]string{"root", "alice", "bob", "carol", "dave"}, names("load", clients), names("lost", disabled)) {
		file.WriteString("  - {username: " + name + ", email: " + name + "@example.com, password_hash: '" + hash + "', roles: [user, editor]}\n")
	}
	by.Apply(t, h.dir, h.env, file.String())
}

// look calls f with the database, past every version of the program.
func (h *home) look(t *testing.T, f func(db *sql.DB) error) {
	t.Helper()
	db, err := sql.Open(h.driver, h.source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := f(db); err != nil {
		t.Fatal(err)
	}
}
