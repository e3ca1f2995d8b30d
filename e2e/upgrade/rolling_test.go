package upgrade

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/e2e/program"
)

const (
	clients  = 6 // that live at once
	disabled = 6 // users to disable, one at each change of the servers
)

func names(prefix string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(prefix, i))
	}
	return all
}

// rolling is clients that use a deployment while its servers are replaced.
type rolling struct {
	home   *home
	front  server
	behind *balancer
	held   [clients]program.Answer // sessions that last through it all

	lives, refreshes, crossed, reused atomic.Int64

	mu      sync.Mutex
	slowest time.Duration // from the answer to an ending to the last server's refusal
}

// replaceUnderLoad replaces two servers of the version before by two of the next,
// one by one, and the first of the new ones changes the schema. Clients must not
// be able to tell.
func replaceUnderLoad(t *testing.T, h *home, v versions) {
	h.settle(t, v.previous)
	r := &rolling{home: h}
	r.behind, r.front = newBalancer(t)
	lives := 1
	if *proof {
		lives = 30
	}
	old := []*backend{r.behind.add(t, h, "previous", v.previous), r.behind.add(t, h, "previous", v.previous)}
	for i, name := range names("load", clients) {
		r.held[i] = good(t)(r.front.login("app", name))
	}
	lost := names("lost", disabled)
	phase := func(what string, operator program.Binary, change func()) {
		r.load(t, lives, func() {
			change()
			r.disable(t, operator, lost[0])
		})
		lost = lost[1:]
		r.sameKeys(t)
		if t.Failed() {
			t.Fatalf("while %s", what)
		}
	}
	var young []*backend
	phase("both are old", v.previous, func() {})
	phase("the next changes the schema", v.next, func() { young = append(young, r.behind.add(t, h, "next", v.next)) })
	phase("the first old one goes", v.next, func() { r.behind.remove(t, old[0]) })
	phase("one is old and one new, and a key is made", v.next, func() { v.next.Run(t, h.dir, h.env, "keys", "rotate") })
	phase("the second is replaced", v.next, func() {
		young = append(young, r.behind.add(t, h, "next", v.next))
		r.behind.remove(t, old[1])
	})
	phase("both are new", v.next, func() {})

	t.Logf("%d lives, %d refreshes of which %d at another version than the one before, %d sessions ended by reuse; %d requests served by the previous version, %d by the next; refused everywhere %v after the answer at the latest",
		r.lives.Load(), r.refreshes.Load(), r.crossed.Load(), r.reused.Load(),
		old[0].served.Load()+old[1].served.Load(), young[0].served.Load()+young[1].served.Load(),
		r.slowest.Round(time.Millisecond))
	if r.crossed.Load() == 0 {
		t.Error("no session was at both versions")
	}
	for _, s := range young {
		r.behind.remove(t, s)
	}
	if n := int64(count(export(t, h, v.next), "refresh.reuse_detected")); n != r.reused.Load() {
		t.Errorf("the event log has %d reuses, want the %d that there were", n, r.reused.Load())
	}
	h.verify(t, v.next)
}

// load has every client live so many sessions, and more for as long as change
// takes.
func (r *rolling) load(t *testing.T, lives int, change func()) {
	t.Helper()
	var all sync.WaitGroup
	defer all.Wait()
	var changed atomic.Bool
	defer changed.Store(true)
	for i, name := range names("load", clients) {
		all.Go(func() {
			for n := 0; n < lives || !changed.Load(); n++ {
				if err := errors.Join(r.live(name, i+n), r.holdOn(i)); err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				r.lives.Add(1)
			}
		})
	}
	change()
}

// live is a session from its login to its end, at whatever servers there are.
func (r *rolling) live(user string, way int) error {
	client := []string{"app", "conf"}[way/3%2]
	last, err := r.front.login(client, user)
	if err != nil {
		return err
	}
	first := last
	for range 3 {
		next, err := r.refresh(client, last)
		if err != nil {
			return err
		}
		if next, err = r.refreshEverywhere(client, next); err != nil {
			return err
		}
		if _, err := r.front.call(200, "GET", "/api/private", next.Access, ""); err != nil {
			return err
		}
		if err := r.front.wantActive(true, next.Access); err != nil {
			return err
		}
		last = next
	}
	switch way % 3 {
	case 0:
		_, err = r.front.call(204, "POST", "/auth/logout", last.Access, "")
	case 1: // REV-001
		_, err = r.front.post(200, "/oauth/revoke", form(client, "token", last.Refresh))
	case 2: // REF-013
		_, err = r.front.refresh(400, client, first.Refresh)
		r.reused.Add(1)
	}
	if err != nil {
		return err
	}
	return r.over(client, last)
}

