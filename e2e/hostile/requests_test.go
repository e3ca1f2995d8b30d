// Package hostile sends the running program what no client of good will would.
package hostile

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	// What the binary is made of: a result is taken from the cache only while
	// that is the same.
	_ "github.com/tokenwright/tokenwright/authserver/cli"
	"github.com/tokenwright/tokenwright/e2e/program"
)

var (
	binary program.Binary
	proof  = flag.Bool("proof", false, "run at full size: 1,000,000 requests, 10,000 connections")
)

func TestMain(m *testing.M) { os.Exit(program.Main(m, &binary)) }

// maxAnswer is what an answer to a malformed request may have: a fault for each
// of many fields, but nothing of what was sent.
const maxAnswer = 4 << 10

// operation is one that the document describes, as far as requests are made of it.
type operation struct {
	method, path string
	parameters   []string // in the query
	bodies       []string // media types
	members      []string // of any of the bodies
}

// operations reads the document that the program serves.
func operations(t *testing.T, client *http.Client, p *program.Process) []operation {
	t.Helper()
	a, err := program.Get(client, p.Base+"/openapi.json", "")
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters  []struct{ Name, In string }
			RequestBody struct {
				Content map[string]struct{ Schema json.RawMessage }
			}
		}
	}
	if err := json.Unmarshal([]byte(program.Must(t, 200, a, err).Body), &doc); err != nil {
		t.Fatal(err)
	}
	var all []operation
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			described := doc.Paths[path][method]
			o := operation{method: strings.ToUpper(method), path: path}
			for _, param := range described.Parameters {
				if param.In == "query" {
					o.parameters = append(o.parameters, param.Name)
				}
			}
			o.bodies = slices.Sorted(maps.Keys(described.RequestBody.Content))
			if len(o.bodies) > 0 {
				o.members = members
			}
			all = append(all, o)
		}
	}
	if len(all) < 20 {
		t.Fatalf("the document has %d operations", len(all))
	}
	return all
}

// members are those that some body has.
var members = []string{
	"grant_type", "username", "password", "client_id", "client_secret", "refresh_token", "scope", "resource", "token",
	"token_type_hint", "email", "full_name", "roles", "is_active", "id", "current_password", "new_password",
}

// attacker makes requests by chance, most of them wrong in one or two ways.
type attacker struct {
	*rand.Rand
	tokens     program.Answer
	operations []operation
}

func (a *attacker) pick(from ...string) string { return from[a.IntN(len(from))] }

// value is something for a member or a parameter.
func (a *attacker) value() string {
	switch a.IntN(14) {
	case 0:
		return ""
	case 1:
		return strings.Repeat(a.pick("a", "%", "\x00", "é", "\xff", "[", "{\"a\":", "twr_", " "), 1<<a.IntN(15))
	case 2:
		return a.pick("-1", "0", "9223372036854775808", "1e999", "NaN", "0x10", "1.5", "٣")
	case 3:
		return a.pick("' or 1=1 --", "$1", "*", "../../etc/passwd", "<script>", "${jndi:x}", "\r\nX-Injected: yes", "\u202e", "%00", "%zz", "+")
	case 4:
		return a.pick("password", "refresh_token", "client_credentials", "authorization_code", "urn:ietf:params:oauth:grant-type:jwt-bearer")
	case 5:
		return a.pick("admin", "admin@example.com", "testuser", "demo-app", "demo-service", "first-party", "swagger-ui")
	case 6:
		return a.pick("admin123", "demo-service-secret", "profile", "profile profile", "admin")
	case 7:
		return a.tokens.Refresh
	case 8:
		return a.tokens.Access
	case 9: // a token with something else in it
		b := []byte(a.pick(a.tokens.Refresh, a.tokens.Access))
		with := append(a.bytes(1), a.pick("\r", "\n", "=", "_", ".")...)[a.IntN(2)]
		from := a.IntN(len(b))
		for i := range 1 + a.IntN(2)*a.IntN(len(b)-from) {
			b[from+i] = with
		}
		return string(b)
	case 10:
		return base64.RawURLEncoding.EncodeToString(a.bytes(a.IntN(200)))
	case 11: // nearly the form of a header
		var text string
		for range a.IntN(10) {
			text += a.pick(";", ",", "=", "q", " ", "\"", "/", "*", ":", "-", "0", ".")
		}
		return text
	}
	return string(a.bytes(a.IntN(40)))
}

