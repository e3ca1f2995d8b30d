package audit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/audit"
)

// threeChains is a log of seven rows: two servers write in turn, and a command
// the last.
func threeChains(t *testing.T) (path string) {
	path = newPath(t)
	a, b, c := open(t, path, key), open(t, path, key), open(t, path, key)
	record(t, a, "one", "two")
	record(t, b, "three")
	record(t, a, "four")
	record(t, b, "five", "six")
	record(t, c, "seven")
	sound(t, a, 7)
	return snapshot(t, path)
}

// Any one thing that is done to a sound log without its key shows.
func TestTampering(t *testing.T) {
	path := threeChains(t)
	type tampering struct {
		name    string
		queries []string
	}
	var all []tampering
	add := func(name string, queries ...string) { all = append(all, tampering{name, queries}) }

	columns := map[string]string{"id": "id + 100", "at": "at + 1", "times": "times + 1", "key_id": "'05060708'", "mac": "randomblob(32)"}
	for _, text := range []string{"act", "result", "actor", "subject", "client_id", "session_id", "ip", "request_id", "reason", "chain"} {
		columns[text] = text + " || 'x'"
	}
	const values = `act, result, actor, subject, client_id, session_id, ip, request_id, reason, times, chain, key_id, mac`
	for id := 1; id <= 7; id++ {
		for column, value := range columns {
			add(fmt.Sprintf("%s of row %d is changed", column, id), fmt.Sprintf("update events set %s = %s where id = %d", column, value, id))
		}
		add(fmt.Sprintf("a letter moves between columns of row %d", id), fmt.Sprintf("update events set actor = 'cl', subject = 'isub' where id = %d", id))
		add(fmt.Sprintf("row %d is removed", id), fmt.Sprintf("delete from events where id = %d", id))
		add(fmt.Sprintf("row %d and all after it are removed", id), fmt.Sprintf("delete from events where id >= %d", id))
		add(fmt.Sprintf("all up to row %d are removed", id), fmt.Sprintf("delete from events where id <= %d", id))
		add(fmt.Sprintf("row %d is removed and the others move up", id),
			fmt.Sprintf("delete from events where id = %d", id),
			fmt.Sprintf("update events set id = -id where id > %d", id), "update events set id = -id - 1 where id < 0",
			"update event_log set last_id = last_id - 1")
		for _, to := range []int{0, -3, 8, 1000} {
			add(fmt.Sprintf("row %d is there once more as %d", id, to),
				fmt.Sprintf("insert into events (id, at, %s) select %d, at, %s from events where id = %d", values, to, values, id))
		}
		if id < 7 {
			add(fmt.Sprintf("rows %d and %d change places", id, id+1),
				fmt.Sprintf("update events set id = -1 where id = %d", id),
				fmt.Sprintf("update events set id = %d where id = %d", id, id+1),
				fmt.Sprintf("update events set id = %d where id = -1", id+1))
		}
	}
	chainOf := func(id int) string { return fmt.Sprintf("(select chain from events where id = %d)", id) }
	for id, rows := range map[int]string{1: "1, 2, 4", 3: "3, 5, 6", 7: "7"} {
		add("the chain of rows "+rows+" is removed without them", "delete from chains where id = "+chainOf(id))
		add("the chain of rows "+rows+" is removed with them", "delete from chains where id = "+chainOf(id), "delete from events where id in ("+rows+")")
		for column, value := range map[string]string{"id": "'x'", "event_id": "event_id - 1", "mac": "randomblob(32)", "anchor": "randomblob(32)"} {
			add(column+" of the chain of rows "+rows+" is changed", "update chains set "+column+" = "+value+" where id = "+chainOf(id))
		}
	}
	add("the last chain is removed, and the log's end moved",
		"delete from chains where id = "+chainOf(7), "delete from events where id = 7", "update event_log set last_id = 6")
	add("a head is rolled back, and the log's end moved",
		"delete from events where id >= 6",
		"delete from chains where event_id = 7",
		"update chains set event_id = 5, mac = (select mac from events where id = 5) where event_id = 6",
		"update event_log set last_id = 5")
	add("the first row is removed as retention would",
		"update chains set anchor = (select mac from events where id = 1) where id = "+chainOf(1),
		"delete from events where id = 1", "update event_log set first_id = 2")
	add("all rows are removed", "delete from events", "delete from chains", "update event_log set first_id = 8")
	add("the log is made as new", "delete from events", "delete from chains", "update event_log set first_id = 1, last_id = 0, key_id = '', seal = ''")
	for column, value := range map[string]string{"first_id": "first_id + 1", "last_id": "last_id + 1", "key_id": "''", "seal": "randomblob(32)"} {
		add(column+" of the log is changed", "update event_log set "+column+" = "+value)
	}

	for _, tc := range all {
		t.Run(tc.name, func(t *testing.T) {
			path := copyFile(t, path)
			edit(t, path, tc.queries...)
			if r := verify(t, open(t, path, key), []audit.Key{key}); len(r.Faults) == 0 {
				t.Error("nothing shows")
			}
		})
	}
}

