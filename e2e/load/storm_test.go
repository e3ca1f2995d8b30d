//go:build proof

// Package load asks more of the running program than it can give and looks at
// what becomes of those who ask for little.
package load

import (
	"context"
	"flag"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	// What the binary is made of: a result is taken from the cache only while
	// that is the same.
	_ "github.com/tokenwright/tokenwright/authserver/cli"
	"github.com/tokenwright/tokenwright/e2e/program"
)

var (
	binary program.Binary
	proof  = flag.Bool("proof", false, "run at full size: a storm of 30 s, and slow answers are faults")
)

func TestMain(m *testing.M) { os.Exit(program.Main(m, &binary)) }

const (
	rsSecret = "rs-secret-0123456789abcdef"
	phrase   = "correct horse"
	slots    = 1 // HASH_CONCURRENCY
	hashSize = 19456 << 10
)

// settings leave the admission to hashing as the only bound: everybody asks from
// one address here.
var settings = []string{
	"SECRET_KEY=one-secret-of-many-letters-0123456789", "ISSUER=http://127.0.0.1:8000",
	"LOGIN_RATE=off", "LOGIN_RATE_IP=off", "CLIENT_RATE=off", "HASH_CONCURRENCY=" + strconv.Itoa(slots),
}

const seed = `
clients:
  - {id: app, public: true, grants: [password, refresh_token], scopes: [profile]}
  - {id: rs, secret: ` + rsSecret + `, introspect: true, serves: ["http://127.0.0.1:8000/api"]}
users:
  - {username: alice, email: alice@example.com, password: ` + phrase + `, roles: [user]}
  - {username: bob, email: bob@example.com, password: ` + phrase + `, roles: [user]}
`

func serve(t *testing.T) *program.Process {
	t.Helper()
	dir := t.TempDir()
	binary.Apply(t, dir, settings, seed)
	return binary.Serve(t, dir, settings)
}

// newClient keeps enough connections that no request waits for one.
func newClient() *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 400}}
}

func login(t *testing.T, client *http.Client, p *program.Process, user string) program.Answer {
	t.Helper()
	a, err := program.Post(client, p.Base+"/oauth/token", program.Login("app", user, phrase))
	return program.Must(t, 200, a, err)
}

// PWD-013: while 300 log in at once, half of them with a wrong password, nobody
// who needs no hash is refused or kept waiting, and memory stays bounded.
func TestLoginStorm(t *testing.T) {
	length := 6 * time.Second
	if *proof {
		length = 30 * time.Second
	}
	p := serve(t)
	client := newClient()
	sessions := make([]program.Answer, 50)
	for i := range sessions {
		sessions[i] = login(t, client, p, "alice")
	}
	turns := make([]sync.Mutex, len(sessions))
	before := p.Memory(t, "VmRSS")

	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	var all sync.WaitGroup
	storm := &storm{t: t, client: client, base: p.Base, answers: map[int]int{}}
	for i := range 300 {
		all.Go(func() { storm.logins(ctx, i%2 == 0) })
	}
	refreshes := every(ctx, &all, 50, func(n int) bool {
		s := &sessions[n%len(sessions)]
		turns[n%len(turns)].Lock() // a second passes from one turn to the next
		defer turns[n%len(turns)].Unlock()
		a, err := program.Post(client, p.Base+"/oauth/token", program.Refresh("app", s.Refresh))
		if err != nil || a.Status != 200 {
			t.Errorf("refresh: %d %s, %v", a.Status, a.Body, err)
			return false
		}
		s.Refresh = a.Refresh
		return true
	})
	introspections := every(ctx, &all, 50, func(n int) bool {
		a, err := program.Post(client, p.Base+"/oauth/introspect", url.Values{
			"token": {sessions[n%len(sessions)].Access}, "client_id": {"rs"}, "client_secret": {rsSecret}})
		if err != nil || !a.Active {
			t.Errorf("introspection: %d %s, %v", a.Status, a.Body, err)
		}
		return err == nil
	})
	private := every(ctx, &all, 50, func(n int) bool {
		a, err := program.Get(client, p.Base+"/api/private", sessions[n%len(sessions)].Access)
		if err != nil || a.Status != 200 {
			t.Errorf("/api/private: %d %s, %v", a.Status, a.Body, err)
		}
		return err == nil
	})
	all.Wait()

	peak := p.Memory(t, "VmHWM")
	t.Logf("logins: %v; refresh %v; introspection %v; /api/private %v; memory %d MB before, %d MB at most",
		storm.answers, refreshes, introspections, private, before>>20, peak>>20)
	if storm.answers[200] == 0 || storm.answers[400] == 0 || storm.answers[503] == 0 {
		t.Error("the storm has no login that succeeded, none that failed or none that was too much")
	}
	if bound := before + slots*hashSize + 64<<20; peak > bound {
		t.Errorf("%d MB of memory, want at most %d", peak>>20, bound>>20)
	}
	// The storm itself takes the machine's time too: at full size only, where the
	// machine has nothing else to do, is this a bound.
	if worst := refreshes.quantile(99); *proof && worst > 50*time.Millisecond {
		t.Errorf("the 99th percentile of refreshes took %v, want at most 50ms", worst)
	}
	login(t, client, p, "bob")
}

