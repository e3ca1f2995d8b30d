package oauth

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/audit"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/sessions"
)

// recorded are the events that came after the first n, the oldest first, without their
// times, which must be of now.
func (f *fixture) recorded(n int) []authserver.Event {
	f.t.Helper()
	all, err := f.db.Events(context.Background(), authserver.Page{})
	if err != nil {
		f.t.Fatal(err)
	}
	var out []authserver.Event
	for _, e := range all[:len(all)-n] {
		if d := time.Since(e.At); d < -time.Second || d > time.Minute {
			f.t.Errorf("%s happened at %v", e.Act, e.At)
		}
		e.At = time.Time{}
		out = append([]authserver.Event{e}, out...)
	}
	return out
}

func (f *fixture) countEvents() int {
	f.t.Helper()
	all, err := f.db.Events(context.Background(), authserver.Page{})
	if err != nil {
		f.t.Fatal(err)
	}
	return len(all)
}

func TestTokenRequestsAreRecorded(t *testing.T) {
	f := newFixture(t)
	limited := account.Deps{
		Users: f.db, Clients: f.db, Hasher: f.hasher, Limiter: limit.NewMemory(1000), Master: f.Master,
		Roles: f.Roles, Audience: testAudience, Logger: f.Logger,
		LoginRate:  limit.Rule{Name: "login", Burst: 4, Per: time.Hour},
		ClientRate: limit.Rule{Name: "client", Burst: 3, Per: time.Hour},
	}
	f.Users, f.Clients = account.NewUsers(limited), account.NewClients(limited)
	alice, err := f.db.UserByLogin(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	pseudonym := f.Master.AuditKeys()[0].Pseudonym
	here := authserver.Event{IP: "192.0.2.1", RequestID: "r1", Result: "failure"}
	event := func(act, client, subject, reason string) authserver.Event {
		e := here
		e.Act, e.ClientID, e.Subject, e.Reason = act, client, subject, reason
		return e
	}
	refused := func(reason string) authserver.Event {
		e := event("login.refused", "pub", alice.Subject, reason)
		e.Actor = alice.Subject
		return e
	}
	refresh := refreshForm("pub", f.login().RefreshToken)
	for _, tc := range []struct {
		name  string
		form  string
		edits []string
		want  []authserver.Event
	}{
		{"TOK-006 a malformed request is no attempt", passwordForm, []string{"+username=root"}, nil},
		{"no password", passwordForm, []string{"password"}, nil},
		{"PWD-019 a wrong password", passwordForm, []string{"password=nope"},
			[]authserver.Event{event("login.failure", "pub", alice.Subject, "wrong_credentials")}},
		{"PWD-019 by e-mail address", passwordForm, []string{"username=" + alice.Email, "password=nope"},
			[]authserver.Event{event("login.failure", "pub", alice.Subject, "wrong_credentials")}},
		{"PWD-019 a stranger, whose name may be a password", passwordForm, []string{"username=correct horse ALICE"},
			[]authserver.Event{event("login.failure", "pub", pseudonym("Correct Horse alice"), "wrong_credentials")}},
		{"PWD-019 a scope that the user may not have", passwordForm, []string{"scope=admin"},
			[]authserver.Event{refused("invalid_scope")}},
		{"a client that may not use the grant", passwordForm, []string{"client_id=nopw", "client_secret=" + confSecret},
			[]authserver.Event{event("login.failure", "nopw", alice.Subject, "unauthorized_client")}},
		{"a wrong client secret", passwordForm, []string{"client_id=conf", "client_secret=" + confSecret + "x"},
			[]authserver.Event{event("client.failure", "conf", "", "wrong_secret")}},
		{"an unknown client, whose id may be a secret", clientForm, []string{"client_id=" + confSecret},
			[]authserver.Event{event("client.failure", pseudonym(confSecret), "", "unknown_client")}},
		{"no client", passwordForm, []string{"client_id"},
			[]authserver.Event{event("client.failure", "", "", "invalid_client")}},
		{"a client's scope", clientForm, []string{"scope=unknown"},
			[]authserver.Event{event("client.failure", "conf", "", "invalid_scope")}},
		{"a garbled refresh token", refresh, []string{"refresh_token=twr_" + confSecret},
			[]authserver.Event{event("refresh.failure", "pub", "", "bad_token")}},
		{"a refresh that succeeds", refresh, nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := f.countEvents()
			f.post(tc.form, tc.edits...)
			if diff := cmp.Diff(tc.want, f.recorded(n)); diff != "" {
				t.Errorf("-want +got: %s", diff)
			}
		})
	}

	t.Run("PWD-019 a login that succeeds", func(t *testing.T) {
		n := f.countEvents()
		c := f.claims(f.login().AccessToken)
		want := event("login.success", "pub", alice.Subject, "")
		want.Result, want.Actor, want.SessionID = "success", alice.Subject, c.SessionID
		if diff := cmp.Diff([]authserver.Event{want}, f.recorded(n)); diff != "" {
			t.Errorf("-want +got: %s", diff)
		}
	})
	t.Run("a client's own token", func(t *testing.T) {
		n := f.countEvents()
		if _, err := f.post(clientForm); err != nil {
			t.Fatal(err)
		}
		want := event("token.issued", "conf", "", "")
		want.Result, want.Actor = "success", "conf"
		if diff := cmp.Diff([]authserver.Event{want}, f.recorded(n)); diff != "" {
			t.Errorf("-want +got: %s", diff)
		}
	})
	t.Run("PWD-019 too many logins", func(t *testing.T) {
		for range 5 {
			f.post(passwordForm, "password=nope")
		}
		n := f.countEvents()
		f.post(passwordForm)
		if diff := cmp.Diff([]authserver.Event{event("login.failure", "pub", alice.Subject, "throttled")}, f.recorded(n)); diff != "" {
			t.Errorf("-want +got: %s", diff)
		}
	})
	t.Run("a client that failed too often", func(t *testing.T) {
		for range 4 {
			f.post(clientForm, "client_secret=nope")
		}
		n := f.countEvents()
		f.post(passwordForm, "client_id=conf", "client_secret="+confSecret)
		if diff := cmp.Diff([]authserver.Event{event("client.failure", "conf", "", "throttled")}, f.recorded(n)); diff != "" {
			t.Errorf("-want +got: %s", diff)
		}
	})

	t.Run("PWD-019 no password, secret or token is in any row", func(t *testing.T) {
		log := strings.ToLower(fmt.Sprint(f.recorded(0)))
		for _, secret := range []string{"correct horse", "nope", confSecret, "twr_", "eyj"} {
			if strings.Contains(log, secret) {
				t.Errorf("%q is in the log", secret)
			}
		}
	})
}

