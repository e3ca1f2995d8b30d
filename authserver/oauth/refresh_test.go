package oauth

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/sessions"
)

func (f *fixture) events(act string) int {
	f.t.Helper()
	events, err := f.db.Events(context.Background(), authserver.Page{})
	if err != nil {
		f.t.Fatal(err)
	}
	n := 0
	for _, e := range events {
		if e.Act == act {
			n++
		}
	}
	return n
}

func (f *fixture) wantAccess(access string, alive bool) {
	f.t.Helper()
	_, err := f.verifier.Verify(context.Background(), access)
	if (err == nil) != alive {
		f.t.Errorf("access token: %v; want it alive: %v", err, alive)
	}
}

// REF-001, REF-008, REF-009: rotation, and a scope that narrows for one token.
func TestRefresh(t *testing.T) {
	f := newFixture(t)
	first := f.login("scope=read write")
	second := f.rotate("pub", first.RefreshToken, "scope=read")
	if second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken {
		t.Error("REF-001 nothing is new")
	}
	if c := f.claims(second.AccessToken); second.Scope != "read" || c.Scope != "read" {
		t.Errorf("REF-008 scope is %q, in the token %q", second.Scope, c.Scope)
	}
	third := f.rotate("pub", second.RefreshToken)
	if third.Scope != "read write" {
		t.Errorf("REF-009 scope is %q", third.Scope)
	}
	if a, b := f.claims(first.AccessToken), f.claims(third.AccessToken); a.SessionID != b.SessionID || a.ID == b.ID {
		t.Error("the session's id changed, or the token's did not")
	}
}

// REF-004 … 007, REF-026 …: a refusal consumes nothing; the owner goes on.
func TestARefusedRefreshConsumesNothing(t *testing.T) {
	f := newFixture(t)
	secret := "client_secret=" + confSecret
	for _, tc := range []struct {
		name   string
		client string
		edits  []string // of a refresh by conf that would succeed
		want   Code
	}{
		{"REF-004 by another client", "conf", []string{"client_id=other"}, CodeInvalidGrant},
		{"REF-004 by a public client", "conf", []string{"client_id=pub", "client_secret"}, CodeInvalidGrant},
		{"REF-005 with a wrong secret", "conf", []string{"client_secret=wrong"}, CodeInvalidClient},
		{"REF-006 without authentication", "conf", []string{"client_secret"}, CodeInvalidClient},
		{"REF-007 for a wider scope", "conf", []string{"scope=read write"}, CodeInvalidScope},
		{"for a scope of nobody's", "conf", []string{"scope=nothing"}, CodeInvalidScope},
		{"for a resource that is not the client's", "conf", []string{"resource=https://evil.test"}, CodeInvalidTarget},
		{"for a resource that is not the session's", "conf", []string{"resource=" + testResource}, CodeInvalidTarget},
		{"token twice", "conf", []string{"+refresh_token=x"}, CodeInvalidRequest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := f.login("client_id=conf", secret, "scope=read")
			_, err := f.post(refreshForm("conf", res.RefreshToken), append([]string{secret}, tc.edits...)...)
			wantCode(t, err, tc.want)
			next := f.rotate("conf", res.RefreshToken, secret)
			f.rotate("conf", next.RefreshToken, secret)
		})
	}
	if n := f.events("refresh.reuse_detected"); n != 0 {
		t.Errorf("%d were taken for reuse", n)
	}
}

// REF-010, REF-011: with no grace period an old token ends all that it led to.
func TestReuseEndsTheSession(t *testing.T) {
	f := newFixture(t)
	first := f.login("client_id=strict")
	second := f.rotate("strict", first.RefreshToken)
	_, err := f.post(refreshForm("strict", first.RefreshToken))
	wantCode(t, err, CodeInvalidGrant)
	if !errors.Is(err, ErrReuse) {
		t.Errorf("cause is %v", err)
	}
	_, err = f.post(refreshForm("strict", second.RefreshToken))
	wantCode(t, err, CodeInvalidGrant)
	f.wantAccess(first.AccessToken, false)
	f.wantAccess(second.AccessToken, false)
	if n := f.events("refresh.reuse_detected"); n != 1 {
		t.Errorf("%d audit events", n)
	}
}