func TestOneChangeIsOneFault(t *testing.T) {
	path := threeChains(t)
	edit(t, path, "update events set reason = 'another' where id = 2")
	r := verify(t, open(t, path, key), []audit.Key{key})
	if len(r.Faults) != 1 || r.Faults[0].ID != 2 {
		t.Errorf("got %v, want one fault, of row 2", r.Faults)
	}
}

// All of it put back to what it was shows to who has kept a head.
func TestRolledBackLog(t *testing.T) {
	path := newPath(t)
	db := open(t, path, key)
	record(t, db, "one", "two")
	before, old := snapshot(t, path), head(t, db)
	record(t, db, "three")
	now := head(t, db)
	if r := verify(t, db, []audit.Key{key}, old, now); len(r.Faults) > 0 {
		t.Errorf("heads that were: %v", r.Faults)
	}

	restored := open(t, before, key)
	sound(t, restored, 2)
	if r := verify(t, restored, []audit.Key{key}, old, now); len(r.Faults) != 1 || r.Faults[0].ID != 3 {
		t.Errorf("after a restore: %v, want a fault of row 3", r.Faults)
	}
	record(t, restored, "another three")
	if r := verify(t, restored, []audit.Key{key}, old, now); len(r.Faults) != 1 || r.Faults[0].ID != 3 {
		t.Errorf("after a restore and a row: %v, want a fault of row 3", r.Faults)
	}
}

// SECRET_KEY is changed: what was written under the one before still verifies.
func TestChangedKey(t *testing.T) {
	path := newPath(t)
	record(t, open(t, path, key), "one", "two")
	db := open(t, path, newKey)
	record(t, db, "three")
	sound(t, db, 3, newKey, key)
	for name, keys := range map[string][]audit.Key{"the new key": {newKey}, "the old key": {key}, "no key": {}} {
		r := verify(t, db, keys)
		if len(r.Faults) == 0 || !strings.Contains(fmt.Sprint(r.Faults), "SECRET_KEY_PREVIOUS") {
			t.Errorf("with %s alone: %v, want what to do", name, r.Faults)
		}
	}
	forged := audit.Key{ID: key.ID, Secret: []byte("another")}
	if r := verify(t, db, []audit.Key{newKey, forged}); len(r.Faults) != 2 {
		t.Errorf("with a forged key: %v, want faults of rows 1 and 2", r.Faults)
	}
}

func TestUnkeyedRowsShow(t *testing.T) {
	path := newPath(t)
	db := open(t, path, audit.Key{})
	record(t, db, "one")
	if r := verify(t, db, []audit.Key{key}); len(r.Faults) == 0 {
		t.Error("a row that was written without a key passes")
	}
}

