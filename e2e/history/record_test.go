package history

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/e2e/program"
	"github.com/tokenwright/tokenwright/resource"
)

// workers is how many clients act at once in one history; steps is how many
// calls they make together.
const (
	workers = 6
	steps   = 90
)

// tooUnheard is how many calls without an answer end a history. Each of them may
// take effect at any time, which soon are too many orders to look through.
const tooUnheard = 20

// world is a store with servers on it.
type world struct {
	servers []server
	// desk is where users are registered, disabled and enabled. It never dies.
	desk    *local
	keys    []authserver.RefreshKey
	redis   *rewinder // nil where sessions are in the database
	clients []string
	// made is called after each call of a client, which may not have been answered.
	made func(answered bool)
}

// newWorld is two servers in this process with clocks that differ by twice c's
// skew.
func newWorld(t *testing.T, at store, c clock, clients ...string) *world {
	t.Helper()
	one, two := newLocal(t, at, c), newLocal(t, at, clock{c.rate, -c.skew})
	return one.world(t, clients, one, two)
}

// world is servers on the store of s.
func (s *local) world(t *testing.T, clients []string, servers ...server) *world {
	t.Helper()
	s.addClients(t)
	master, err := keys.NewMaster(secret)
	if err != nil {
		t.Fatal(err)
	}
	return &world{servers: servers, desk: s, keys: master.RefreshKeys(), clients: clients, made: func(bool) {}}
}

// server is what clients ask. An error is one of those below, or one that no
// client may see.
type server interface {
	// token also returns what the session store was told, as far as can be seen.
	token(ctx context.Context, form url.Values) (tokens, told, error)
	revoke(ctx context.Context, form url.Values) error
	logout(ctx context.Context, b bearer) error
	endOthers(ctx context.Context, b bearer) error
	change(ctx context.Context, b bearer, current, wanted string) error
	// authorize logs the user in by redirect. The session's id is empty where it
	// cannot be seen.
	authorize(ctx context.Context, client, user, phrase string) (code, sid string, err error)
}

var (
	errRefused = errors.New("refused")
	errUnheard = errors.New("without an answer")
	errUnsent  = errors.New("not sent")
)

// tokens are what a session's client is given.
type tokens struct{ refresh, access string }

// bearer is who an access token speaks for.
type bearer struct {
	resource.Claims
	access string
}

// known is what the clients know of a session.
type known struct {
	sid    string
	epoch  int64 // the session epoch that it was opened under
	client string
	tokens []string // by counter; 0 is the code, or empty
	access string   // the last that was given
	all    []string // all that were
	kept   *rewind  // an earlier record of it
	// redeeming is whether its code is on its way: only now and then somebody
	// else comes with it too, or few sessions would see a second token.
	redeeming bool
	// rests is how many calls are left when a code is redeemed at the soonest:
	// others come between.
	rests int
	over  bool // its newest token was refused
}

// history is one user's: what was called, when, and what came back.
type history struct {
	*world
	seed  uint64
	login string
	sub   string
	began time.Time
	// The store goes back while no other call is under way; what a failover does
	// to those is another test's.
	failover sync.RWMutex

	mu       sync.Mutex
	sessions []*known // nil until its login is answered
	opening  int      // logins that are under way
	answered *sync.Cond
	disabled bool
	phrase   int // the user's, as far as is known
	left     int
	unheard  int
	ops      []porcupine.Operation
	fault    error
}

// newHistory registers a user. What becomes of the user is chance's, from seed on.
func (w *world) newHistory(ctx context.Context, seed uint64) (*history, error) {
	name := fmt.Sprintf("u%d", seed)
	u, err := w.desk.users.Register(ctx, account.Registration{
		Username: name, Email: name + "@example.com", Password: phrases[0], Exempt: true, Active: true, Actor: "test",
	})
	if err != nil {
		return nil, fmt.Errorf("seed %d: %w", seed, err)
	}
	h := &history{world: w, seed: seed, login: name, sub: u.Subject, began: time.Now(), left: steps}
	h.answered = sync.NewCond(&h.mu)
	return h, nil
}

// record has clients act on the user, and returns when they are done.
func (h *history) record() error {
	var clients sync.WaitGroup
	for i := range workers {
		clients.Go(func() {
			rng := rand.New(rand.NewPCG(h.seed, uint64(i)))
			for h.next() {
				c, s, token := h.choose(rng)
				h.made(h.ask(rng, i, c, s, token))
			}
		})
	}
	clients.Wait()
	// Whatever should have ended shows now, and whatever should not.
	rng := rand.New(rand.NewPCG(h.seed, workers))
	for slot := range h.sessions {
		h.useNewest(rng, 0, refresh, slot)
	}
	if h.fault != nil {
		return fmt.Errorf("seed %d: %w", h.seed, h.fault)
	}
	return nil
}