func TestRefreshFailuresAreRecorded(t *testing.T) {
	f := newFixture(t)
	user := func(name string) string {
		u, err := f.db.UserByLogin(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return u.Subject
	}
	first := f.login("client_id=strict")
	c := f.claims(first.AccessToken)
	f.rotate("strict", first.RefreshToken)
	for _, tc := range []struct {
		name      string
		client    string
		act, want string
		then      func()
	}{
		{"another client", "pub", "refresh.failure", "wrong_client", nil},
		{"REF-010 reuse", "strict", "refresh.reuse_detected", "reuse", nil},
		{"a session that has ended", "strict", "refresh.failure", "ended", func() {
			if err := f.Users.Disable(t.Context(), c.Subject, "test"); err != nil {
				t.Fatal(err)
			}
		}},
		{"a user who was disabled", "strict", "refresh.failure", "user_inactive", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := f.countEvents()
			f.post(refreshForm(tc.client, first.RefreshToken))
			got := f.recorded(n)
			if len(got) != 1 || got[0].Act != tc.act || got[0].Reason != tc.want || got[0].Subject != user("alice") || got[0].SessionID != c.SessionID || got[0].IP != "192.0.2.1" {
				t.Errorf("got %+v, want one %s with %s", got, tc.act, tc.want)
			}
			if tc.then != nil {
				tc.then()
			}
		})
	}
}

func TestRefusedPasswordChangeIsRecorded(t *testing.T) {
	f := newFixture(t)
	c := f.claims(f.login().AccessToken)
	n := f.countEvents()
	if err := f.ChangePassword(t.Context(), sessions.Of(c), "nope", "a new and longer one"); err == nil {
		t.Fatal("changed")
	}
	if err := f.ChangePassword(t.Context(), sessions.Of(c), "correct horse alice", "short"); err == nil {
		t.Fatal("changed")
	}
	got := f.recorded(n)
	if len(got) != 1 || got[0].Act != "user.change_password" || got[0].Result != "failure" || got[0].Reason != "wrong_credentials" || got[0].SessionID != c.SessionID {
		t.Errorf("got %+v, want one failure", got)
	}
}

// BenchmarkAudit shows what recording costs the token path: with a batch that
// writes, and with events that go nowhere.
func BenchmarkAudit(b *testing.B) {
	for _, recorded := range []bool{false, true} {
		for name, form := range map[string]string{"client_credentials": clientForm, "password": passwordForm} {
			b.Run(fmt.Sprintf("%s/recorded=%v", name, recorded), func(b *testing.B) {
				ctx, cancel := context.WithCancel(context.Background())
				done := make(chan struct{})
				f := newFixture(b, func(d *Deps) {
					if !recorded {
						d.Notes = nowhere{}
						close(done)
						return
					}
					batch := audit.NewBatch(d.Audit.(audit.Store), d.Logger)
					d.Notes = batch
					go func() { defer close(done); batch.Run(ctx) }()
				})
				b.ReportAllocs()
				for b.Loop() {
					if _, err := f.post(form); err != nil {
						b.Fatal(err)
					}
				}
				cancel()
				<-done
			})
		}
	}
}

type nowhere struct{}

func (nowhere) Record(context.Context, ...authserver.Event) error { return nil }
