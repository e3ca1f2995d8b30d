//go:build proof

// Package timing asks the running program thousands of times who somebody is, and
// compares how long it takes to refuse those whom it knows and those whom it does
// not. It needs the machine for itself.
package timing

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

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

// PWD-023: after an import of slower hashes, unknown names take the times of the
// users, each as often. Who takes how long is what chance made of it, so that the
// two samples differ as two of one distribution do.
func TestNobodyCanTellImportedUsersByTheTime(t *testing.T) {
	const users = 40 // a quarter with an imported hash
	imported, err := bcrypt.GenerateFromPassword([]byte(phrase), 10)
	if err != nil {
		t.Fatal(err)
	}
	table := "clients:\n  - {id: app, public: true, grants: [password], scopes: [profile]}\nusers:\n"
	for i := range users {
		secret := fmt.Sprintf("password: %q", phrase)
		if i%4 == 0 {
			secret = fmt.Sprintf("password_hash: %q", imported)
		}
		table += fmt.Sprintf("  - {username: user%d, email: user%d@example.com, %s, roles: [user]}\n", i, i, secret)
	}
	settings := []string{"SECRET_KEY=one-secret-of-many-letters-0123456789", "LOGIN_RATE=off", "LOGIN_RATE_IP=off"}
	dir := t.TempDir()
	binary.Apply(t, dir, settings, table)
	p := binary.Serve(t, dir, settings)
	client := &http.Client{Timeout: 30 * time.Second}
	took := func(login string) time.Duration {
		start := time.Now()
		a, err := program.Post(client, p.Base+"/oauth/token", program.Login("app", login, "wrong horse"))
		program.Must(t, 400, a, err)
		return time.Since(start)
	}
	var known, unknown []time.Duration
	for i := range *samples {
		known = append(known, took(fmt.Sprint("user", rand.IntN(users))))
		unknown = append(unknown, took(fmt.Sprint("nobody", i)))
	}
	d := distance(known, unknown)
	bound := 1.63 * math.Sqrt(2/float64(*samples)) // of a hundred runs one is over it by chance
	t.Logf("Kolmogorov-Smirnov distance %.3f of %d each, at most %.3f; medians %v and %v, nine in ten within %v and %v", d, *samples, bound,
		known[len(known)/2], unknown[len(unknown)/2], known[len(known)*9/10], unknown[len(unknown)*9/10])
	if d > bound {
		t.Error("strangers and users can be told apart")
	}
}

// distance is how far apart the distributions of two samples are where they are
// farthest; it sorts them.
func distance(a, b []time.Duration) (d float64) {
	slices.Sort(a)
	slices.Sort(b)
	for i, x := range a {
		j, _ := slices.BinarySearch(b, x)
		d = max(d, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	return d
}
