package outbox_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/outbox"
	"github.com/tokenwright/tokenwright/authserver/seal"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

// OUT-006: a receiver that is down is tried for a day, with growing pauses.
func TestPauses(t *testing.T) {
	inTime(t, func(t *testing.T, f *fixture) {
		c := newTally()
		f.ends(1, 1, "down")
		o := f.serve(func(_ context.Context, facts []byte) error { c.add(facts); return errors.New("connection refused") })
		time.Sleep(24*time.Hour - time.Minute)
		if n := f.waiting(); n != 1 {
			t.Errorf("%d wait within the day, want 1", n)
		}
		time.Sleep(2 * time.Hour)
		got := c.tries()
		want := []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute}
		for len(want) < len(got)-2 {
			want = append(want, time.Hour)
		}
		for i, pause := range want {
			if d := got[i+1] - got[i] - pause; d < 0 || d > 2*time.Second {
				t.Errorf("pause %d was %v, want %v", i, got[i+1]-got[i], pause)
			}
		}
		if last := got[len(got)-1]; last < 24*time.Hour || last > 24*time.Hour+2*time.Second || len(got) < 28 || len(got) > 32 {
			t.Errorf("%d tries, the last after %v; want the last after a day", len(got), last)
		}
		if f.waiting() != 0 || f.events("logout.given_up", "no answer") != 1 || f.events("logout.sent", "") != 0 {
			t.Errorf("%d wait; given up is not in the audit log once", f.waiting())
		}
		s, err := o.Stats(t.Context())
		if err != nil || s.Done[outbox.Ended{Kind: "logout", Outcome: outbox.GivenUp}] != 1 {
			t.Errorf("%+v, %v", s, err)
		}
		if !strings.Contains(f.log.String(), "level=ERROR") {
			t.Error("it is not in the log")
		}
	})
}

// OUT-006: what becomes of an answer.
func TestAnswers(t *testing.T) {
	for _, tc := range []struct {
		name    string
		answers []error // the last goes on
		tries   int
		within  time.Duration
		act     string
	}{
		{"sent", []error{nil}, 1, 0, "logout.sent"},
		{"sent after 503 for half a minute", []error{&outbox.LaterError{Reason: "status 503"}, &outbox.LaterError{Reason: "status 503"},
			&outbox.LaterError{Reason: "status 503"}, nil}, 4, 36 * time.Second, "logout.sent"},
		{"400 never again", []error{&outbox.RefusedError{Reason: "status 400"}}, 1, 0, "logout.refused"},
		{"not before it is asked for", []error{&outbox.LaterError{After: 20 * time.Minute}, nil}, 2, 20 * time.Minute, "logout.sent"},
		{"not as late as is asked for", []error{&outbox.LaterError{After: 10000 * time.Hour}, nil}, 2, time.Hour, "logout.sent"},
		{"not sooner than the pause", []error{&outbox.LaterError{After: -time.Hour}, nil}, 2, time.Second, "logout.sent"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inTime(t, func(t *testing.T, f *fixture) {
				c := newTally()
				f.ends(1, 1, "web")
				answers := tc.answers
				f.serve(func(_ context.Context, facts []byte) error {
					c.add(facts)
					err := answers[0]
					answers = answers[min(1, len(answers)-1):]
					return err
				})
				time.Sleep(2 * time.Hour)
				got := c.tries()
				if len(got) != tc.tries {
					t.Fatalf("%d tries, want %d", len(got), tc.tries)
				}
				if last := got[len(got)-1]; last < tc.within || last > tc.within+5*time.Second {
					t.Errorf("the last after %v, want %v", last, tc.within)
				}
				if f.waiting() != 0 || f.events(tc.act, "") != 1 {
					t.Errorf("%d wait, %d × %s", f.waiting(), f.events(tc.act, ""), tc.act)
				}
			})
		})
	}
}