// REF-012: a lost answer can be asked for again, and gives the same token.
func TestALostAnswerCanBeAskedForAgain(t *testing.T) {
	f := newFixture(t)
	first := f.login()
	second := f.rotate("pub", first.RefreshToken)
	before, _ := f.db.Session(context.Background(), f.claims(first.AccessToken).SessionID)
	again := f.rotate("pub", first.RefreshToken)
	after, _ := f.db.Session(context.Background(), f.claims(first.AccessToken).SessionID)
	if again.RefreshToken != second.RefreshToken || again.AccessToken == second.AccessToken {
		t.Error("the successor is not the same, or the access token is")
	}
	if !before.IdleDeadline.Equal(after.IdleDeadline) || before.Counter != after.Counter || !before.RotatedAt.Equal(after.RotatedAt) {
		t.Errorf("the session changed: %+v, %+v", before, after)
	}
	f.rotate("pub", second.RefreshToken)
	// REF-013: only the immediate parent may be presented again.
	_, err := f.post(refreshForm("pub", first.RefreshToken))
	wantCode(t, err, CodeInvalidGrant)
	f.wantAccess(again.AccessToken, false)
}

// REF-015, REF-016: of parallel requests with one token.
func TestParallelRefreshes(t *testing.T) {
	f := newFixture(t)
	for _, tc := range []struct {
		name, client string
		winners      int
	}{
		{"REF-015 within the grace period all get one successor", "pub", 50},
		{"REF-016 without one there is one winner", "strict", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := f.login("client_id=" + tc.client)
			var mu sync.Mutex
			var won []string
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					res, err := f.post(refreshForm(tc.client, res.RefreshToken))
					if err != nil {
						if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeInvalidGrant {
							t.Errorf("got %v", err)
						}
						return
					}
					mu.Lock()
					defer mu.Unlock()
					won = append(won, res.RefreshToken)
				})
			}
			wg.Wait()
			slices.Sort(won)
			if len(won) != tc.winners || len(slices.Compact(won)) != 1 {
				t.Fatalf("%d succeeded with %d tokens", len(won), len(slices.Compact(won)))
			}
			_, err := f.post(refreshForm(tc.client, won[0]))
			if alive := err == nil; alive != (tc.winners > 1) {
				t.Errorf("the successor: %v", err)
			}
		})
	}
}

// REF-019, REF-021, RSV-040: what becomes of a user reaches sessions and tokens.
func TestWhatBecomesOfAUser(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	root := []string{"username=root", "password=correct horse root"}

	res := f.login(root...)
	subject := f.claims(res.AccessToken).Subject
	if err := f.Users.SetRoles(ctx, subject, []string{"user"}, "test"); err != nil {
		t.Fatal(err)
	}
	f.wantAccess(res.AccessToken, false)
	res = f.rotate("pub", res.RefreshToken)
	c := f.claims(res.AccessToken)
	if !slices.Equal(c.Roles, []string{"user"}) || strings.Contains(res.Scope, "admin") {
		t.Errorf("REF-021 roles %q, scope %q", c.Roles, res.Scope)
	}

	if err := f.Users.Disable(ctx, subject, "test"); err != nil {
		t.Fatal(err)
	}
	f.wantAccess(res.AccessToken, false)
	_, err := f.post(refreshForm("pub", res.RefreshToken))
	wantCode(t, err, CodeInvalidGrant)
	if !errors.Is(err, ErrUserInactive) {
		t.Errorf("cause is %v", err)
	}
	_, err = f.post(passwordForm, root...) // PWD-005
	wantCode(t, err, CodeInvalidGrant)

	if err := f.Users.Enable(ctx, subject, "test"); err != nil {
		t.Fatal(err)
	}
	_, err = f.post(refreshForm("pub", res.RefreshToken)) // REF-019
	wantCode(t, err, CodeInvalidGrant)
	f.login(root...)
}

// REF-032: an ended session stays ended, whatever the session store brings back.
func TestAnEndedSessionStaysEnded(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	for name, end := range map[string]func(Response) error{
		"logout": func(r Response) error { return f.Endings.Logout(ctx, sessions.Of(f.claims(r.AccessToken))) },
		"by its id": func(r Response) error {
			c := f.claims(r.AccessToken)
			return f.Endings.EndOne(ctx, sessions.Of(c), c.SessionID)
		},
		"as one of the others": func(r Response) error {
			return f.Endings.EndOthers(ctx, sessions.Of(f.claims(f.login().AccessToken)))
		},
		"by a change of password": func(r Response) error {
			return f.ChangePassword(ctx, sessions.Of(f.claims(f.login().AccessToken)), "correct horse alice", "correct horse alice")
		},
	} {
		t.Run(name, func(t *testing.T) {
			res := f.login()
			session, err := f.db.Session(ctx, f.claims(res.AccessToken).SessionID)
			if err != nil {
				t.Fatal(err)
			}
			if err := end(res); err != nil {
				t.Fatal(err)
			}
			f.wantAccess(res.AccessToken, false)
			if _, err := f.db.Session(ctx, session.ID); !errors.Is(err, authserver.ErrNotFound) {
				t.Errorf("the record is still there: %v", err)
			}
			if _, err := f.db.Open(ctx, session, 0); err != nil {
				t.Fatal(err)
			}
			_, err = f.post(refreshForm("pub", res.RefreshToken))
			wantCode(t, err, CodeInvalidGrant)
		})
	}
}