func (a *attacker) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(a.Uint32())
	}
	return b
}

func (a *attacker) query(names []string) string {
	q := url.Values{}
	for range a.IntN(4) {
		q.Add(a.pick(append(names, "access_token", "refresh_token", "x")...), a.value())
	}
	text := q.Encode()
	if a.IntN(10) == 0 {
		text += "&%zz=%&;=&&"
	}
	return text
}

// body is one in the encoding that media names, or nearly.
func (a *attacker) body(media string, names []string) string {
	if len(names) == 0 || a.IntN(8) == 0 {
		return string(a.bytes(a.IntN(300)))
	}
	var text string
	switch media {
	case "application/json":
		object := map[string]any{}
		for range a.IntN(6) {
			object[a.pick(names...)] = a.json(3)
		}
		b, err := json.Marshal(object)
		if err != nil {
			panic(err) // none of these can fail
		}
		text = string(b)
	case "multipart/form-data; boundary=x":
		for range a.IntN(4) {
			text += fmt.Sprintf("--x\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", a.pick(names...), a.value())
		}
		text += "--x--\r\n"
	default:
		form := url.Values{}
		for range a.IntN(6) {
			form.Add(a.pick(names...), a.value())
		}
		text = form.Encode()
	}
	switch a.IntN(12) {
	case 0:
		return text[:a.IntN(len(text)+1)]
	case 1:
		return text + text
	case 2:
		return strings.Repeat(text+"&", 1+a.IntN(100))
	}
	return text
}

func (a *attacker) json(depth int) any {
	switch a.IntN(9) {
	case 0:
		return nil
	case 1:
		return a.IntN(2) == 0
	case 2:
		return a.NormFloat64() * 1e18
	case 3:
		if depth == 0 {
			return []any{}
		}
		return []any{a.json(depth - 1), a.json(depth - 1)}
	case 4:
		if depth == 0 {
			return map[string]any{}
		}
		return map[string]any{a.value(): a.json(depth - 1)}
	case 5:
		return json.RawMessage(strings.Repeat("[", 2000) + strings.Repeat("]", 2000))
	}
	return a.value()
}

// request is one of an operation, or near it.
func (a *attacker) request(base string) *http.Request {
	o := a.operations[a.IntN(len(a.operations))]
	path := strings.ReplaceAll(o.path, "{sid}", url.PathEscape(a.value()))
	switch a.IntN(15) {
	case 0:
		path += a.pick("/", "//", "/..", "/%2e%2e/", "%00", "/x")
	case 1:
		path = "/" + url.PathEscape(a.value())
	}
	method := o.method
	if a.IntN(10) == 0 {
		method = a.pick("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND")
	}
	media := a.pick("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/xml", "x", "")
	if len(o.bodies) > 0 && a.IntN(4) != 0 {
		media = a.pick(o.bodies...)
	}
	names := o.members
	if len(names) == 0 {
		names = members
	}
	r, err := http.NewRequest(method, base+"/", strings.NewReader(a.body(media, names)))
	if err != nil {
		panic(err) // the methods above are all valid
	}
	// Paths that no client library would send go as they are.
	r.URL.Opaque = "//" + strings.TrimPrefix(base, "http://") + path
	r.URL.RawQuery = a.query(o.parameters)
	r.Header.Set("Content-Type", media)
	a.headers(r.Header)
	if basic, _, _ := r.BasicAuth(); o.path == "/oauth/revocations" && basic == "demo-service" {
		r.Header.Del("Authorization") // with the right secret the answer would be a stream without an end
	}
	if a.IntN(12) == 0 {
		r.Host = a.pick("evil.example", "127.0.0.1:99999", "[::1", "localhost.evil.example", "a@localhost")
	}
	return r
}