// OUT-006: receivers that hang hold up nobody, be they more than there are tries at
// once, and none gets more than its share.
func TestHanging(t *testing.T) {
	inTime(t, func(t *testing.T, f *fixture) {
		const hang, others, each = 60, 90, 3
		f.ends(hang, each, "hangs")
		f.ends(others, each, "quick")
		sent := newTally()
		o := f.serve(func(ctx context.Context, facts []byte) error {
			if strings.Contains(string(facts), "hangs") {
				<-ctx.Done()
				return ctx.Err()
			}
			sent.add(facts)
			return nil
		})
		// Each hanging one is found out once.
		time.Sleep(4 * 5 * time.Second)
		if n := len(sent.tries()); n != others*each {
			t.Errorf("%d sent, want %d", n, others*each)
		}
		// From then on they have their own part.
		for _, name := range []string{"second", "third"} {
			sent := len(sent.tries())
			f.endsOf("quick-7", 2, name)
			o.Wake()
			synctest.Wait()
			if n := f.events("logout.sent", ""); n != sent+2 {
				t.Errorf("%s: %d sent at once, want 2", name, n-sent)
			}
			time.Sleep(3 * time.Minute)
		}
		if n := f.waiting(); n != hang*each {
			t.Errorf("%d wait, want %d", n, hang*each)
		}
	})
}

// OUT-006: a server that is killed between leaves it to another; one that is
// stopped finishes what it tries.
func TestServersThatEnd(t *testing.T) {
	inTime(t, func(t *testing.T, f *fixture) {
		f.ends(1, 3, "web")
		killed, err := f.db.ClaimItems(t.Context(), outbox.Query{
			Kinds: []string{"logout"}, Claim: "of a server that was killed", Until: time.Now().Add(20 * time.Second), Most: 2, PerReceiver: 2,
		})
		if err != nil || len(killed) != 2 {
			t.Fatalf("%d claimed, %v", len(killed), err)
		}
		c := newTally()
		f.serve(func(_ context.Context, facts []byte) error { c.add(facts); return nil })
		time.Sleep(15 * time.Second)
		if n := len(c.tries()); n != 1 {
			t.Errorf("%d sent while the others are another's, want 1", n)
		}
		time.Sleep(10 * time.Second)
		if c.sent() != 3 || f.waiting() != 0 {
			t.Errorf("%d sent, %d wait; want 3 and none", c.sent(), f.waiting())
		}
	})
	inTime(t, func(t *testing.T, f *fixture) {
		f.ends(1, 1, "web")
		f.serve(func(context.Context, []byte) error { time.Sleep(4 * time.Second); return nil })
		time.Sleep(time.Second)
		f.end()
		if f.events("logout.sent", "") != 1 || f.waiting() != 0 {
			t.Error("a try was broken off")
		}
	})
}

// Facts that were sealed under a SECRET_KEY that this server has not got wait.
func TestFactsOfAnother(t *testing.T) {
	inTime(t, func(t *testing.T, f *fixture) {
		f.ends(1, 1, "web")
		other, err := seal.NewBox(seal.Key{ID: [4]byte{2}})
		if err != nil {
			t.Fatal(err)
		}
		f.box = other
		c := newTally()
		f.serve(func(_ context.Context, facts []byte) error { c.add(facts); return nil })
		time.Sleep(time.Hour)
		if len(c.tries()) != 0 || f.waiting() != 1 {
			t.Errorf("%d sent, %d wait; want it to wait for a server with the key", len(c.tries()), f.waiting())
		}
	})
}

// What a database that is away for a moment did not take is noted later, and not
// sent again.
func TestNotedLater(t *testing.T) {
	inTime(t, func(t *testing.T, f *fixture) {
		f.ends(1, 1, "web")
		c := newTally()
		away := &awayStore{DB: f.db, until: time.Now().Add(8 * time.Second)}
		f.serveOn(away, func(_ context.Context, facts []byte) error { c.add(facts); return nil })
		time.Sleep(time.Minute)
		if len(c.tries()) != 1 || f.waiting() != 0 || f.events("logout.sent", "") != 1 {
			t.Errorf("%d sent, %d wait, %d in the audit log; want 1, 0, 1", len(c.tries()), f.waiting(), f.events("logout.sent", ""))
		}
	})
}

// awayStore finishes nothing for a while.
type awayStore struct {
	*sqlstore.DB
	until time.Time
}

func (s *awayStore) FinishItem(ctx context.Context, i outbox.Item, e ...authserver.Event) error {
	if time.Now().Before(s.until) {
		return authserver.ErrUnavailable
	}
	return s.DB.FinishItem(ctx, i, e...)
}
