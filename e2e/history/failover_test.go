package history

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/redis/go-redis/v9"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
)

// The calls of all clients after which the replica is cut off, and after which
// the primary dies.
const (
	cutAfter = 350
	dieAfter = 600
)

// crowd is how many histories go through one failover.
const crowd = 12

// takeover is a failover in the middle of histories.
type takeover struct {
	*redistest.SentinelSet
	t                *testing.T
	primary, replica *redis.Client
	histories        []*history

	gate  sync.Mutex
	calls int
	cut   time.Time // when the replica was cut off
	died  time.Time // when the primary was about to die
	over  time.Time // when it was no more
	dead  chan struct{}
	back  chan struct{} // closed when both servers have sessions again
	// kept is what the replica has of each session, by its key.
	kept map[string]record
}

// made is for world.made: some call is the one after which it happens, while
// other calls are under way. A client without an answer asks again when there is
// one to be had, so that its history reaches beyond the failover.
func (f *takeover) made(answered bool) {
	f.gate.Lock()
	f.calls++
	now := f.calls
	switch now {
	case cutAfter:
		f.Replica.Hang()
		if err := f.primary.Do(f.t.Context(), "client", "kill", "type", "replica").Err(); err != nil {
			f.t.Error(err)
		}
		f.cut = time.Now()
		f.endSome()
	case dieAfter:
		f.died = time.Now()
		f.Primary.Stop()
		f.over = time.Now()
		close(f.dead)
	}
	f.gate.Unlock()
	if !answered && now >= dieAfter {
		<-f.back
	}
}

// endSome ends a session of every other history. Its record will be back.
func (f *takeover) endSome() {
	for i, h := range f.histories {
		if i%2 == 1 {
			continue
		}
		for _, slot := range h.living() {
			h.useNewest(rand.New(rand.NewPCG(h.seed, workers+1)), workers, revoke, slot)
			break
		}
	}
}

// REF-014, REF-031, REF-032: across a failover with requests under way whose last
// writes did not reach the replica, histories are linearizable if every session
// of the store goes back, at one moment, to what the replica had. So no session
// that has ended works again, no token beyond those of the lost window is taken
// twice, none has two successors, and none that behaves is ended.
func TestHistoriesAcrossAFailover(t *testing.T) {
	rounds := 1
	if *proof {
		rounds = 20
	}
	for i := range rounds {
		t.Run(fmt.Sprintf("failover %d", i+1), testFailover)
	}
}

