package doctor_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver/doctor"
)

// issuer refuses everybody, after spend has taken the time that refusing the user
// or client takes.
func issuer(t *testing.T, status int, spend func(user, client string)) string {
	t.Helper()
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"issuer": s.URL, "token_endpoint": s.URL + "/token"})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		client, _, confidential := r.BasicAuth()
		spend(r.PostFormValue("username"), client)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case status != 0:
			w.WriteHeader(status)
		case confidential:
			w.WriteHeader(401)
		default:
			w.WriteHeader(400)
		}
	})
	return s.URL
}

var timed = doctor.Fixtures{
	Clients: []doctor.Client{
		{ID: "app", Grants: []string{"password", "refresh_token"}},
		{ID: "conf", Secret: "conf-secret-0123456789", Grants: []string{"client_credentials"}},
	},
	Users: []doctor.User{{Username: "alice", Password: "correct horse"}},
}

// hash burns the time of a hash. It does not sleep: what is measured is whether
// work was done, and a sleep has a noise of its own.
func hash() {
	for start := time.Now(); time.Since(start) < 2*time.Millisecond; {
	}
}

func TestTiming(t *testing.T) {
	for _, tc := range []struct {
		name, id string
		status   int
		spend    func(user, client string)
		want     doctor.Verdict
		reason   string
	}{
		{"PWD-004 an issuer that knows strangers faster is caught", "PWD-004", 0, func(user, _ string) {
			if user == "alice" {
				hash()
			}
		}, doctor.Fail, "can be told apart"},
		{"PWD-004 an issuer that knows its own faster is caught", "PWD-004", 0, func(user, _ string) {
			if user != "alice" {
				hash()
			}
		}, doctor.Fail, "can be told apart"},
		{"CLI-007 an issuer that looks longer at clients that it knows is caught", "CLI-007", 0, func(_, client string) {
			if client == "conf" {
				hash()
			}
		}, doctor.Fail, "can be told apart"},
		{"PWD-004 an issuer whose limits are on says nothing", "PWD-004", 429, func(string, string) {}, doctor.NotApplicable, "429"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			report, err := doctor.Run(t.Context(), doctor.Options{
				Issuer: issuer(t, tc.status, tc.spend), Fixtures: timed, Timing: true, Samples: 100, Only: []string{tc.id},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := report.Results[len(report.Results)-1]
			if got.Verdict != tc.want || !strings.Contains(got.Reason, tc.reason) {
				t.Errorf("got %s: %s", got.Verdict, got.Reason)
			}
		})
	}
}

// Where users' hashes are of several kinds, the user is compared with an unknown
// name that has hers.
func TestTheNearestStrangerIsCompared(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	base := issuer(t, 0, func(user, _ string) {
		mu.Lock()
		asked[user]++
		mu.Unlock()
		hash()
		if user != "alice" && !strings.HasSuffix(user, "7") {
			for range 10 {
				hash()
			}
		}
	})
	_, err := doctor.Run(t.Context(), doctor.Options{Issuer: base, Fixtures: timed, Timing: true, Samples: 20, Only: []string{"PWD-004"}})
	if err != nil {
		t.Fatal(err)
	}
	most := ""
	for name, n := range asked {
		if name != "alice" && n > asked[most] {
			most = name
		}
	}
	if !strings.HasSuffix(most, "7") || asked[most] < 20 {
		t.Errorf("compared with %s, asked %d times", most, asked[most])
	}
}
