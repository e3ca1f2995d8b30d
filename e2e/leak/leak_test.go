// Package leak looks for secrets wherever a whole run of the program leaves
// anything: its answers, its log, its metrics and traces, its database, Redis,
// its arguments.
package leak

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	// What the binary is made of: a result is taken from the cache only while
	// that is the same.
	_ "github.com/tokenwright/tokenwright/authserver/cli"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/e2e/program"
)

var binary program.Binary

func TestMain(m *testing.M) { os.Exit(program.Main(m, &binary)) }

const (
	masterKey = "master-secret-0123456789-abcdefghijkl"
	appSecret = "app-secret-0123456789abcdef"
	phrase    = "alice's-secret-phrase"
	redisPass = "redis-secret-opensesame"

	collectorKey = "collector-secret-opensesame"
)

// run is a whole run: what was secret in it, and what it left.
type run struct {
	*program.Process
	t       *testing.T
	client  *http.Client
	secrets map[string]string // by what they are
	answers strings.Builder   // to requests that were refused
}

// keep notes the tokens that an answer gave out.
func (r *run) keep(what string, a program.Answer, err error) program.Answer {
	r.t.Helper()
	a = program.Must(r.t, 200, a, err)
	for name, token := range map[string]string{"access": a.Access, "refresh": a.Refresh} {
		if token != "" {
			r.secrets[what+": "+name+" token"] = token
			// The part that nobody can make again, in case the text is cut.
			r.secrets[what+": end of the "+name+" token"] = token[len(token)-40:]
		}
	}
	return a
}

// refuse sends what has to be refused, with a secret of its own in it.
func (r *run) refuse(method, path string, header http.Header, body string) {
	r.t.Helper()
	marker := fmt.Sprintf("misplaced-secret-%02d-x", len(r.secrets))
	r.secrets[method+" "+path] = marker
	put := func(s string) string { return strings.ReplaceAll(s, "MISPLACED", marker) }
	q, err := http.NewRequest(method, r.Base+put(path), strings.NewReader(put(body)))
	if err != nil {
		r.t.Fatal(err)
	}
	for name, values := range header {
		q.Header.Set(name, put(values[0]))
	}
	a, err := program.Do(r.client, q)
	if err != nil {
		r.t.Fatal(err)
	}
	fmt.Fprintln(&r.answers, a.Status, a.Header, a.Body)
}

// ACC-011, REF-022: no password, token or secret of a whole run is in what the
// run leaves, at the loudest log.
func TestNothingLeaks(t *testing.T) {
	server := redistest.New(t, redisPass)
	traces := newCollector(t)
	dir := t.TempDir()
	env := []string{"LOG_LEVEL=debug", "SECRET_KEY=" + masterKey, "REDIS_URL=" + server.URL, "ISSUER=http://127.0.0.1:8000",
		"METRICS_LISTEN=127.0.0.1:0", "OTEL_EXPORTER_OTLP_ENDPOINT=" + traces.URL, "OTEL_EXPORTER_OTLP_HEADERS=authorization=" + collectorKey}
	said := binary.Apply(t, dir, env, `
clients:
  - {id: app, secret: `+appSecret+`, grants: [password, refresh_token, client_credentials, authorization_code], redirect_uris: ["https://app.test/cb"], scopes: [profile], introspect: true, serves: ["http://127.0.0.1:8000/api"]}
users:
  - {username: alice, email: alice@example.com, password: "`+phrase+`", roles: [user]}
`) + binary.Run(t, dir, env, "config")
	r := &run{Process: binary.Serve(t, dir, env), t: t, client: &http.Client{Timeout: 20 * time.Second}, secrets: map[string]string{
		"SECRET_KEY": masterKey, "client secret": appSecret, "password": phrase, "Redis's password": redisPass,
		"collector's key": collectorKey,
	}}
	arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", r.PID))
	if err != nil {
		t.Fatal(err)
	}
	r.logIn()
	r.use()
	r.misuse()
	dump := dumpRedis(t, server.URL)
	if !strings.Contains(dump, "tw:") {
		t.Fatal("Redis has nothing of the run")
	}
	metrics := r.metrics()
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	left := map[string]string{
		"the log": r.Log(), "a refusal": r.answers.String(), "Redis": dump, "the arguments": string(arguments),
		"what the commands print": said + binary.Run(t, dir, env, "user", "list") + binary.Run(t, dir, env, "client", "list"),
		"the database":            readAll(t, dir),
		"the metrics":             metrics,
		"the traces":              traces.spans(),
	}
	for _, where := range []string{"the metrics", "the traces"} {
		if !strings.Contains(left[where], "/auth/refresh") {
			t.Fatalf("%s say nothing of a refresh:\n%s", where, r.Log())
		}
	}
	for where, text := range left {
		for what, secret := range r.secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s has the %s", where, what)
			}
		}
	}
	t.Logf("%d secrets; bytes of log, metrics, traces: %d, %d, %d", len(r.secrets), len(left["the log"]), len(metrics), len(left["the traces"]))
}

