//go:build proof

package load

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// One address that logs in without end, with one account or with ten, takes no
// more than turns from those who log in elsewhere.
func TestStormFromOneAddress(t *testing.T) {
	length := 6 * time.Second
	if *proof {
		length = 30 * time.Second
	}
	const people, attackers = 10, 10
	table := "clients:\n  - {id: app, public: true, grants: [password, refresh_token], scopes: [profile]}\nusers:\n"
	for i := range people + attackers {
		table += fmt.Sprintf("  - {username: user%d, email: user%d@example.com, password: %s, roles: [user]}\n", i, i, phrase)
	}
	settings := []string{
		"SECRET_KEY=one-secret-of-many-letters-0123456789", "ISSUER=http://127.0.0.1:8000", "TRUSTED_PROXIES=127.0.0.1/32",
		"HASH_CONCURRENCY=" + strconv.Itoa(slots),
	}
	for name, accounts := range map[string]int{"with one account": 1, "with ten accounts": attackers} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			binary.Apply(t, dir, settings, table)
			p := binary.Serve(t, dir, settings)
			client := newClient()
			from := func(ctx context.Context, address, user string) (program.Answer, error) {
				r, err := http.NewRequestWithContext(ctx, "POST", p.Base+"/oauth/token", strings.NewReader(program.Login("app", user, phrase).Encode()))
				if err != nil {
					return program.Answer{}, err
				}
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("X-Forwarded-For", address)
				return program.Do(client, r)
			}
			person := func(took *times) {
				n := len(took.all) % people
				start := time.Now()
				a, err := from(t.Context(), fmt.Sprintf("192.0.2.%d", n), fmt.Sprint("user", n))
				if program.Must(t, 200, a, err); err == nil {
					took.all = append(took.all, time.Since(start))
				}
			}
			quiet, meanwhile := &times{}, &times{}
			for range 30 {
				person(quiet)
			}
			ctx, cancel := context.WithTimeout(t.Context(), length)
			defer cancel()
			var storm sync.WaitGroup
			var mu sync.Mutex
			answers := map[int]int{}
			for i := range 120 {
				storm.Go(func() {
					for ctx.Err() == nil {
						a, err := from(t.Context(), "198.51.100.1", fmt.Sprint("user", people+i%accounts))
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						answers[a.Status]++
						mu.Unlock()
						if a.Status != 200 {
							pause(ctx, 100*time.Millisecond) // sooner than it is told to
						}
					}
				})
			}
			for ctx.Err() == nil {
				person(meanwhile)
				pause(ctx, 50*time.Millisecond)
			}
			storm.Wait()
			t.Logf("the storm: %v; others before %v, meanwhile %v", answers, quiet, meanwhile)
			if answers[200] == 0 || answers[429]+answers[503] == 0 {
				t.Error("the storm was none")
			}
			if worst, hash := meanwhile.quantile(99), quiet.quantile(50); *proof && worst > 4*hash {
				t.Errorf("the 99th percentile of others' logins took %v, want at most four times %v", worst, hash)
			}
		})
	}
}
