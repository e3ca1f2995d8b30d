package faults

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// said is what the program has answered with success, and so must have kept.
type said struct {
	mu         sync.Mutex
	registered []string
	ended      []program.Answer // the last tokens of sessions
	refreshed  int
}

// holder is a client that refreshes its session as fast as it is answered.
type holder struct {
	last program.Answer // the last answer that it got
}

// REF-024: whatever was answered is still so after the program was killed in the
// middle of its writes, and who got no answer may ask again.
func TestKilledInTheMiddleOfWrites(t *testing.T) {
	rounds := 10
	if *proof {
		rounds = 200
	}
	dir := t.TempDir()
	newHome(t, dir)
	client := newClient()
	chance := rand.Uint64()
	t.Logf("seed %d", chance)
	rng := rand.New(rand.NewPCG(chance, 0))

	kept := &said{}
	holders := make([]holder, 4)
	p := binary.Serve(t, dir, settings)
	for i := range holders {
		holders[i].last = login(t, client, p, "alice")
	}
	for round := range rounds {
		newest := len(kept.ended)
		load(t, client, p, kept, holders, round, time.Duration(rng.IntN(400_000))*time.Microsecond)
		verifyLog(t, dir)
		p = binary.Serve(t, dir, settings)
		kept.check(t, client, p, newest)
		for i := range holders {
			holders[i].askAgain(t, client, p)
		}
		if t.Failed() {
			t.Fatalf("after kill %d; the program says:\n%s", round, p.Log())
		}
	}
	kept.check(t, client, p, 0)
	if strings.Contains(p.Log(), "lost writes") {
		t.Error("the program takes what it had for lost")
	}
	report := verifyLog(t, dir)
	t.Logf("%d kills: %d registrations, %d endings, %d refreshes answered, none lost; %d events verify",
		rounds, len(kept.registered), len(kept.ended), kept.refreshed, report.Rows)
	if len(kept.registered) < rounds || len(kept.ended) < rounds || kept.refreshed < rounds {
		t.Error("too little was answered for this to prove anything")
	}
}

// load has clients write until the program is killed, some time after each of
// them has got an answer.
func load(t *testing.T, client *http.Client, p *program.Process, kept *said, holders []holder, round int, after time.Duration) {
	t.Helper()
	var going, done sync.WaitGroup
	work := func(step func(n int) error) {
		going.Add(1)
		done.Go(func() {
			for n := 0; ; n++ {
				err := step(n)
				if n == 0 {
					going.Done()
				}
				if err != nil {
					return
				}
			}
		})
	}
	for i := range holders {
		work(func(int) error {
			a, err := program.Post(client, p.Base+"/oauth/token", program.Refresh("app", holders[i].last.Refresh))
			if err != nil {
				return err
			}
			if a.Status != 200 {
				t.Errorf("refresh: %d %s", a.Status, a.Body)
				return http.ErrAbortHandler
			}
			holders[i].last = a
			kept.mu.Lock()
			defer kept.mu.Unlock()
			kept.refreshed++
			return nil
		})
	}
	work(func(n int) error {
		name := fmt.Sprintf("u%d-%d", round, n)
		a, err := register(client, p, name)
		if err == nil && a.Status == 200 {
			kept.mu.Lock()
			defer kept.mu.Unlock()
			kept.registered = append(kept.registered, name)
		}
		return err
	})
	work(func(n int) error {
		session, err := program.Post(client, p.Base+"/oauth/token", program.Login("app", "alice", phrase))
		if err != nil {
			return err
		}
		a, err := endSession(client, p, session, n)
		if err == nil && a.Status/100 == 2 {
			kept.mu.Lock()
			defer kept.mu.Unlock()
			kept.ended = append(kept.ended, session)
		}
		return err
	})
	going.Wait()
	time.AfterFunc(after, p.Kill)
	done.Wait()
	p.Kill()
}

func register(client *http.Client, p *program.Process, name string) (program.Answer, error) {
	r, err := http.NewRequest("POST", p.Base+"/auth/register",
		strings.NewReader(fmt.Sprintf(`{"username":%q,"email":"%s@example.com","password":"several unrelated words"}`, name, name)))
	if err != nil {
		return program.Answer{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	return program.Do(client, r)
}

// endSession ends it in one of the ways that there are.
func endSession(client *http.Client, p *program.Process, session program.Answer, way int) (program.Answer, error) {
	switch way % 3 {
	case 0:
		return program.Post(client, p.Base+"/oauth/revoke", url.Values{"token": {session.Refresh}, "client_id": {"app"}})
	case 1:
		r, err := http.NewRequest("POST", p.Base+"/auth/logout", nil)
		if err != nil {
			return program.Answer{}, err
		}
		r.Header.Set("Authorization", "Bearer "+session.Access)
		return program.Do(client, r)
	}
	// Reuse: the token before the last, once the last was used.
	next, err := program.Post(client, p.Base+"/oauth/token", program.Refresh("app", session.Refresh))
	if err != nil {
		return next, err
	}
	if a, err := program.Post(client, p.Base+"/oauth/token", program.Refresh("app", next.Refresh)); err != nil {
		return a, err
	}
	a, err := program.Post(client, p.Base+"/oauth/token", program.Refresh("app", session.Refresh))
	if err == nil && a.Status == 400 {
		a.Status = 200 // that is what ends it
	}
	return a, err
}

func login(t *testing.T, client *http.Client, p *program.Process, name string) program.Answer {
	t.Helper()
	a, err := program.Post(client, p.Base+"/oauth/token", program.Login("app", name, phrase))
	return program.Must(t, 200, a, err)
}

// check wants all that was answered to be so, of the endings those from one on.
func (s *said) check(t *testing.T, client *http.Client, p *program.Process, from int) {
	t.Helper()
	root := login(t, client, p, "root").Access
	var users string
	for offset := 0; offset <= len(s.registered)*2; offset += 1000 { // some were made unanswered
		a, err := program.Get(client, fmt.Sprintf("%s/auth/users?limit=1000&offset=%d", p.Base, offset), root)
		users += program.Must(t, 200, a, err).Body
	}
	for _, name := range s.registered {
		if !strings.Contains(users, `"`+name+`"`) {
			t.Errorf("REF-024 the registration of %s is lost", name)
		}
	}
	for _, session := range s.ended[from:] {
		if a, err := program.Post(client, p.Base+"/oauth/token", program.Refresh("app", session.Refresh)); err != nil || a.Status != 400 {
			t.Errorf("REF-024 an ended session refreshes: %d, %v", a.Status, err)
		}
		if a, err := program.Post(client, p.Base+"/oauth/introspect", introspection(session.Access)); err != nil || a.Status != 200 || a.Active {
			t.Errorf("REF-024 an ended session's access token: %d %s, %v", a.Status, a.Body, err)
		}
	}
}

// askAgain presents the token of the refresh that got no answer: whether it was
// rotated or not, there is one successor.
func (h *holder) askAgain(t *testing.T, client *http.Client, p *program.Process) {
	t.Helper()
	a, err := program.Post(client, p.Base+"/oauth/token", program.Refresh("app", h.last.Refresh))
	first := program.Must(t, 200, a, err)
	a, err = program.Post(client, p.Base+"/oauth/token", program.Refresh("app", h.last.Refresh))
	second := program.Must(t, 200, a, err)
	if first.Refresh != second.Refresh || first.Refresh == h.last.Refresh {
		t.Error("REF-024 a lost answer has two successors, or none")
	}
	h.last = second
}