// holdOn refreshes a session that lasts through all the changes.
func (r *rolling) holdOn(i int) error {
	next, err := r.refresh("app", r.held[i])
	if err != nil {
		return fmt.Errorf("a session from the beginning: %w", err)
	}
	r.held[i] = next
	return nil
}

func (r *rolling) refresh(client string, last program.Answer) (program.Answer, error) {
	next, err := r.front.refresh(200, client, last.Refresh)
	r.refreshes.Add(1)
	if before := last.Header.Get(servedBy); before != "" && before != next.Header.Get(servedBy) {
		r.crossed.Add(1)
	}
	return next, err
}

// refreshEverywhere presents one token to all servers at once. REF-015: all give
// the same successor.
func (r *rolling) refreshEverywhere(client string, last program.Answer) (program.Answer, error) {
	servers, release := r.behind.hold()
	defer release()
	answers, errs := make([]program.Answer, len(servers)), make([]error, len(servers))
	var all sync.WaitGroup
	for i, s := range servers {
		all.Go(func() { answers[i], errs[i] = s.refresh(200, client, last.Refresh) })
	}
	all.Wait()
	for i := range answers {
		if errs[i] == nil && answers[i].Refresh != answers[0].Refresh {
			errs[i] = fmt.Errorf("REF-015 %s gives another successor than %s", servers[i].version, servers[0].version)
		}
	}
	at := int(r.refreshes.Add(1)) % len(servers)
	if errs[at] == nil {
		answers[at].Header.Set(servedBy, servers[at].version)
	}
	return answers[at], errors.Join(errs...)
}

// over wants every server to refuse what a client has of a session that ended
// just now: the refresh token at once, the access token within the bound.
func (r *rolling) over(client string, last program.Answer) error {
	answered := time.Now()
	servers, release := r.behind.hold()
	defer release()
	var errs []error
	for _, s := range servers {
		if _, err := s.refresh(400, client, last.Refresh); err != nil {
			errs = append(errs, fmt.Errorf("%s, after the end: %w", s.version, err))
			continue
		}
		took, err := r.refusal(s, last.Access, answered)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r.mu.Lock()
		r.slowest = max(r.slowest, took)
		r.mu.Unlock()
		if err := s.wantActive(false, last.Access); err != nil {
			errs = append(errs, fmt.Errorf("%s, after the end: %w", s.version, err))
		}
	}
	return errors.Join(errs...)
}

// refusal returns how long after answered a server has refused an access token,
// which has to be within the bound. RSV-035: it is asked until then, since it
// tells nobody what it has heard of.
func (r *rolling) refusal(s *backend, access string, answered time.Time) (time.Duration, error) {
	for {
		a, err := program.Get(s.http, s.base+"/api/private", access)
		took := time.Since(answered)
		switch {
		case err != nil:
			return 0, err
		case a.Status == 401 && took <= bound():
			return took, nil
		case a.Status != 200 || took > bound():
			return 0, fmt.Errorf("%s, %v after the end: the API answers %d", s.version, took, a.Status)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// disable has an operator lock a user out. RSV-036: no server lets them stay.
func (r *rolling) disable(t *testing.T, operator program.Binary, user string) {
	t.Helper()
	last := good(t)(r.front.login("app", user))
	operator.Run(t, r.home.dir, r.home.env, "user", "disable", user)
	if err := r.over("app", last); err != nil {
		t.Error(err)
	}
}

// sameKeys wants all servers to publish the same keys within the bound. MET-014
func (r *rolling) sameKeys(t *testing.T) {
	t.Helper()
	servers, release := r.behind.hold()
	defer release()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		sets := map[string]bool{}
		for _, s := range servers {
			sets[good(t)(s.call(200, "GET", "/.well-known/jwks.json", "", "")).Body] = true
		}
		if len(sets) == 1 {
			return
		}
		if time.Since(began) > bound() {
			t.Fatalf("MET-014 the servers publish different keys: %v", slices.Collect(maps.Keys(sets)))
		}
	}
}

// count is how many rows of the event log are of an act.
func count(rows []any, act string) (n int) {
	for _, row := range rows {
		if row.(map[string]any)["act"] == act {
			n++
		}
	}
	return n
}