// use does what clients do.
func (r *run) use() {
	app := func(pairs ...string) url.Values {
		form := url.Values{"client_id": {"app"}, "client_secret": {appSecret}}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		return form
	}
	token := func(what string, pairs ...string) program.Answer {
		a, err := program.Post(r.client, r.Base+"/oauth/token", app(pairs...))
		return r.keep(what, a, err)
	}
	first := token("login", "grant_type", "password", "username", "alice", "password", phrase)
	next := token("refresh", "grant_type", "refresh_token", "refresh_token", first.Refresh)
	token("the client's own", "grant_type", "client_credentials")
	a, err := program.Post(r.client, r.Base+"/auth/login", url.Values{"username": {"alice"}, "password": {phrase}})
	public := r.keep("login as in the tutorial", a, err)
	a, err = program.Post(r.client, r.Base+"/auth/refresh?refresh_token="+url.QueryEscape(public.Refresh), nil)
	r.keep("refresh in a query", a, err)
	a, err = program.Get(r.client, r.Base+"/api/private", next.Access)
	r.keep("private", a, err)
	for _, t := range []string{next.Access, next.Refresh} {
		a, err = program.Post(r.client, r.Base+"/oauth/introspect", app("token", t))
		r.keep("introspection", a, err)
	}
	r.secrets["new password"] = "alice's-second-phrase"
	q, err := http.NewRequest("POST", r.Base+"/auth/password",
		strings.NewReader(`{"current_password":"`+phrase+`","new_password":"alice's-second-phrase"}`))
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+next.Access)
	q.Header.Set("Content-Type", "application/json")
	a, err = program.Do(r.client, q)
	program.Must(r.t, 204, a, err)
	a, err = program.Post(r.client, r.Base+"/oauth/revoke", app("token", first.Refresh))
	r.keep("revocation", a, err)
	a, err = program.Post(r.client, r.Base+"/oauth/token", app("grant_type", "refresh_token", "refresh_token", next.Refresh))
	program.Must(r.t, 400, a, err)
	fmt.Fprintln(&r.answers, a.Header, a.Body)
}

// misuse puts secrets where none belongs.
func (r *run) misuse() {
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	asJSON := http.Header{"Content-Type": {"application/json"}}
	r.refuse("POST", "/oauth/token", form, "grant_type=password&client_id=app&client_secret=MISPLACED&username=alice&password=MISPLACED")
	r.refuse("POST", "/oauth/token", form, "grant_type=refresh_token&client_id=app&client_secret="+appSecret+"&refresh_token=twr_MISPLACED")
	r.refuse("POST", "/oauth/token?client_secret=MISPLACED&password=MISPLACED", form, "grant_type=MISPLACED")
	r.refuse("POST", "/oauth/token", http.Header{"Content-Type": form["Content-Type"], "Authorization": {"Basic MISPLACED"}}, "grant_type=client_credentials")
	r.refuse("POST", "/oauth/token", form, "grant_type=authorization_code&client_id=app&client_secret="+appSecret+"&code=twc_MISPLACED&code_verifier=MISPLACED")
	r.refuse("GET", "/oauth/authorize?client_id=app&response_type=MISPLACED&redirect_uri=https://MISPLACED.test&state=MISPLACED&tw=MISPLACED", http.Header{"Cookie": {"tw-8000=twb_MISPLACED"}}, "")
	r.refuse("POST", "/login", form, "username=alice&password=MISPLACED")
	r.refuse("POST", "/oauth/introspect", form, "client_id=MISPLACED&client_secret=MISPLACED&token=MISPLACED")
	r.refuse("POST", "/oauth/revoke", form, "client_id=app&client_secret=MISPLACED&token=MISPLACED")
	r.refuse("POST", "/auth/login", form, "username=MISPLACED&password=MISPLACED")
	r.refuse("POST", "/auth/login", asJSON, `{"username":"alice","password":"MISPLACED"`)
	r.refuse("POST", "/auth/register", asJSON, `{"email":"x","username":"MISPLACED ","password":["MISPLACED"],"MISPLACED":1}`)
	r.refuse("POST", "/auth/refresh?refresh_token=MISPLACED", nil, "")
	r.refuse("GET", "/api/private?access_token=MISPLACED", http.Header{"Authorization": {"Bearer MISPLACED"}}, "")
	r.refuse("GET", "/api/private", http.Header{"Cookie": {"session=MISPLACED"}, "Authorization": {"MISPLACED"}}, "")
	r.refuse("GET", "/MISPLACED?token=MISPLACED", nil, "")
	r.refuse("DELETE", "/auth/sessions/MISPLACED", http.Header{"Authorization": {"Bearer x.MISPLACED.y"}}, "")
}

var servingMetrics = regexp.MustCompile(`msg="serving metrics" listen=(\S+)`)

// metrics are what Prometheus gets.
func (r *run) metrics() string {
	r.t.Helper()
	m := servingMetrics.FindStringSubmatch(r.Log())
	if m == nil {
		r.t.Fatalf("no metrics are served:\n%s", r.Log())
	}
	a, err := program.Get(r.client, "http://"+m[1]+"/metrics", "")
	return program.Must(r.t, 200, a, err).Body
}

// dumpRedis is every key with all that is under it.
func dumpRedis(t *testing.T, rawURL string) string {
	t.Helper()
	ctx := context.Background()
	opts, err := redis.ParseURL(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(opts)
	defer client.Close()
	var all strings.Builder
	keys := client.Scan(ctx, 0, "*", 100).Iterator()
	for keys.Next(ctx) {
		key := keys.Val()
		fmt.Fprintln(&all, key, client.HGetAll(ctx, key).Val(), client.ZRange(ctx, key, 0, -1).Val(), client.Get(ctx, key).Val())
		if ttl := client.PTTL(ctx, key).Val(); ttl <= 0 {
			t.Errorf("REF-023 %s stays for ever", key)
		}
	}
	if err := keys.Err(); err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// readAll is every file that the run made.
func readAll(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all.Write(b)
		return err
	})
	if err != nil || all.Len() == 0 {
		t.Fatalf("files in %s: %v", dir, err)
	}
	return all.String()
}
