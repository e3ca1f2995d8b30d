// Package faults takes from the running program what it stands on (its life, its
// disk, its file) and looks at what it said that it had kept.
package faults

import (
	"flag"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver/audit"
	// What the binary is made of: a result is taken from the cache only while
	// that is the same.
	_ "github.com/tokenwright/tokenwright/authserver/cli"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/e2e/program"
)

var (
	binary program.Binary
	proof  = flag.Bool("proof", false, "run at full size: 200 kills")
)

func TestMain(m *testing.M) { os.Exit(program.Main(m, &binary)) }

const (
	secretKey = "one-secret-of-many-letters-0123456789"
	rsSecret  = "rs-secret-0123456789abcdef"
	phrase    = "correct horse"
)

// settings are those of every server here: the issuer stays the same on whatever
// port it listens, nobody is throttled, and passwords cost little.
var settings = []string{
	"SECRET_KEY=" + secretKey, "ISSUER=http://127.0.0.1:8000", "REFRESH_GRACE_SECONDS=60",
	"LOGIN_RATE=off", "LOGIN_RATE_IP=off", "REGISTRATION_RATE=off", "PASSWORD_HASH=bcrypt", "BCRYPT_COST=10",
}

const seed = `
clients:
  - {id: app, public: true, grants: [password, refresh_token], scopes: [profile]}
  - {id: rs, secret: ` + rsSecret + `, introspect: true, serves: ["http://127.0.0.1:8000/api"]}
users:
  - {username: root, email: root@example.com, password: ` + phrase + `, roles: [admin]}
  - {username: alice, email: alice@example.com, password: ` + phrase + `, roles: [user]}
`

// newHome puts a database with the clients and users of seed into dir.
func newHome(t *testing.T, dir string) {
	t.Helper()
	binary.Apply(t, dir, settings, seed)
}

// newClient is a client that gives up long before the test does.
func newClient() *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 50}}
}

func introspection(token string) url.Values {
	return url.Values{"token": {token}, "client_id": {"rs"}, "client_secret": {rsSecret}}
}

// verifyLog wants an event log without faults in the database in dir.
func verifyLog(t *testing.T, dir string) audit.Report {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: "sqlite:" + filepath.Join(dir, "data", "tokenwright.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	master, err := keys.NewMaster(secretKey)
	if err != nil {
		t.Fatal(err)
	}
	report, err := audit.Verify(t.Context(), db, master.AuditKeys())
	if err != nil || len(report.Faults) > 0 {
		t.Errorf("the event log: %v, %v", report.Faults, err)
	}
	return report
}