func testFailover(t *testing.T) {
	set := redistest.Sentinel(t)
	at := store{newFile(t), set.URL}
	one, two := newLocal(t, at, clock{rate: 1}), newLocal(t, at, clock{rate: 1})
	w := one.world(t, everyone, one, two)
	ask := func(addr string) *redis.Client {
		c := redis.NewClient(&redis.Options{Addr: addr, Password: set.Password})
		t.Cleanup(func() { c.Close() })
		return c
	}
	f := &takeover{
		SentinelSet: set, t: t, primary: ask(set.Primary.Addr), replica: ask(set.Replica.Addr),
		dead: make(chan struct{}), back: make(chan struct{}),
	}
	w.made = f.made

	start := begin(t)
	for i := range crowd {
		h, err := w.newHistory(t.Context(), start+uint64(i))
		if err != nil {
			t.Fatal(err)
		}
		f.histories = append(f.histories, h)
	}
	var clients sync.WaitGroup
	for _, h := range f.histories {
		clients.Go(func() {
			if err := h.record(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(clients.Wait)
	over := make(chan struct{})
	go func() { clients.Wait(); close(over) }()
	f.finish(over, one, two)
	<-over
	if t.Failed() {
		return
	}
	var seen tally
	var lost window
	for _, h := range f.histories {
		ops := f.insert(h)
		seen.add(ops)
		lost.add(f, h, ops)
		checkHistory(t, h.seed, ops)
	}
	t.Logf("%d operations: %v", seen.all, &seen)
	t.Logf("the lost window: %v", lost)
	if lost.rotations == 0 || lost.after == 0 {
		t.Error("too little was lost, or went on, for this to prove anything")
	}
	w.verifyLog(t)
}

// finish lets the replica take over when the primary has died, and waits until
// servers have sessions again.
func (f *takeover) finish(over <-chan struct{}, servers ...*local) {
	f.t.Helper()
	defer close(f.back)
	select {
	case <-f.dead:
	case <-over:
		f.t.Fatal("the histories were over before the primary died")
	}
	f.Replica.Resume()
	until(f.t, "the replica has all that it was sent", func() bool {
		return strings.Contains(f.replica.Info(f.t.Context(), "replication").Val(), "master_link_status:down")
	})
	f.read()
	for _, s := range servers {
		until(f.t, "a server has sessions again", func() bool {
			_, err := s.Sessions.Session(f.t.Context(), "none")
			return errors.Is(err, authserver.ErrNotFound)
		})
	}
	f.t.Logf("sessions go on after %v", time.Since(f.over).Round(time.Millisecond))
}

// until asks until it is so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !so(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// read reads what the replica has. Nobody has written there yet.
func (f *takeover) read() {
	f.t.Helper()
	ctx := context.Background()
	keys, err := f.replica.Keys(ctx, recordKey("*")).Result()
	if err != nil {
		f.t.Fatal(err)
	}
	found := map[string]*redis.SliceCmd{}
	_, err = f.replica.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, key := range keys {
			found[key] = p.HMGet(ctx, key, decisive...)
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.kept = map[string]record{}
	for key, fields := range found {
		r, err := scanRecord(fields)
		if err != nil {
			f.t.Fatal(err)
		}
		f.kept[key] = r
	}
	if role := f.replica.Info(ctx, "replication").Val(); !strings.Contains(role, "role:slave") {
		f.t.Fatalf("the replica took over before it was read: %s", role)
	}
}

// insert makes the failover an operation of the history.
func (f *takeover) insert(h *history) []porcupine.Operation {
	kept := map[int]record{}
	for i, s := range h.sessions {
		if s == nil {
			continue
		}
		if r, ok := f.kept[recordKey(s.sid)]; ok {
			kept[i] = r
		}
	}
	return append(h.ops, porcupine.Operation{
		ClientId: workers + 1, Input: call{act: failover, kept: kept}, Output: answer{granted: true},
		Call: f.died.Sub(h.began).Nanoseconds(), Return: f.over.Sub(h.began).Nanoseconds(),
	})
}

// window is what the replica did not get to know, as far as clients were told,
// and what became of it.
type window struct {
	rotations, redemptions, sessions, opened, dropped int
	after                                             int // granted once the primary had died
}

func (w *window) add(f *takeover, h *history, ops []porcupine.Operation) {
	cut, died := f.cut.Sub(h.began).Nanoseconds(), f.died.Sub(h.began).Nanoseconds()
	var newest [slots]uint32
	var opened, ended [slots]bool
	for _, op := range ops {
		c, a := op.Input.(call), op.Output.(answer)
		switch {
		case op.Call > died && c.act == refresh && a.granted:
			w.after++
		case op.Return > died || a.nothing:
		case (c.act == refresh || c.act == login || c.act == authorize) && a.granted:
			newest[c.slot] = max(newest[c.slot], a.token)
			opened[c.slot] = opened[c.slot] || c.act != refresh && op.Call > cut
		case c.act == revoke, c.act == logout:
			ended[c.slot] = ended[c.slot] || op.Call > cut
		}
	}
	for i, s := range h.sessions {
		if s == nil {
			continue
		}
		kept, ok := f.kept[recordKey(s.sid)]
		switch {
		case !ok && opened[i]:
			w.opened++
		case ok && ended[i]:
			w.dropped++
		case ok && newest[i] > kept.counter:
			w.sessions++
			if kept.counter == 0 {
				w.redemptions++
			}
			w.rotations += int(newest[i] - kept.counter)
		}
	}
}

func (w window) String() string {
	return fmt.Sprintf("%d rotations of %d sessions, %d of them redemptions, %d sessions opened, %d dropped ones are back; %d granted afterwards",
		w.rotations, w.sessions, w.redemptions, w.opened, w.dropped, w.after)
}
