//go:build proof

// Package timing asks the running program thousands of times who somebody is, and
// compares how long it takes to refuse those whom it knows and those whom it does
// not. It needs the machine for itself.
package timing

import (
	"flag"
	"os"
	"testing"

	// What the binary is made of: a result is taken from the cache only while
	// that is the same.
	_ "github.com/tokenwright/tokenwright/authserver/cli"
	"github.com/tokenwright/tokenwright/authserver/doctor"
	"github.com/tokenwright/tokenwright/e2e/program"
)

var (
	binary  program.Binary
	samples = flag.Int("samples", 500, "answers of each kind")
)

func TestMain(m *testing.M) { os.Exit(program.Main(m, &binary)) }

const (
	secret = "conf-secret-0123456789abcdef"
	phrase = "correct horse"
)

const accounts = `
clients:
  - {id: app, public: true, grants: [password, refresh_token], scopes: [profile]}
  - {id: conf, secret: ` + secret + `, grants: [client_credentials]}
users:
  - {username: alice, email: alice@example.com, password: ` + phrase + `, roles: [user]}
`

// PWD-004, CLI-007: of what is the same, one run in fifty fails by chance.
func TestNobodyCanTellStrangersByTheTime(t *testing.T) {
	for _, hash := range []string{"argon2id", "bcrypt"} {
		t.Run(hash, func(t *testing.T) {
			settings := []string{
				"SECRET_KEY=one-secret-of-many-letters-0123456789", "PASSWORD_HASH=" + hash,
				"LOGIN_RATE=off", "LOGIN_RATE_IP=off", "CLIENT_RATE=off",
			}
			dir := t.TempDir()
			binary.Apply(t, dir, settings, accounts)
			report, err := doctor.Run(t.Context(), doctor.Options{
				Issuer: binary.Serve(t, dir, settings).Base,
				Fixtures: doctor.Fixtures{
					Clients: []doctor.Client{
						{ID: "app", Grants: []string{"password", "refresh_token"}},
						{ID: "conf", Secret: secret, Grants: []string{"client_credentials"}},
					},
					Users: []doctor.User{{Username: "alice", Password: phrase}},
				},
				Timing: true, Samples: *samples, Only: []string{"PWD-004", "CLI-007"},
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range report.Results {
				t.Logf("%s %s: %s %s", r.ID, r.Title, r.Verdict, r.Reason)
				if r.Verdict != doctor.Pass {
					t.Errorf("%s: %s", r.ID, r.Verdict)
				}
			}
		})
	}
}