// storm counts the answers to logins by status.
type storm struct {
	t       *testing.T
	client  *http.Client
	base    string
	mu      sync.Mutex
	answers map[int]int
}

// logins logs in until ctx ends, as soon as it is answered; who is told to come
// back later does.
func (s *storm) logins(ctx context.Context, right bool) {
	password := phrase
	if !right {
		password = "wrong horse"
	}
	for ctx.Err() == nil {
		a, err := program.Post(s.client, s.base+"/oauth/token", program.Login("app", "bob", password))
		if err != nil {
			s.t.Errorf("login: %v", err)
			return
		}
		want := 200
		if !right {
			want = 400
		}
		if a.Status != want && (a.Status != 503 || a.Header.Get("Retry-After") == "") {
			s.t.Errorf("login: %d %s, want %d or 503 with Retry-After", a.Status, a.Body, want)
		}
		s.mu.Lock()
		s.answers[a.Status]++
		s.mu.Unlock()
		if a.Status == 503 {
			seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
			if err != nil {
				s.t.Errorf("login: Retry-After: %v", err)
			}
			pause(ctx, time.Duration(seconds)*time.Second)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-ctx.Done():
	case <-wait.C:
	}
}

// times are how long answers took.
type times struct {
	mu  sync.Mutex
	all []time.Duration
}

// every asks so many times a second until ctx ends, whether or not the answers
// before have come.
func every(ctx context.Context, all *sync.WaitGroup, perSecond int, ask func(n int) bool) *times {
	took := &times{}
	all.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(perSecond))
		defer tick.Stop()
		var asked sync.WaitGroup
		defer asked.Wait()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case began := <-tick.C:
				asked.Go(func() {
					if ask(n) {
						took.mu.Lock()
						defer took.mu.Unlock()
						took.all = append(took.all, time.Since(began))
					}
				})
			}
		}
	})
	return took
}

func (t *times) quantile(percent int) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) == 0 {
		return 0
	}
	slices.Sort(t.all)
	return t.all[min(len(t.all)-1, len(t.all)*percent/100)]
}

func (t *times) String() string {
	round := func(percent int) string { return t.quantile(percent).Round(100 * time.Microsecond).String() }
	return strconv.Itoa(len(t.all)) + " in p50 " + round(50) + " p99 " + round(99) + " max " + round(100)
}

// PWD-014: a caller that hangs up while it waits for a hash takes no permit with
// it, however many do.
func TestCallersThatHangUp(t *testing.T) {
	p := serve(t)
	client := newClient()
	var hungUp atomic.Int64
	var callers sync.WaitGroup
	for i := range 100 {
		callers.Go(func() {
			for n := range 10 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+(i*7+n*13)%40)*time.Millisecond)
				r, err := http.NewRequestWithContext(ctx, "POST", p.Base+"/oauth/token",
					strings.NewReader(program.Login("app", "bob", phrase).Encode()))
				if err != nil {
					t.Error(err)
				}
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				if _, err := program.Do(client, r); err != nil {
					hungUp.Add(1)
				}
				cancel()
			}
		})
	}
	callers.Wait()
	began := time.Now()
	login(t, client, p, "bob")
	t.Logf("%d of 1000 callers hung up; the next login took %v", hungUp.Load(), time.Since(began).Round(time.Millisecond))
	if hungUp.Load() < 500 {
		t.Error("too few hung up for this to prove anything")
	}
}
