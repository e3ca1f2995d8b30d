package audit_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

var flood = flag.Int("flood", 30_000, "how many events a test of floods has")

// Whatever names and addresses refusals come with, few rows a second stand for
// all of them, each is counted, and what is not a refusal has its own row.
func TestAFloodOfRefusalsIsFewRows(t *testing.T) {
	for _, tc := range []struct {
		name    string
		rows    int // at most, for one round
		refusal func(i int) authserver.Event
	}{
		{"throttled logins under changing names", 1, func(i int) authserver.Event {
			return authserver.Event{Act: "login.failure", Subject: key.Pseudonym(fmt.Sprint(i)), ClientID: "web", IP: "192.0.2.1", Reason: "throttled"}
		}},
		{"unknown clients", 1, func(i int) authserver.Event {
			return authserver.Event{Act: "client.failure", ClientID: key.Pseudonym(fmt.Sprint(i)), IP: "192.0.2.1", Reason: "unknown_client"}
		}},
		{"changing addresses of one block", 1, func(i int) authserver.Event {
			return authserver.Event{Act: "client.failure", ClientID: "web", IP: fmt.Sprintf("2001:db8:1:%x::%x", i%5000, i%60_000), Reason: "wrong_secret"}
		}},
		{"a known user's, all alike", 1, func(int) authserver.Event {
			return authserver.Event{Act: "login.failure", Subject: "alice", ClientID: "web", IP: "192.0.2.1", Reason: "throttled"}
		}},
		{"changing names from everywhere", 51, func(i int) authserver.Event {
			return authserver.Event{Act: "login.failure", Subject: key.Pseudonym(fmt.Sprint(i)), IP: fmt.Sprintf("2001:%x::1", i%60_000), Reason: "throttled"}
		}},
		{"known users' from everywhere", 151, func(i int) authserver.Event {
			return authserver.Event{Act: "login.failure", Subject: fmt.Sprint("user", i%3), IP: fmt.Sprintf("2001:%x::1", i%60_000), Reason: "throttled"}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t)
				const rounds = 10
				for range rounds {
					for i := range *flood / rounds {
						e := tc.refusal(i)
						e.Result = "failure"
						r.Record(t.Context(), e)
					}
					r.Record(t.Context(), event("login.success"), authserver.Event{Act: "login.failure", Result: "failure", Subject: "bob", Reason: "wrong_credentials"})
					r.wait(500 * time.Millisecond)
				}
				r.stop()
				events, err := r.db.Events(t.Context(), authserver.Page{})
				if err != nil {
					t.Fatal(err)
				}
				refused, others, bob := 0, 0, 0
				for _, e := range events {
					switch {
					case e.Act == "login.success":
						others++
					case e.Subject == "bob":
						bob++
					default:
						refused += int(e.Times)
					}
				}
				most := rounds * (tc.rows + 2)
				if len(events) > most+3 { // a round may be cut in two by the clock
					t.Errorf("%d rows, want at most %d", len(events), most)
				}
				known := tc.rows > 100
				if refused+bob != *flood+rounds && known || !known && (refused != *flood || bob != rounds) || others != rounds {
					t.Errorf("%d refusals, %d of bob's and %d logins are counted", refused, bob, others)
				}
				if said := strings.Contains(r.log.String(), "more refusals than"); said != (tc.rows > 1) {
					t.Errorf("the log is %q", r.log.String())
				}
				sound(t, r.db, int64(len(events)))
			})
		})
	}
}

// A row that stands for several says of them what is the same of all.
func TestWhatARowOfSeveralSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t)
		failure := func(name, ip string) authserver.Event {
			return authserver.Event{Act: "login.failure", Result: "failure", Subject: key.Pseudonym(name), ClientID: "web", IP: ip, Reason: "wrong_credentials"}
		}
		r.Record(t.Context(),
			failure("one", "192.0.2.1"), failure("one", "192.0.2.1"),
			failure("one", "198.51.100.1"), failure("two", "198.51.100.1"),
			failure("one", "203.0.113.1"), failure("one", "203.0.113.9"), failure("one", "203.0.113.1"),
			failure("one", "2001:db8:1:2::3"), failure("two", "2001:db8:1:f::3"),
		)
		r.stop()
		rows, err := r.db.Rows(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		one := key.Pseudonym("one")
		want := []string{
			one + " web 192.0.2.1 *2", " web 198.51.100.1 *2", one + " web 203.0.113.0/24 *3", " web 2001:db8:1::/48 *2",
		}
		var got []string
		for _, row := range rows {
			got = append(got, fmt.Sprintf("%s %s %s *%d", row.Subject, row.ClientID, row.IP, row.Times))
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		sound(t, r.db, 4)
	})
}
