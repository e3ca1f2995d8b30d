//go:build proof

package revocation

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver/password"
)

const (
	secretKey      = "a-secret-of-many-different-letters-0123456789"
	resourceID     = "rs"
	confidentialID = "conf"
	clientSecret   = "a-client-secret-0123456789"
)

// userPassword is longer than bcrypt takes, so that the cheap hash of it stays
// what it is: what a login costs is not what is measured here.
var userPassword = strings.Repeat("correct horse battery ", 4)

// shape is what a deployment is made of.
type shape struct {
	database string // DATABASE_URL; a file of SQLite if empty
	redis    string // REDIS_URL
	auth     int    // authorization servers of their own
	api      int    // resource servers of their own; without both it is one process
	users    int    // user0 … with roles user and admin
	leaving  int    // clients to be removed
	env      []string
}

// deployment is servers on one database, behind one issuer's address.
type deployment struct {
	t        testing.TB
	dir      string
	env      []string
	database string
	redis    string
	front    *balancer
	auth     []*server
	api      []*server
	http     *http.Client
}

// deploy makes the clients and users and starts the servers.
func deploy(t testing.TB, s shape) *deployment {
	t.Helper()
	d := &deployment{t: t, dir: t.TempDir(), front: newBalancer(t), database: s.database, redis: s.redis}
	if d.database == "" {
		d.database = "sqlite:" + filepath.Join(d.dir, "tokenwright.db")
	}
	d.http = &http.Client{
		Transport: &http.Transport{MaxIdleConns: 1000, MaxIdleConnsPerHost: 200, DisableCompression: true},
		Timeout:   20 * time.Second,
	}
	d.env = slices.Concat([]string{
		"ISSUER=" + d.front.url(),
		"DATABASE_URL=" + d.database, "REDIS_URL=" + s.redis, "SECRET_KEY=" + secretKey,
		"LOGIN_RATE=off", "LOGIN_RATE_IP=off", "CLIENT_RATE=off", "PASSWORD_HASH=bcrypt", "BCRYPT_COST=10", "HASH_QUEUE=10000", "HASH_WAIT=30s",
		"RESOURCE_CLIENT_ID=" + resourceID, "RESOURCE_CLIENT_SECRET=" + clientSecret,
	}, s.env)
	d.populate(s)
	t.Cleanup(d.end)
	if s.auth == 0 {
		d.auth = []*server{{name: "the process", probe: "/api/private"}}
	}
	for i := range s.auth {
		d.auth = append(d.auth, &server{name: fmt.Sprintf("auth%d", i), probe: "/auth/me", args: []string{"--only", "auth"}})
	}
	for i := range s.api {
		d.api = append(d.api, &server{name: fmt.Sprintf("api%d", i), probe: "/api/private", args: []string{"--only", "api"}})
	}
	for _, p := range d.auth {
		d.start(p)
	}
	d.balance()
	for _, p := range d.api {
		d.start(p)
	}
	for _, p := range d.servers() {
		d.ready(p)
	}
	return d
}

func (d *deployment) servers() []*server { return slices.Concat(d.auth, d.api) }

// balance spreads connections to the issuer over the servers as they are now.
func (d *deployment) balance() {
	var addresses []string
	for _, p := range d.auth {
		addresses = append(addresses, strings.TrimPrefix(p.Base, "http://"))
	}
	d.front.set(addresses...)
}

// again starts an authorization server that was killed.
func (d *deployment) again(p *server) {
	d.t.Helper()
	d.start(p)
	d.balance()
	d.ready(p)
}

// ready returns when p says that it is.
func (d *deployment) ready(p *server) {
	d.t.Helper()
	d.until("readiness of "+p.name, func() bool {
		a, err := d.ask(http.MethodGet, p.Base+"/readyz", "", nil)
		return err == nil && a.Status == http.StatusOK
	})
}

// until asks every 10 ms, since other processes tell nobody what they know.
func (d *deployment) until(what string, done func() bool) {
	d.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			d.t.Fatalf("%s: not within 20 s", what)
		}
	}
}

func (d *deployment) end() {
	d.http.CloseIdleConnections()                                                               // a server that ends waits 5 s for one that was never used
	servers := slices.DeleteFunc(d.servers(), func(p *server) bool { return p.Process == nil }) // one did not start
	for _, p := range slices.Backward(servers) {
		p.stop(d.t)
	}
	if d.t.Failed() {
		for _, p := range servers {
			d.t.Logf("%s says:\n%s", p.name, tail(p.Log(), 4000))
		}
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// operator runs a command against the database, as an operator does.
func (d *deployment) operator(stdin []byte, args ...string) (string, error) {
	cmd := binary.Command(d.dir, d.env, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("tokenwright %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// hash is that of userPassword, for all users.
var hash = sync.OnceValues(func() (string, error) {
	h, err := password.New(password.Config{Argon2: password.Argon2Params{Memory: 64, Time: 1, Threads: 1}})
	if err != nil {
		return "", err
	}
	return h.Hash(context.Background(), userPassword)
})

// populate makes clients and users with an apply file.
func (d *deployment) populate(s shape) {
	d.t.Helper()
	hash, err := hash()
	if err != nil {
		d.t.Fatal(err)
	}
	audience := d.front.url() + "/api"
	scopes := []string{"read", "profile"}
	type object = map[string]any
	clients := []object{
		{"id": "spa", "public": true, "grants": []string{"password", "refresh_token"}, "scopes": scopes},
		{"id": confidentialID, "secret": clientSecret, "grants": []string{"password", "refresh_token", "client_credentials"}, "scopes": scopes},
		{"id": resourceID, "secret": clientSecret, "grants": []string{"client_credentials"}, "scopes": scopes,
			"serves": []string{audience}, "introspect": true},
	}
	for i := range s.leaving {
		clients = append(clients, object{"id": leavingClient(i), "public": true,
			"grants": []string{"password", "refresh_token"}, "scopes": scopes})
	}
	var users []object
	for i := range s.users {
		users = append(users, object{"username": userName(i), "email": userName(i) + "@example.com",
			"password_hash": hash, "roles": []string{"user", "admin"}})
	}
	file, err := json.Marshal(object{"clients": clients, "users": users}) // JSON is YAML
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.operator(file, "apply", "-f", "-"); err != nil {
		d.t.Fatal(err)
	}
}

func userName(i int) string { return fmt.Sprintf("user%d", i) }

func leavingClient(i int) string { return fmt.Sprintf("leaving%d", i) }
