package history

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/resource"
)

// workers is how many clients act at once in one history; steps is how many
// calls they make together.
const (
	workers = 6
	steps   = 90
)

// world is a store with servers on it.
type world struct {
	servers []*server
	keys    []authserver.RefreshKey
	redis   *rewinder // nil where sessions are in the database
	clients []string
}

// known is what the clients know of a session.
type known struct {
	sid    string
	client string
	tokens []string // by counter; none has 0
	kept   *rewind  // an earlier record of it
	over   bool     // its newest token was refused
}

// history is one user's: what was called, when, and what came back.
type history struct {
	*world
	login string
	sub   string
	began time.Time
	// The store goes back while no other call is under way; what a failover does
	// to those is another test's.
	failover sync.RWMutex

	mu       sync.Mutex
	sessions []*known // nil until its login is answered
	disabled bool
	left     int
	ops      []porcupine.Operation
	fault    error
}

// recordHistory has clients act on a user of their own, by chance alone.
func (w *world) recordHistory(t *testing.T, seed uint64) []porcupine.Operation {
	t.Helper()
	name := fmt.Sprintf("u%d", seed)
	u, err := w.servers[0].users.Register(t.Context(), account.Registration{
		Username: name, Email: name + "@example.com", Password: phrase, Exempt: true, Active: true, Actor: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	h := &history{world: w, login: name, sub: u.Subject, began: time.Now(), left: steps}
	var clients sync.WaitGroup
	for i := range workers {
		clients.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			for h.next() {
				h.one(rng, i)
			}
		})
	}
	clients.Wait()
	if h.fault != nil {
		t.Fatalf("seed %d: %v", seed, h.fault)
	}
	return h.ops
}

// next says whether there is more to see: not once every session is over.
func (h *history) next() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.left--
	over := len(h.sessions) == slots
	for _, s := range h.sessions {
		over = over && s != nil && s.over
	}
	return h.left >= 0 && !over && h.fault == nil
}

// one makes one call and records it.
func (h *history) one(rng *rand.Rand, worker int) {
	c, s, token := h.choose(rng)
	if c.act == lose {
		h.failover.Lock()
		defer h.failover.Unlock()
	} else {
		h.failover.RLock()
		defer h.failover.RUnlock()
	}
	ctx := context.Background()
	if rng.IntN(20) == 0 { // hangs up
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer time.AfterFunc(time.Duration(rng.IntN(3000))*time.Microsecond, cancel).Stop()
		defer cancel()
	}
	at := time.Since(h.began).Nanoseconds()
	a, err := h.make(ctx, h.servers[rng.IntN(len(h.servers))], &c, s, token)
	back := time.Since(h.began).Nanoseconds()
	if a.nothing {
		back = math.MaxInt64
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil && h.fault == nil {
		h.fault = fmt.Errorf("%v: %w", c.act, err)
	}
	h.ops = append(h.ops, porcupine.Operation{ClientId: worker, Input: c, Call: at, Output: a, Return: back})
}

// choose says what to do next, from what the clients know.
func (h *history) choose(rng *rand.Rand) (call, *known, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var opened []int
	dead := rng.IntN(6) == 0 // now and then, one that is over
	for i, s := range h.sessions {
		if s != nil && (dead || !s.over) {
			opened = append(opened, i)
		}
	}
	p := rng.IntN(100)
	switch {
	case h.disabled && p < 40:
		h.disabled = false
		return call{act: enable}, nil, ""
	case len(opened) == 0 && len(h.sessions) < slots, p < 8 && len(h.sessions) < slots:
		h.sessions = append(h.sessions, nil)
		return call{act: login, slot: len(h.sessions) - 1}, &known{tokens: make([]string, first), client: h.clients[rng.IntN(len(h.clients))]}, ""
	case p < 9:
		h.disabled = true
		return call{act: disable}, nil, ""
	}
	if len(opened) == 0 {
		return call{act: enable}, nil, "" // until a login is answered
	}
	slot := opened[rng.IntN(len(opened))]
	s := h.sessions[slot]
	c := call{act: refresh, slot: slot, grace: graces[s.client]}
	newest := len(s.tokens) - 1
	switch {
	case p < 11:
		c.act = endOthers
	case p < 12:
		c.act = logout
	case p < 14:
		c.act = revoke
		c.token = uint32(first + rng.IntN(newest))
	case p < 20 && h.redis != nil && s.kept != nil:
		c.act, c.lost = lose, s.kept.record
	case p < 78 || newest == first:
		c.token = uint32(newest)
	case p < 98:
		c.token = uint32(newest - 1)
	default:
		c.token = uint32(first + rng.IntN(newest))
	}
	return c, s, s.tokens[c.token]
}

// make makes the call and returns what the client hears.
func (h *history) make(ctx context.Context, on *server, c *call, s *known, token string) (answer, error) {
	var err error
	switch c.act {
	case login, refresh:
		return h.exchange(ctx, on, c, s, token)
	case revoke:
		r, _ := request(ctx, url.Values{"token": {token}, "client_id": {s.client}})
		err = on.Revoke(r)
	case logout:
		err = on.Logout(ctx, &resource.Claims{Subject: h.sub, SessionID: s.sid, ClientID: s.client})
	case endOthers:
		err = on.EndOtherSessions(ctx, &resource.Claims{Subject: h.sub, SessionID: s.sid, ClientID: s.client})
	case disable:
		err = on.users.Disable(ctx, h.sub, "test")
	case enable:
		err = on.users.Enable(ctx, h.sub, "test")
	case lose:
		err = h.redis.restore(s.sid, s.kept)
	}
	if err != nil {
		return unheard(ctx, err)
	}
	return answer{granted: true}, nil
}

// exchange asks for tokens and learns from the answer.
func (h *history) exchange(ctx context.Context, on *server, c *call, s *known, token string) (answer, error) {
	form := url.Values{"client_id": {s.client}}
	if c.act == login {
		form.Set("grant_type", "password")
		form.Set("username", h.login)
		form.Set("password", phrase)
	} else {
		form.Set("grant_type", "refresh_token")
		form.Set("refresh_token", token)
	}
	r, seen := request(ctx, form)
	res, err := on.Token(r)
	c.asked, c.now = seen.asked, seen.now
	a, err := verdict(ctx, res, err, func(given string) uint32 {
		t, err := authserver.ParseRefreshToken(given, h.keys)
		if err != nil {
			panic(err)
		}
		h.learn(c.slot, s, t, given)
		return t.Counter
	})
	if c.act == refresh && err == nil && a == (answer{}) {
		h.mu.Lock()
		defer h.mu.Unlock()
		s.over = s.over || int(c.token) == len(s.tokens)-1
	}
	return a, err
}

// learn notes a refresh token that was given out, and now and then how the store
// stands, to go back to.
func (h *history) learn(slot int, s *known, t authserver.RefreshToken, given string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.sid == "" {
		s.sid = t.SID()
		h.sessions[slot] = s
	}
	switch {
	case int(t.Counter) == len(s.tokens):
		s.tokens = append(s.tokens, given)
	case s.tokens[t.Counter] != given:
		h.fault = fmt.Errorf("two refresh tokens %d of one session", t.Counter)
	}
	if h.redis != nil && t.Counter%3 == 1 {
		if kept := h.redis.keep(s.sid); kept != nil {
			s.kept = kept
		}
	}
}
