// Package outbox sends what has to reach others and must not be lost. What is to
// be sent stands in the database, in the transaction that brought it about, as
// sealed facts: never a token or a link, which are made at each try. Any server
// on the database takes what is due, for as long as a try may last, and none is a
// leader. What is sent, and how, belongs to the kinds, which other packages
// define.
//
// It is sent once, or more than once: a server that is killed between a try and
// its being noted leaves it to another.
package outbox

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"github.com/tokenwright/tokenwright/authserver/seal"
)

const (
	// tryFor is how long one try takes at most.
	tryFor = 5 * time.Second
	// claimFor is how long an item is a server's: a try, and the time to note it.
	claimFor = 20 * time.Second
	// interval is how often it is looked for what is due, besides wake-ups.
	interval = time.Second

	atOnce          = 64 // tries under way on this server,
	atOnceSlow      = 16 // of them at receivers that gave no answer the last time,
	atOnceReceivers = 2  // and at one receiver
)

// Deps are what an Outbox works with; all are required.
type Deps struct {
	Store Store
	// Box is what facts are sealed in.
	Box    seal.Box
	Kinds  []Kind
	Logger *slog.Logger
}

// Outbox sends what is due. It is safe for concurrent use.
type Outbox struct {
	d     Deps
	kinds map[string]Kind
	names []string
	wake  chan struct{}

	mu   sync.Mutex
	busy map[string]int // tries under way, by receiver
	slow map[string]bool
	done map[Ended]int64
}

// New returns an outbox that sends nothing before Run.
func New(d Deps) *Outbox {
	o := &Outbox{
		d: d, kinds: map[string]Kind{}, wake: make(chan struct{}, 1),
		busy: map[string]int{}, slow: map[string]bool{}, done: map[Ended]int64{},
	}
	for _, k := range d.Kinds {
		o.kinds[k.Name], o.names = k, append(o.names, k.Name)
	}
	return o
}

// Wake says that something may be due.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Run sends what is due until ctx ends. Tries that are under way then are waited
// for.
func (o *Outbox) Run(ctx context.Context) {
	var tries sync.WaitGroup
	defer tries.Wait()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		// Until there is no more: what is claimed makes room in the view for others.
		for items := o.claim(ctx); len(items) > 0; items = o.claim(ctx) {
			for _, i := range items {
				o.begin(i.Receiver)
				tries.Go(func() {
					// A try that is broken off may have arrived.
					heard := o.try(context.WithoutCancel(ctx), i)
					if o.end(i.Receiver, heard) {
						o.Wake()
					}
				})
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-o.wake:
		}
	}
}

// claim takes what is due, of receivers that are not busy. Those that hang hold up
// nobody else: they share a part of the tries.
func (o *Outbox) claim(ctx context.Context) []Item {
	o.mu.Lock()
	var except, only []string
	under, underSlow := 0, 0
	for receiver, n := range o.busy {
		under += n
		if o.slow[receiver] {
			underSlow += n
		} else {
			except = append(except, receiver)
		}
	}
	for receiver := range o.slow {
		except = append(except, receiver)
		if o.busy[receiver] == 0 {
			only = append(only, receiver)
		}
	}
	o.mu.Unlock()

	items := o.ask(ctx, Query{Most: atOnce - atOnceSlow - (under - underSlow), Except: except})
	if len(only) > 0 {
		items = append(items, o.ask(ctx, Query{Most: atOnceSlow - underSlow, Only: only})...)
	}
	return items
}

func (o *Outbox) ask(ctx context.Context, q Query) []Item {
	if q.Most <= 0 || ctx.Err() != nil {
		return nil
	}
	q.Kinds, q.PerReceiver, q.Claim, q.Until = o.names, atOnceReceivers, rand.Text(), time.Now().Add(claimFor)
	items, err := o.d.Store.ClaimItems(ctx, q)
	if err != nil {
		if ctx.Err() == nil {
			o.d.Logger.WarnContext(ctx, "outbox cannot be read; what is due waits", "err", err)
		}
		return nil
	}
	return items
}

func (o *Outbox) begin(receiver string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.busy[receiver]++
}

// end reports whether it is time to look for more: not at each end, since that
// asks the database.
func (o *Outbox) end(receiver string, heard bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.busy[receiver]--; o.busy[receiver] == 0 {
		delete(o.busy, receiver)
	}
	delete(o.slow, receiver)
	if !heard && len(o.slow) < mostSlow {
		o.slow[receiver] = true
	}
	quick := 0
	for receiver, n := range o.busy {
		if !o.slow[receiver] {
			quick += n
		}
	}
	return quick <= (atOnce-atOnceSlow)/2 || o.slow[receiver]
}

// mostSlow bounds what is remembered, and asked for in one statement.
const mostSlow = 1000
