package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/backchannel"
	"github.com/tokenwright/tokenwright/authserver/outbox"
)

// WithOutbox is a database with what is to be sent.
type WithOutbox interface {
	Database
	outbox.Store
	backchannel.Teller
	Items(ctx context.Context, p authserver.Page) ([]outbox.Item, int, error)
}

// Outbox holds a database to outbox.Store, and to what it writes there.
func Outbox(t *testing.T, open func(t *testing.T) WithOutbox) {
	for _, tc := range []struct {
		name string
		test func(*testing.T, WithOutbox)
	}{
		{"OUT-005 what ended is there, once, if its client wants to be told", outboxEndings},
		{"OUT-005 what ended at once is there, and what is found is told once", outboxSessions},
		{"no client that wants to be told, nothing to find", outboxNobody},
		{"OUT-006 an ending that fails leaves nothing", outboxRolledBack},
		{"OUT-006 claims at once share, and each item is claimed once", outboxShared},
		{"OUT-006 one receiver is not all that is claimed", outboxReceivers},
		{"OUT-006 what was claimed and not finished is claimed again", outboxAgain},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.test(t, open(t)) })
	}
}

// told adds a client that wants to be told, and one that does not.
func told(t *testing.T, db Database) {
	t.Helper()
	mustAddClient(t, db, newClient("web"))
	silent := newClient("silent")
	silent.BackchannelLogoutURI = ""
	mustAddClient(t, db, silent)
}

// items lists kinds and ids.
func items(t *testing.T, db WithOutbox) []string {
	t.Helper()
	list, n, err := db.Items(t.Context(), authserver.Page{})
	if err != nil || n != len(list) {
		t.Fatalf("%d items of %d, %v", len(list), n, err)
	}
	out := []string{}
	for _, i := range list {
		out = append(out, i.Kind+" "+i.ID)
	}
	slices.Sort(out)
	return out
}

func sessionEnding(id, subject, client string) authserver.Ending {
	return authserver.Ending{Kind: authserver.KindSession, ID: id, Subject: subject, ClientID: client, Reason: authserver.ReasonLogout}
}

// claim claims as much as it may.
func claim(t *testing.T, db WithOutbox, name string, edit func(*outbox.Query)) []outbox.Item {
	t.Helper()
	q := outbox.Query{
		Kinds: []string{backchannel.KindLogout, backchannel.KindSessions}, Claim: name, Until: time.Now().Add(time.Minute), Most: 1000, PerReceiver: 1000,
	}
	if edit != nil {
		edit(&q)
	}
	got, err := db.ClaimItems(t.Context(), q)
	if err != nil {
		t.Fatalf("claim: %v", err)
	}
	return got
}

// fill ends n sessions of each of some clients.
func fill(t *testing.T, db WithOutbox, clients, n int) {
	t.Helper()
	for c := range clients {
		name := fmt.Sprint("client-", c)
		mustAddClient(t, db, newClient(name))
		var what []authserver.Ending
		for i := range n {
			what = append(what, sessionEnding(fmt.Sprint(name, "-", i), fmt.Sprint("sub-", i), name))
		}
		mustEnd(t, db, what...)
	}
}

func outboxShared(t *testing.T, db WithOutbox) {
	const each = 40
	fill(t, db, 3, each)
	var mu sync.Mutex
	var wg sync.WaitGroup
	got := map[string]int{}
	for s := range 4 {
		wg.Go(func() {
			for {
				some := claim(t, db, fmt.Sprint("server-", s), func(q *outbox.Query) { q.Most, q.PerReceiver = 7, 5 })
				if len(some) == 0 {
					if n, _, err := db.WaitingItems(t.Context()); err != nil || n == 0 || t.Failed() {
						return
					}
				}
				for _, i := range some {
					mu.Lock()
					got[i.ID]++
					mu.Unlock()
					if err := db.FinishItem(t.Context(), i, event("logout.sent")); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if len(got) != 3*each || slices.Max(slices.Collect(maps.Values(got))) != 1 {
		t.Errorf("%d items were claimed, want %d, each once: %v", len(got), 3*each, got)
	}
	sent := 0
	for _, act := range acts(t, db) {
		if act == "logout.sent" {
			sent++
		}
	}
	if sent != 3*each {
		t.Errorf("%d rows in the audit log, want %d", sent, 3*each)
	}
}

func outboxReceivers(t *testing.T, db WithOutbox) {
	fill(t, db, 3, 6)
	count := func(some []outbox.Item) map[string]int {
		n := map[string]int{}
		for _, i := range some {
			n[i.Receiver]++
		}
		return n
	}
	two := func(q *outbox.Query) { q.PerReceiver = 2 }
	same(t, map[string]int{"client-0": 2, "client-1": 2, "client-2": 2}, count(claim(t, db, "a", two)))
	same(t, map[string]int{"client-1": 2}, count(claim(t, db, "b", func(q *outbox.Query) { two(q); q.Except = []string{"client-0", "client-2"} })))
	same(t, map[string]int{"client-0": 2, "client-1": 2}, count(claim(t, db, "c", func(q *outbox.Query) { two(q); q.Only = []string{"client-0", "client-1"} })))
	if n := len(claim(t, db, "d", func(q *outbox.Query) { q.Most = 3 })); n != 3 {
		t.Errorf("%d claimed, want 3", n)
	}
	same(t, map[string]int{}, count(claim(t, db, "e", func(q *outbox.Query) { q.Kinds = []string{"mail"} })))
}

func outboxAgain(t *testing.T, db WithOutbox) {
	fill(t, db, 1, 1)
	first := claim(t, db, "a", func(q *outbox.Query) { q.Until = time.Now() })
	if len(first) != 1 {
		t.Fatalf("%d claimed", len(first))
	}
	again := claim(t, db, "b", nil)
	if len(again) != 1 || again[0].ID != first[0].ID || again[0].Facts != first[0].Facts {
		t.Fatalf("claimed again: %+v", again)
	}
	if n := len(claim(t, db, "c", nil)); n != 0 {
		t.Errorf("%d claimed that another has", n)
	}
	// The first is too late to say anything of it.
	late := first[0]
	late.Tries = 7
	if err := errors.Join(db.PostponeItem(t.Context(), late), db.FinishItem(t.Context(), late, event("logout.sent"))); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(acts(t, db), "logout.sent") {
		t.Error("what another has claimed was said to be sent")
	}
	later := again[0]
	later.Tries, later.Failure, later.DueAt = 1, "status 503", now()
	if err := db.PostponeItem(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	third := claim(t, db, "d", nil)
	if len(third) != 1 || third[0].Tries != 1 || third[0].Failure != "status 503" || !third[0].FirstAt.Equal(first[0].FirstAt) {
		t.Errorf("after it was postponed: %+v", third)
	}
}
