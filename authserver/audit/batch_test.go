package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/audit"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

// running is a Batch at work on a database of its own.
type running struct {
	*audit.Batch
	t    *testing.T
	db   *sqlstore.DB
	path string
	log  bytes.Buffer
	stop func() // returns when Run has
}

func run(t *testing.T) *running {
	r := &running{t: t, path: newPath(t)}
	r.db = open(t, r.path, key)
	r.Batch = audit.NewBatch(r.db, slog.New(slog.NewTextHandler(&r.log, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	r.stop = func() { cancel(); <-done }
	return r
}

func (r *running) acts() (acts []string) {
	r.t.Helper()
	events, err := r.db.Events(r.t.Context(), authserver.Page{})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range events {
		acts = append([]string{e.Act}, acts...)
	}
	return acts
}

func (r *running) away() { edit(r.t, r.path, "alter table events rename to elsewhere") }
func (r *running) back() { edit(r.t, r.path, "alter table elsewhere rename to events") }

func (r *running) wait(d time.Duration) { time.Sleep(d); synctest.Wait() }

func TestBatch(t *testing.T) {
	for name, test := range map[string]func(t *testing.T, r *running){
		"an event is written at most 1 s later, with the time at which it happened": func(t *testing.T, r *running) {
			at := time.Now()
			r.Record(t.Context(), authserver.Event{Act: "one"}, authserver.Event{Act: "two"})
			if got := r.acts(); len(got) != 0 {
				t.Errorf("at once: %v", got)
			}
			r.wait(time.Second)
			events, err := r.db.Events(t.Context(), authserver.Page{})
			if err != nil || len(events) != 2 || events[1].Act != "one" || !events[0].At.Equal(at.UTC().Truncate(time.Millisecond)) {
				t.Errorf("got %v, %v", events, err)
			}
			r.stop()
		},
		"a client's and a stranger's events that are alike are one row, a user's are not": func(t *testing.T, r *running) {
			token := authserver.Event{Act: "token.issued", ClientID: "web", IP: "192.0.2.1"}
			for i := range 5 {
				token.RequestID = fmt.Sprint(i)
				r.Record(t.Context(), token, event("login.failure"))
			}
			other := token
			other.IP = "192.0.2.2"
			r.Record(t.Context(), other)
			r.wait(time.Second)
			r.Record(t.Context(), token)
			r.wait(time.Second)
			events, err := r.db.Events(t.Context(), authserver.Page{})
			var got []string
			for _, e := range events {
				if e.Act == "token.issued" {
					got = append(got, fmt.Sprintf("%s %s*%d", e.IP, e.RequestID, e.Times))
				}
			}
			if want := "[192.0.2.1 4*1 192.0.2.2 4*1 192.0.2.1 0*5]"; err != nil || len(events) != 8 || fmt.Sprint(got) != want {
				t.Errorf("%d rows with %v, %v; want %s", len(events), got, err, want)
			}
			r.stop()
			sound(t, r.db, 8)
		},
		"what waits is written at the end, and the head is said": func(t *testing.T, r *running) {
			r.Record(t.Context(), event("one"))
			r.stop()
			sound(t, r.db, 1)
			h := head(t, r.db)
			if want := fmt.Sprintf("chain=%s row=1 mac=%x", h.Chain, h.MAC); !strings.Contains(r.log.String(), want) {
				t.Errorf("the log is %q, want %q in it", r.log.String(), want)
			}
		},
		"the head is said every hour": func(t *testing.T, r *running) {
			r.wait(time.Hour) // there is none yet
			r.Record(t.Context(), event("one"))
			r.wait(2 * time.Hour)
			if n := strings.Count(r.log.String(), "audit head"); n != 2 {
				t.Errorf("said %d times: %s", n, r.log.String())
			}
			r.stop()
		},
		"while the database is away events are kept, in order": func(t *testing.T, r *running) {
			r.away()
			for i := range 3 {
				r.Record(t.Context(), event(fmt.Sprint(i)))
				r.wait(time.Minute)
			}
			r.back()
			r.wait(time.Second)
			if got := fmt.Sprint(r.acts()); got != "[0 1 2]" {
				t.Errorf("got %s", got)
			}
			if n := strings.Count(r.log.String(), "cannot be written"); n != 1 {
				t.Errorf("said %d times that it is away", n)
			}
			r.stop()
			sound(t, r.db, 3)
		},
		"what is too much to keep is counted, and the count is written": func(t *testing.T, r *running) {
			r.away()
			for i := range 20_007 {
				r.Record(t.Context(), event(fmt.Sprint(i)))
			}
			r.wait(time.Minute)
			r.back()
			r.wait(time.Second)
			r.Record(t.Context(), event("after"))
			r.wait(time.Second)
			got := r.acts()
			if len(got) != 20_002 || got[0] != "0" || got[19_999] != "19999" || got[20_000] != "audit.lost" || got[20_001] != "after" {
				t.Errorf("got %d rows that end with %v", len(got), got[max(0, len(got)-3):])
			}
			events, err := r.db.Events(t.Context(), authserver.Page{Limit: 1, Offset: 1})
			if err != nil || events[0].Reason != "7 events" {
				t.Errorf("got %v, %v; want 7 events lost", events, err)
			}
			r.stop()
			sound(t, r.db, 20_002)
		},
		"what is lost at the end is said": func(t *testing.T, r *running) {
			r.Record(t.Context(), event("one"), event("two"))
			r.away()
			r.stop()
			if !strings.Contains(r.log.String(), `msg="audit events are lost" events=2`) {
				t.Errorf("the log is %q", r.log.String())
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, run(t)) })
		})
	}
}

// Nothing is lost or counted twice of what comes while the Batch writes.
func TestBatchWhileItWrites(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	db := open(t, newPath(t), key)
	b := audit.NewBatch(db, slog.New(slog.DiscardHandler))
	var running, recording sync.WaitGroup
	running.Go(func() { b.Run(ctx) })
	const recorders = 4
	var recorded [recorders]int64
	deadline := time.Now().Add(1200 * time.Millisecond)
	for i := range recorders {
		recording.Go(func() {
			for time.Now().Before(deadline) {
				for j := range 50 {
					b.Record(ctx, authserver.Event{Act: "token.issued", ClientID: fmt.Sprint(i, "-", j)})
					recorded[i]++
				}
				runtime.Gosched()
			}
		})
	}
	recording.Wait()
	cancel()
	running.Wait()

	events, err := db.Events(t.Context(), authserver.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		var i int
		fmt.Sscan(e.ClientID, &i)
		recorded[i] -= e.Times
	}
	if recorded != [recorders]int64{} {
		t.Errorf("%v are missing", recorded)
	}
}