func TestRetention(t *testing.T) {
	ctx := context.Background()
	path := newPath(t)
	a, b := open(t, path, key), open(t, path, key)
	start := time.UnixMilli(1_800_000_000_000)
	at := func(db interface {
		Record(context.Context, ...authserver.Event) error
	}, days ...int) {
		t.Helper()
		for _, day := range days {
			e := event("act")
			e.At = start.Add(time.Duration(day) * 24 * time.Hour)
			if err := db.Record(ctx, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	prune := func(day int, want int64) {
		t.Helper()
		n, err := a.PruneEvents(ctx, start.Add(time.Duration(day)*24*time.Hour))
		if err != nil || n != want {
			t.Errorf("removed %d, %v; want %d", n, err, want)
		}
	}
	at(b, 1)
	at(a, 2)
	at(b, 3)
	old := head(t, b)
	at(a, 4, 5)

	prune(0, 0)
	sound(t, a, 5)
	prune(3, 2)
	sound(t, a, 4) // with the row that says so
	prune(4, 1)    // the last of b's chain
	sound(t, a, 4)
	if r := verify(t, a, []audit.Key{key}, old); len(r.Faults) > 0 {
		t.Errorf("a head that retention has removed: %v", r.Faults)
	}
	at(b, 6, 7)
	sound(t, a, 6)
	edit(t, path, "update event_log set first_id = first_id + 1", "delete from events where id = (select min(id) from events)")
	if r := verify(t, a, []audit.Key{key}); len(r.Faults) == 0 {
		t.Error("a row that was removed after retention does not show")
	}
}

func TestRetentionOfMany(t *testing.T) {
	ctx := context.Background()
	path := newPath(t)
	db := open(t, path, key)
	events := make([]authserver.Event, 2500)
	for i := range events {
		events[i] = event("act")
	}
	for some := range slices.Chunk(events, 500) { // a transaction has so much time and no more
		if err := db.Record(ctx, some...); err != nil {
			t.Fatal(err)
		}
	}
	sound(t, db, 2500)
	if n, err := db.PruneEvents(ctx, events[0].At.Add(time.Second)); err != nil || n != 2500 {
		t.Errorf("removed %d, %v", n, err)
	}
	sound(t, db, 1)
	record(t, db, "next")
	sound(t, db, 2)
}

// A transaction that is rolled back takes its rows' numbers and its chain back.
func TestRollback(t *testing.T) {
	ctx := context.Background()
	path := newPath(t)
	db := open(t, path, key)
	record(t, db, "one")
	edit(t, path, "create trigger no before update of seal on event_log when (select count(*) from events where act = 'no') > 0 begin select raise(abort, 'no'); end")
	if err := db.Record(ctx, event("two"), event("no")); err == nil {
		t.Fatal("recorded in spite of the trigger")
	}
	if err := db.AddClient(ctx, authserver.Client{ID: "web"}, event("no")); err == nil {
		t.Fatal("recorded in spite of the trigger")
	}
	record(t, db, "two")
	sound(t, db, 2)
	if r := verify(t, db, []audit.Key{key}); r.Last != 2 {
		t.Errorf("the log ends at row %d, want 2", r.Last)
	}
}

// The log is verified and pruned while it is written.
func TestWhileItIsWritten(t *testing.T) {
	ctx := context.Background()
	path := newPath(t)
	db, reader := open(t, path, key), open(t, path, key)
	record(t, db, "first")
	var wg sync.WaitGroup
	done := make(chan struct{})
	const writers, each = 3, 60
	for range writers {
		wg.Go(func() {
			for range each {
				if err := db.Record(ctx, event("act"), event("act")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() { wg.Wait(); close(done) }()
	for writing := true; writing; {
		select {
		case <-done:
			writing = false
		default:
		}
		if r := verify(t, reader, []audit.Key{key}); len(r.Faults) > 0 {
			t.Fatal(r.Faults)
		}
		if _, err := db.PruneEvents(ctx, event("").At.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if r := verify(t, reader, []audit.Key{key}); r.Last < writers*each*2 {
		t.Errorf("the log ends at row %d, want at least %d", r.Last, writers*each*2)
	}
}