// useNewest makes one call with the newest token of a session that was opened.
func (h *history) useNewest(rng *rand.Rand, worker int, what act, slot int) {
	h.mu.Lock()
	if slot >= len(h.sessions) || h.sessions[slot] == nil {
		h.mu.Unlock()
		return
	}
	s := h.sessions[slot]
	newest := len(s.tokens) - 1
	c := call{act: what, slot: slot, token: uint32(newest), grace: graceOf(s, newest)}
	token := s.tokens[newest]
	h.mu.Unlock()
	h.ask(rng, worker, c, s, token)
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
	return h.left >= 0 && !over && h.unheard < tooUnheard && h.fault == nil
}

// ask makes one call, records it and says whether it was answered.
func (h *history) ask(rng *rand.Rand, worker int, c call, s *known, token string) (answered bool) {
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
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.act == login || c.act == authorize {
		if a.granted {
			h.phrase = c.phrase // a change may have gone unheard
		}
		h.opening--
		h.answered.Broadcast()
	}
	switch {
	case errors.Is(err, errUnsent):
		return false
	case errors.Is(err, errUnheard):
		a.nothing, back = true, math.MaxInt64
		h.unheard++
	case err != nil && h.fault == nil:
		h.fault = fmt.Errorf("%v: %w", c.act, err)
	}
	h.ops = append(h.ops, porcupine.Operation{ClientId: worker, Input: c, Call: at, Output: a, Return: back})
	return !a.nothing
}

// choose says what to do next, from what the clients know, and with which token.
func (h *history) choose(rng *rand.Rand) (call, *known, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	dead := rng.IntN(6) == 0 // now and then, one that is over
	opened := h.opened(dead)
	for len(opened) == 0 && h.opening > 0 {
		h.answered.Wait()
		opened = h.opened(dead)
	}
	if h.inProcess() {
		switch rng.IntN(20) {
		case 0:
			return call{act: setRoles, editor: rng.IntN(2) == 0}, nil, ""
		case 1, 2, 3:
			if c, s, access := h.chooseAccess(rng); s != nil {
				return c, s, access
			}
		}
	}
	guess := h.phrase
	if rng.IntN(8) == 0 {
		guess = 1 - guess
	}
	p := rng.IntN(100)
	full := len(h.sessions) == slots
	if full {
		p = 8 + p*92/100
	}
	switch {
	case h.disabled && p < 40:
		h.disabled = false
		return call{act: enable}, nil, ""
	case !full && (p < 8 || len(opened) == 0):
		h.sessions = append(h.sessions, nil)
		h.opening++
		c := call{act: login, slot: len(h.sessions) - 1, phrase: guess}
		s := &known{client: h.clients[rng.IntN(len(h.clients))]}
		if rng.IntN(2) == 0 {
			c.act, s.rests = authorize, h.left-rng.IntN(3)*steps/8
		} else {
			s.tokens = make([]string, first)
		}
		return c, s, ""
	case p < 9:
		h.disabled = true
		return call{act: disable}, nil, ""
	case len(opened) == 0:
		return call{act: enable}, nil, "" // none of the logins succeeded
	}
	slot := opened[rng.IntN(len(opened))]
	s := h.sessions[slot]
	c := call{act: refresh, slot: slot, phrase: guess}
	newest := len(s.tokens) - 1
	switch {
	case newest == 0 && (p >= 20 || h.redis == nil || s.kept == nil):
		// a code can only be redeemed
	case p < 10 && newest > 0:
		c.act = endOthers
	case p < 11 && newest > 0:
		c.act = change
	case p < 12 && newest > 0:
		c.act = logout
	case p < 14 && newest > 0:
		c.act = revoke
		c.token = uint32(first + rng.IntN(newest))
	case p < 20 && h.redis != nil && s.kept != nil:
		c.act, c.lost = lose, s.kept
	case p < 78 || newest == first && s.tokens[0] == "":
		c.token = uint32(newest)
	case p < 98:
		c.token = uint32(newest - 1)
	case s.tokens[0] != "" && rng.IntN(2) == 0:
		c.token = 0
	default:
		c.token = uint32(first + rng.IntN(newest))
	}
	c.grace = graceOf(s, int(c.token))
	s.redeeming = s.redeeming || c.act == refresh && newest == 0
	if c.act == logout || c.act == endOthers || c.act == change {
		return c, s, s.access
	}
	return c, s, s.tokens[c.token]
}