// REF-020: a user's own change of password ends the other sessions, and spares
// this one and its access token.
func TestTheCurrentSessionSurvivesAChangeOfPassword(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	other, current := f.login(), f.login()
	if err := f.ChangePassword(ctx, sessions.Of(f.claims(current.AccessToken)), "correct horse alice", "another horse alice"); err != nil {
		t.Fatal(err)
	}
	f.wantAccess(other.AccessToken, false)
	_, err := f.post(refreshForm("pub", other.RefreshToken))
	wantCode(t, err, CodeInvalidGrant)

	f.wantAccess(current.AccessToken, true)
	current = f.rotate("pub", current.RefreshToken)
	current = f.rotate("pub", current.RefreshToken)

	// Another raising of the session epoch ends it after all.
	if err := f.Endings.EndOthers(ctx, sessions.Of(f.claims(f.login("password=another horse alice").AccessToken))); err != nil {
		t.Fatal(err)
	}
	_, err = f.post(refreshForm("pub", current.RefreshToken))
	wantCode(t, err, CodeInvalidGrant)
	f.wantAccess(current.AccessToken, false)
}

// REF-031: a token that is ahead of the store goes on, and older ones are reuse.
func TestAStoreThatLostARotation(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	first := f.login()
	old, err := f.db.Session(ctx, f.claims(first.AccessToken).SessionID)
	if err != nil {
		t.Fatal(err)
	}
	second := f.rotate("pub", first.RefreshToken)
	third := f.rotate("pub", second.RefreshToken)
	if err := f.db.Drop(ctx, old.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.db.Open(ctx, old, 0); err != nil {
		t.Fatal(err)
	}
	f.rotate("pub", third.RefreshToken)
	if n := f.events("refresh.recovered"); n != 1 {
		t.Errorf("%d audit events", n)
	}
	_, err = f.post(refreshForm("pub", first.RefreshToken))
	if !errors.Is(err, ErrReuse) {
		t.Errorf("the oldest token: %v", err)
	}
}

// REF-027: a refresh token is no access token.
func TestARefreshTokenIsNoAccessToken(t *testing.T) {
	f := newFixture(t)
	f.wantAccess(f.login().RefreshToken, false)
}

// REF-033 and the tutorial's refresh: any public client's session, no
// confidential one's.
func TestRefreshWithoutAClient(t *testing.T) {
	f := newFixture(t)
	secret := "client_secret=" + confSecret
	form := func(token string) url.Values { return url.Values{"refresh_token": {token}} }

	r := request("")
	res, err := f.Login(r, url.Values{"username": {"alice"}, "password": {"correct horse alice"}})
	if err != nil {
		t.Fatal(err)
	}
	if c := f.claims(res.AccessToken); c.ClientID != authserver.FirstPartyClientID || res.TokenType != "bearer" {
		t.Errorf("got client %q, type %q", c.ClientID, res.TokenType)
	}
	if res, err = f.Refresh(request(""), form(res.RefreshToken)); err != nil || res.TokenType != "bearer" {
		t.Errorf("the built-in client's: %v", err)
	}
	// The built-in client is not to be used at the token endpoint.
	_, err = f.post(refreshForm(authserver.FirstPartyClientID, res.RefreshToken))
	wantCode(t, err, CodeInvalidClient)

	pub := f.login()
	if _, err := f.Refresh(request(""), form(pub.RefreshToken)); err != nil {
		t.Errorf("a public client's: %v", err)
	}
	conf := f.login("client_id=conf", secret)
	_, err = f.Refresh(request(""), form(conf.RefreshToken))
	wantCode(t, err, CodeInvalidGrant)
	next := f.rotate("conf", conf.RefreshToken, secret)
	authenticated := form(next.RefreshToken)
	authenticated.Set("client_id", "conf")
	authenticated.Set("client_secret", confSecret)
	if _, err := f.Refresh(request(""), authenticated); err != nil {
		t.Errorf("a confidential client's, authenticated: %v", err)
	}
	_, err = f.Refresh(request(""), form("twr_garbage"))
	wantCode(t, err, CodeInvalidGrant)
}

// REF-026, and a client that was removed and made again: its old sessions are
// not the new one's.
func TestAClientThatChanges(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	res := f.login()
	c, err := f.db.Client(ctx, "pub")
	if err != nil {
		t.Fatal(err)
	}
	c.Grants = []string{authserver.GrantPassword}
	if err := f.db.ReplaceClient(ctx, c, authserver.Event{Act: "test"}); err != nil {
		t.Fatal(err)
	}
	_, err = f.post(refreshForm("pub", res.RefreshToken))
	wantCode(t, err, CodeUnauthorizedClient)
}

// A refresh carries those of the session's resources that the client may still
// ask for, and nothing if it may ask for none.
func TestAClientThatMayAskForLess(t *testing.T) {
	f := newFixture(t)
	secret := "client_secret=" + confSecret
	both := f.login("client_id=conf", secret, "resource="+testResource, "+resource="+testAudience)
	one := f.login("client_id=conf", secret, "resource="+testResource)
	if err := f.db.RemoveResource(t.Context(), testResource, authserver.Event{Act: "test"}); err != nil {
		t.Fatal(err)
	}
	next := f.rotate("conf", both.RefreshToken, secret)
	if aud := f.claims(next.AccessToken).Audience; !slices.Equal(aud, []string{testAudience}) {
		t.Errorf("aud is %q, want the one that is left", aud)
	}
	_, err := f.post(refreshForm("conf", one.RefreshToken), secret)
	wantCode(t, err, CodeInvalidTarget)
}

// SESSIONS_PER_USER: the least recently used session ends.
func TestTooManySessions(t *testing.T) {
	f := newFixture(t, func(d *Deps) { d.Settings.SessionsPerUser = 2 })
	one, two := f.login(), f.login()
	three := f.login()
	f.wantAccess(one.AccessToken, false)
	_, err := f.post(refreshForm("pub", one.RefreshToken))
	wantCode(t, err, CodeInvalidGrant)
	f.rotate("pub", two.RefreshToken)
	f.rotate("pub", three.RefreshToken)
}

// PWD-015: in the strict profile there is no password grant.
func TestStrict(t *testing.T) {
	f := newFixture(t, func(d *Deps) { d.Settings.Strict = true })
	_, err := f.post(passwordForm)
	wantCode(t, err, CodeUnsupportedGrantType)
	if strings.Contains(string(f.Metadata()), `"password"`) {
		t.Error("the metadata lists it")
	}
	if n := f.hasher.Stats().Computed; n > 4 {
		t.Errorf("%d hashes were computed", n)
	}
}

// An access token never outlives its session.
func TestAnAccessTokenEndsWithItsSession(t *testing.T) {
	f := newFixture(t, func(d *Deps) { d.Settings.SessionLifetime = 10 * time.Minute })
	if res := f.login(); res.ExpiresIn > 600 {
		t.Errorf("expires_in is %d", res.ExpiresIn)
	}
}

func BenchmarkToken(b *testing.B) {
	f := newFixture(b)
	b.Run("client_credentials", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := f.post(clientForm); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("refresh_token", func(b *testing.B) {
		token := f.login().RefreshToken
		b.ReportAllocs()
		for b.Loop() {
			res, err := f.post(refreshForm("pub", token))
			if err != nil {
				b.Fatal(err)
			}
			token = res.RefreshToken
		}
	})
}

// JWT-009: a name can be given again; the subject stays with its user.
func TestARenamedUserAndTheNextOfThatName(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	res := f.login()
	subject := f.claims(res.AccessToken).Subject
	if err := f.Users.Rename(ctx, subject, "alice2", "test"); err != nil {
		t.Fatal(err)
	}
	next, err := f.Users.Register(ctx, account.Registration{
		Email: "next@example.com", Username: "alice", Password: "the next horse alice", Active: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.wantAccess(res.AccessToken, false)
	c := f.claims(f.rotate("pub", res.RefreshToken).AccessToken)
	if c.Subject != subject || c.Username != "alice2" || next.Subject == subject {
		t.Errorf("got %s as %s; the next is %s", c.Subject, c.Username, next.Subject)
	}
	if c := f.claims(f.login("password=the next horse alice").AccessToken); c.Subject != next.Subject {
		t.Errorf("the next logs in as %s", c.Subject)
	}
}
