package backchannel_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/backchannel"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/outbox"
	"github.com/tokenwright/tokenwright/authserver/redisstore"
	"github.com/tokenwright/tokenwright/authserver/sessions"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

const issuer = "https://auth.test"

// fixture is a server with a client that is told, and a user of its.
type fixture struct {
	t        *testing.T
	db       *sqlstore.DB
	store    authserver.SessionStore
	ring     *keys.Ring
	sessions *sessions.Sessions
	user     authserver.User
	got      chan string // logout tokens
	wake     func()
}

// both runs a test with the sessions in the database and in Redis.
func both(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Run("sessions in the database", func(t *testing.T) { test(t, newFixture(t, false)) })
	t.Run("sessions in Redis", func(t *testing.T) { test(t, newFixture(t, true)) })
}

func newFixture(t *testing.T, redis bool) *fixture {
	ctx := t.Context()
	f := &fixture{t: t, got: make(chan string, 500)}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	f.db, err = sqlstore.Open(ctx, sqlstore.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")})
	must(err)
	t.Cleanup(func() { f.db.Close() })
	must(f.db.Migrate(ctx))
	master, err := keys.NewMaster("one-secret-of-many-letters-0123456789")
	must(err)
	box, err := master.Box(outbox.Label)
	must(err)
	f.db.SealOutbox(box)
	f.ring, err = keys.Open(ctx, f.db, master, "ES256")
	must(err)
	logger := slog.New(slog.DiscardHandler)
	f.store = f.db
	if redis {
		r, err := redisstore.Open(ctx, "redis://"+miniredis.RunT(t).Addr(), logger)
		must(err)
		t.Cleanup(func() { r.Close() })
		f.store = r
	}

	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { f.got <- r.PostFormValue("logout_token") }))
	t.Cleanup(receiver.Close)
	must(f.db.AddClient(ctx, authserver.Client{ID: "web", Incarnation: 7, BackchannelLogoutURI: receiver.URL, IDTokenAlgorithm: "EdDSA"}, authserver.Event{}))
	must(f.db.AddClient(ctx, authserver.Client{ID: "silent", Incarnation: 7}, authserver.Event{}))
	f.user, err = f.db.AddUser(ctx, authserver.NewUser{User: authserver.User{Subject: "alice", Username: "alice", Email: "a@example.com", Active: true}}, authserver.Event{})
	must(err)

	o := outbox.New(outbox.Deps{Store: f.db, Box: box, Logger: logger, Kinds: backchannel.Kinds(backchannel.Deps{
		Issuer: issuer, Algorithm: "ES256", Sign: f.ring.SignAs, Facts: f.db, Sessions: f.store, Ended: f.db,
		Caller: outbox.NewCaller([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}),
	})})
	f.wake = o.Wake
	f.sessions = sessions.New(sessions.Deps{
		Facts: f.db, Store: f.store, Users: f.db, Log: f.db, Changed: func(context.Context) { o.Wake() }, Logger: logger,
	})
	background, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { o.Run(background); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	return f
}

// opens opens a session.
func (f *fixture) opens(id, client, parent string, scope ...string) authserver.Session {
	f.t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	s := authserver.Session{
		ID: base64.RawURLEncoding.EncodeToString([]byte((id + strings.Repeat(".", 16))[:16])), Subject: f.user.Subject, ClientID: client,
		ClientIncarnation: 7, Scope: scope, Parent: parent, Counter: 1, CreatedAt: now, RotatedAt: now, LastUsedAt: now,
		IdleDeadline: now.Add(time.Hour), Deadline: now.Add(time.Hour), ConsentEpoch: 1, SessionEpoch: f.user.SessionEpoch,
	}
	if _, err := f.store.Open(f.t.Context(), s, 0); err != nil {
		f.t.Fatal(err)
	}
	return s
}

// told waits until nothing is to be sent, and returns the sids of what was, each of
// which was sent once.
func (f *fixture) told() []string {
	f.t.Helper()
	for n, _, err := f.db.WaitingItems(f.t.Context()); n > 0 || err != nil; n, _, err = f.db.WaitingItems(f.t.Context()) {
		if err != nil {
			f.t.Fatal(err)
		}
		f.wake()
		time.Sleep(5 * time.Millisecond)
	}
	sids := map[string]bool{}
	for len(f.got) > 0 {
		sid := f.claims(<-f.got)["sid"].(string)
		if sids[sid] {
			f.t.Errorf("%s was told twice", sid)
		}
		sids[sid] = true
	}
	return slices.Sorted(maps.Keys(sids))
}

func (f *fixture) wantTold(of ...authserver.Session) {
	f.t.Helper()
	var want []string
	for _, s := range of {
		want = append(want, s.ID)
	}
	slices.Sort(want)
	if got := f.told(); !slices.Equal(got, want) {
		f.t.Errorf("told of %v, want %v", got, want)
	}
}