// chooseAccess says which access token to use, of whatever session; nil if there
// is none.
func (h *history) chooseAccess(rng *rand.Rand) (call, *known, string) {
	shown := h.opened(rng.IntN(2) == 0)
	if len(shown) == 0 {
		return call{}, nil, ""
	}
	slot := shown[rng.IntN(len(shown))]
	s := h.sessions[slot]
	if len(s.all) == 0 {
		return call{}, nil, ""
	}
	return call{act: use, slot: slot}, s, s.all[rng.IntN(len(s.all))]
}

// graceOf is for how long a token of s may come again: a code may not.
func graceOf(s *known, token int) time.Duration {
	if token == 0 {
		return 0
	}
	return graces[s.client]
}

// opened are the slots of sessions to act on.
func (h *history) opened(dead bool) []int {
	var slots []int
	for i, s := range h.sessions {
		if s != nil && (dead || !s.over && (len(s.tokens) > 1 || !s.redeeming && h.left <= s.rests)) {
			slots = append(slots, i)
		}
	}
	return slots
}

// living are the slots of sessions that have a refresh token and are not known to
// be over.
func (h *history) living() []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(h.opened(false), func(i int) bool { return len(h.sessions[i].tokens) == 1 })
}

// make makes the call and returns what the client hears.
func (h *history) make(ctx context.Context, on server, c *call, s *known, token string) (answer, error) {
	var err error
	switch c.act {
	case login, refresh:
		return h.exchange(ctx, on, c, s, token)
	case authorize:
		return h.authorize(ctx, on, c, s)
	case revoke:
		err = on.revoke(ctx, url.Values{"token": {token}, "client_id": {s.client}})
	case logout:
		err = on.logout(ctx, h.bearer(s, token))
	case endOthers:
		err = on.endOthers(ctx, h.bearer(s, token))
	case change:
		if err = on.change(ctx, h.bearer(s, token), phrases[c.phrase], phrases[1-c.phrase]); err == nil {
			h.mu.Lock()
			h.phrase = 1 - c.phrase
			h.mu.Unlock()
		}
	case use:
		err = on.(*local).use(ctx, token)
		if editor, _ := saysEditor(token); err == nil && editor {
			c.editor, c.saysEditor = true, true
		}
	case setRoles:
		err = h.setRoles(ctx, c.editor)
	case disable:
		err = outcome(ctx, h.desk.users.Disable(ctx, h.sub, "test"))
	case enable:
		err = outcome(ctx, h.desk.users.Enable(ctx, h.sub, "test"))
	case lose:
		err = h.redis.restore(s.sid, c.lost)
	}
	if errors.Is(err, errRefused) {
		return answer{}, nil
	}
	return answer{granted: err == nil}, err
}

func (h *history) bearer(s *known, access string) bearer {
	return bearer{resource.Claims{Subject: h.sub, SessionID: s.sid, SessionEpoch: s.epoch, ClientID: s.client}, access}
}

// exchange asks for tokens and learns from the answer.
func (h *history) exchange(ctx context.Context, on server, c *call, s *known, token string) (answer, error) {
	form := program.Refresh(s.client, token)
	switch {
	case c.act == login:
		form = program.Login(s.client, h.login, phrases[c.phrase])
	case c.token == 0:
		form = redemption(s.client, token)
	}
	given, seen, err := on.token(ctx, form)
	c.asked, c.now = seen.asked, seen.now
	switch {
	case errors.Is(err, errRefused):
		h.mu.Lock()
		defer h.mu.Unlock()
		s.over = s.over || c.act == refresh && int(c.token) == len(s.tokens)-1
		return answer{}, nil
	case err != nil:
		h.mu.Lock()
		defer h.mu.Unlock()
		s.redeeming = false // it is to come again
		return answer{}, err
	}
	t, err := authserver.ParseRefreshToken(given.refresh, h.keys)
	if err != nil {
		return answer{}, err
	}
	c.editor, c.saysEditor = saysEditor(given.access)
	h.learn(c.slot, s, t, given)
	return answer{granted: true, token: t.Counter}, nil
}

// learn notes a refresh token that was given out, and now and then how the store
// stands, to go back to.
func (h *history) learn(slot int, s *known, t authserver.RefreshToken, given tokens) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sessions[slot] = s
	s.sid, s.epoch, s.access = t.SID(), int64(t.SessionEpoch), given.access
	s.all = append(s.all, given.access)
	switch {
	case int(t.Counter) == len(s.tokens):
		s.tokens = append(s.tokens, given.refresh)
	case int(t.Counter) > len(s.tokens):
		h.fault = fmt.Errorf("a refresh token %d after %d", t.Counter, len(s.tokens)-1)
	case s.tokens[t.Counter] != given.refresh:
		h.fault = fmt.Errorf("two refresh tokens %d of one session", t.Counter)
	}
	if h.redis != nil && t.Counter%3 == 1 {
		if kept := h.redis.keep(s.sid); kept != nil {
			s.kept = kept
		}
	}
}