func (a *attacker) headers(h http.Header) {
	plain := strings.NewReplacer("\r", "", "\n", "", "\x00", "")
	printable := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return -1
			}
			return r
		}, plain.Replace(s))
	}
	switch a.IntN(6) {
	case 0:
		h.Set("Authorization", "Bearer "+a.tokens.Access)
	case 1:
		h.Set("Authorization", printable(a.pick("Bearer ", "bearer ", "Basic ", "DPoP ", "")+a.value()))
	case 2:
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(a.value()+":"+a.value())))
	}
	if a.IntN(8) == 0 {
		name := a.pick("X-Forwarded-For", "X-Forwarded-Proto", "Origin", "X-Request-Id", "Accept", "Cookie", "User-Agent",
			"Last-Event-ID", "If-Match", "Range", "Content-Encoding", "Accept-Encoding")
		h.Add(name, printable(a.value()))
	}
}

// No request, however malformed, brings a 5xx, a panic or a long answer, and none
// leaves anything behind.
func TestMalformedRequests(t *testing.T) {
	count := 10_000
	if *proof {
		count = 1_000_000
	}
	chance := rand.Uint64()
	t.Logf("seed %d", chance)
	// Hashes are what the load test is about; here they would only take time.
	env := []string{"LOGIN_RATE=off", "LOGIN_RATE_IP=off", "CLIENT_RATE=off", "HASH_QUEUE=1000", "HASH_WAIT=60s",
		"PASSWORD_HASH=bcrypt", "BCRYPT_COST=10", "REGISTRATION=closed"}
	p := binary.Serve(t, t.TempDir(), env, "--demo")
	transport := &http.Transport{MaxIdleConnsPerHost: 8, DisableCompression: true}
	client := &http.Client{Timeout: time.Minute, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	a, err := program.Post(client, p.Base+"/oauth/token", program.Login("demo-app", "testuser", "user123"))
	tokens := program.Must(t, 200, a, err)
	all := operations(t, client, p)

	var mu sync.Mutex
	answers := map[int]int{}
	var attackers sync.WaitGroup
	const parallel = 8
	for i := range parallel {
		attackers.Go(func() {
			att := &attacker{rand.New(rand.NewPCG(chance, uint64(i))), tokens, all}
			for range count / parallel {
				r := att.request(p.Base)
				a, err := program.Do(client, r)
				if err != nil {
					t.Errorf("%s %s: %v", r.Method, r.URL.Opaque, err)
					return
				}
				mu.Lock()
				answers[a.Status]++
				mu.Unlock()
				if a.Status >= 500 || a.Status >= 300 && len(a.Body) > maxAnswer {
					t.Errorf("%s %q %q %v: got %d with %d bytes: %.300s", r.Method, r.URL.Opaque, r.URL.RawQuery, r.Header, a.Status, len(a.Body), a.Body)
				}
				if a.Header.Get("X-Injected") != "" {
					t.Errorf("%s %q wrote a header", r.Method, r.URL.Opaque)
				}
			}
		})
	}
	attackers.Wait()
	t.Logf("answers: %v", answers)
	for _, status := range []int{200, 400, 401, 404, 405, 422} {
		if answers[status] == 0 {
			t.Errorf("no request was answered with %d: too narrow a storm", status)
		}
	}
	transport.CloseIdleConnections()
	wantNothingLeft(t, p)
}

// wantNothingLeft wants the program to have let go of whatever it held for
// clients that are gone, and to have met nothing that it did not expect.
func wantNothingLeft(t *testing.T, p *program.Process) {
	t.Helper()
	settled(t, "connections", func() bool { return p.Sockets(t) <= 1 }) // the listener
	if strings.Contains(p.Log(), "panic") {
		t.Error("the log has a panic")
	}
	dump := p.Dump()
	if n := strings.Count(dump, "net/http.(*conn).serve("); n > 0 {
		t.Errorf("%d connections are still served", n)
	}
	if n := strings.Count(dump, "\ngoroutine "); n == 0 || n > 60 {
		t.Errorf("%d goroutines are left", n)
	}
}

// settled waits until what clients that went away had held is let go.
func settled(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Errorf("%s: still held after 10 s", what)
			return
		}
	}
}

// dial opens a connection and says something on it.
func dial(t *testing.T, p *program.Process, said string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.Base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := conn.Write([]byte(said)); err != nil {
		t.Fatal(err)
	}
	return conn
}
