package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/audit"
)

// Events holds an AuditLog to its contract.
func Events(t *testing.T, open func(t *testing.T) Database) {
	db := open(t)
	full := authserver.Event{
		At: now(), Act: "refresh.reuse_detected", Result: "failure", Actor: "web", Subject: "sub", ClientID: "web",
		SessionID: "sid", IP: "2001:db8::1", RequestID: "r-1", Reason: "reuse", Times: 3,
	}
	earlier := authserver.Event{At: full.At.Add(-time.Hour), Act: "by a clock that is behind"}
	if err := db.Record(t.Context(), full, earlier); err != nil {
		t.Fatal(err)
	}
	if err := db.Record(t.Context()); err != nil {
		t.Errorf("nothing: %v", err)
	}
	if err := db.Record(t.Context(), authserver.Event{Act: "last"}); err != nil {
		t.Fatal(err)
	}
	same(t, []string{full.Act, earlier.Act, "last"}, acts(t, db))
	got, err := db.Events(t.Context(), authserver.Page{Limit: 2, Offset: 1})
	if err != nil {
		t.Fatal(err)
	}
	same(t, []authserver.Event{earlier, full}, got)
	got, err = db.Events(t.Context(), authserver.Page{Limit: 1})
	if err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	if d := time.Since(got[0].At); d < -time.Second || d > 10*time.Second {
		t.Errorf("an event without a time happened at %v", got[0].At)
	}
}

// Chained is a database whose audit log is chained.
type Chained interface {
	Database
	audit.Source
	audit.Store
	BeginChain(key audit.Key)
	PruneEvents(ctx context.Context, before time.Time) (int64, error)
}

// Chains holds an audit log that two processes write at the same time to what
// package audit says of it. open opens one empty database twice.
func Chains(t *testing.T, open func(t *testing.T) (a, b Chained)) {
	ctx := t.Context()
	key := audit.Key{ID: "01020304", Secret: []byte("a key that is derived from SECRET_KEY")}
	a, b := open(t)
	a.BeginChain(key)
	b.BeginChain(key)
	const writers, each = 4, 10
	var wg sync.WaitGroup
	for _, db := range []Chained{a, b} {
		for range writers {
			wg.Go(func() {
				for range each {
					if err := db.Record(ctx, event("one"), event("two")); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	sound := func(rows, last int64, heads int, known ...audit.Head) {
		t.Helper()
		r, err := audit.Verify(ctx, b, []audit.Key{key}, known...)
		if err != nil || len(r.Faults) > 0 || r.Rows != rows || r.Last != last || len(r.Heads) != heads {
			t.Errorf("got %+v, %v; want %d rows to row %d in %d chains and nothing wrong", r, err, rows, last, heads)
		}
	}
	const all = 2 * writers * each * 2
	head := func(db Chained) audit.Head {
		h, err := db.Head(ctx)
		if err != nil {
			t.Error(err)
		}
		return h
	}
	known := []audit.Head{head(a), head(b)}
	sound(all, all, 2, known...)

	if n, err := a.PruneEvents(ctx, now().Add(time.Hour)); err != nil || n != all {
		t.Errorf("removed %d, %v; want %d", n, err, all)
	}
	sound(1, all+1, 1, known...) // the row that says so
	for _, db := range []Chained{b, a} {
		if err := db.Record(ctx, event("after")); err != nil {
			t.Error(err)
		}
	}
	sound(3, all+3, 2, known...)
}