// claims are those of a logout token that f's ring has signed.
func (f *fixture) claims(token string) map[string]any {
	f.t.Helper()
	payload, err := f.ring.Opened(token, "logout+jwt", time.Hour)
	if err != nil {
		f.t.Fatalf("logout token %q: %v", token, err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		f.t.Fatal(err)
	}
	return claims
}

// OUT-005, OpenID Connect Back-Channel Logout §2.4.
func TestToken(t *testing.T) {
	f := newFixture(t, false)
	s := f.opens("one", "web", "")
	before := time.Now().Unix()
	if err := f.sessions.End(t.Context(), []authserver.Ending{sessions.Ending(s, authserver.ReasonReuse)}, authserver.Event{Act: "test"}); err != nil {
		t.Fatal(err)
	}
	token := <-f.got
	var header map[string]any
	text, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &header) != nil || header["typ"] != "logout+jwt" || header["alg"] != "EdDSA" {
		t.Errorf("header %s, %v", raw, err)
	}
	c := f.claims(token)
	if c["iss"] != issuer || c["aud"] != "web" || c["sub"] != "alice" || c["sid"] != s.ID || len(c["jti"].(string)) < 22 {
		t.Errorf("claims %v", c)
	}
	iat, exp := int64(c["iat"].(float64)), int64(c["exp"].(float64))
	if iat < before || iat > time.Now().Unix() || exp-iat != 120 {
		t.Errorf("iat %d, exp %d", iat, exp)
	}
	events, _ := json.Marshal(c["events"])
	if string(events) != `{"http://schemas.openid.net/event/backchannel-logout":{}}` {
		t.Errorf("events %s", events)
	}
	if _, has := c["nonce"]; has || len(c) != 8 {
		t.Errorf("claims %v, want no nonce and nothing else", c)
	}
	f.wantTold()
}

// OUT-004, OUT-005: who is told of what.
func TestWhoIsTold(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		browser := f.opens("browser", authserver.BrowserClientID, "")
		one, two := f.opens("one", "web", browser.ID), f.opens("two", "web", browser.ID)
		f.opens("silent", "silent", browser.ID)
		offline := f.opens("offline", "web", browser.ID, authserver.ScopeOfflineAccess)
		apart := f.opens("apart", "web", "")
		asker := authserver.Asker{Subject: "alice", ClientID: authserver.BrowserClientID, SessionID: browser.ID}
		if err := f.sessions.Logout(t.Context(), asker); err != nil {
			t.Fatal(err)
		}
		f.wantTold(one, two)

		// An epoch ends what no list has.
		disabled := false
		_, err := f.db.ChangeUser(t.Context(), "alice", authserver.UserChange{
			Active: &disabled, EndTokens: true, EndSessions: true, Reason: authserver.ReasonUserDisabled,
		}, authserver.Event{Act: "user.disable"})
		if err != nil {
			t.Fatal(err)
		}
		f.wantTold(offline, apart)
		ended, _, err := f.sessions.Ended(t.Context(), "alice", authserver.Page{})
		if err != nil || len(ended) != 6 {
			t.Errorf("%d sessions have ended, %v; want 6", len(ended), err)
		}
	})
	both(t, func(t *testing.T, f *fixture) {
		asks, other, third := f.opens("asks", "web", ""), f.opens("other", "web", ""), f.opens("third", "web", "")
		asker := authserver.Asker{Subject: "alice", ClientID: "web", SessionID: asks.ID}
		if err := f.sessions.EndOne(t.Context(), asker, third.ID); err != nil {
			t.Fatal(err)
		}
		f.wantTold(third)
		if err := f.sessions.EndOthers(t.Context(), asker); err != nil {
			t.Fatal(err)
		}
		f.wantTold(other)
		if err := f.sessions.Evict(t.Context(), f.user, authserver.Session{ID: "new"}, []string{asks.ID}); err != nil {
			t.Fatal(err)
		}
		f.wantTold(asks)
		last := f.opens("last", "web", "")
		last.SessionEpoch = time.Now().Unix() + 1
		if err := f.sessions.EndAll(t.Context(), "alice", authserver.ActorCLI); err != nil {
			t.Fatal(err)
		}
		f.wantTold(last)
	})
}

// More sessions than one request lists are found afterwards.
func TestVeryManySessions(t *testing.T) {
	both(t, func(t *testing.T, f *fixture) {
		const n = 130
		browser := f.opens("browser", authserver.BrowserClientID, "")
		for i := range n {
			f.opens(string(rune('a'+i%26))+string(rune('a'+i/26)), "web", browser.ID)
		}
		asker := authserver.Asker{Subject: "alice", ClientID: authserver.BrowserClientID, SessionID: browser.ID}
		if err := f.sessions.Logout(t.Context(), asker); err != nil {
			t.Fatal(err)
		}
		if got := f.told(); len(got) != n {
			t.Errorf("told of %d sessions, want %d", len(got), n)
		}
	})
}
