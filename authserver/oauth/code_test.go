package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sessions"
)

const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // of RFC 7636 appendix B
	nativeCB  = "http://127.0.0.1:51234/cb"
	webCB     = "https://web.test/cb?a=b"
	nativeAsk = "client_id=native&redirect_uri=http%3A%2F%2F127.0.0.1%3A51234%2Fcb&response_type=code&scope=read+write&state=s" +
		"&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
)

// visit is a person's way through an authorization request.
type visit struct {
	*fixture
	login authserver.Login
}

// visit logs alice in to a browser session of its own.
func (f *fixture) visit() visit {
	f.t.Helper()
	u, err := f.db.UserByLogin(f.t.Context(), "alice")
	if err != nil {
		f.t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	v := visit{f, authserver.Login{Subject: u.Subject, Parent: authserver.NewID(), AuthTime: now, AMR: []string{"pwd"}}}
	_, err = f.Sessions.Open(f.t.Context(), authserver.Session{
		ID: v.login.Parent, Subject: u.Subject, ClientID: authserver.BrowserClientID, SessionEpoch: u.SessionEpoch, Counter: 1,
		RotatedAt: now, CreatedAt: now, LastUsedAt: now, IdleDeadline: now.Add(12 * time.Hour), Deadline: now.Add(14 * 24 * time.Hour),
		AuthTime: now, AMR: v.login.AMR, IP: "192.0.2.1", UserAgent: "test",
	}, 20)
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

// consent lets a client do all that it may ask for.
func (v visit) consent(client string) {
	v.t.Helper()
	_, err := v.db.Grant(v.t.Context(), authserver.Consent{
		Subject: v.login.Subject, ClientID: client, Scopes: []string{"read", "write", "offline_access"}, Resources: []string{testAudience, testResource}, GrantedAt: time.Now(),
	}, authserver.Event{Act: "test"})
	if err != nil {
		v.t.Fatal(err)
	}
}

func (v visit) authorize(form, tw string) (Authorization, error) {
	values, _ := url.ParseQuery(form)
	return v.Authorize(v.t.Context(), values, tw, authserver.Ask{Subject: v.login.Subject, ParentID: v.login.Parent})
}

// opened is a request that is good, as its page is opened with tw; empty is the
// first time.
func (v visit) opened(form, tw string) Authorization {
	v.t.Helper()
	a, err := v.authorize(form, tw)
	if err != nil {
		v.t.Fatal(err)
	}
	return a
}

// code answers a request.
func (v visit) code(form string) string {
	v.t.Helper()
	return v.answer(v.opened(form, ""))
}

func (v visit) answer(a Authorization) string {
	v.t.Helper()
	ctx := authserver.WithCaller(v.t.Context(), authserver.Caller{IP: "203.0.113.7", UserAgent: "a person's"})
	answer, err := v.Answer(ctx, a, v.login)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, field := range answer.Fields {
		if field.Name == "code" {
			return field.Value
		}
	}
	v.t.Fatalf("no code in %v", answer)
	return ""
}

// redemption of a code of the client native's.
func redemption(code string) string {
	return url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"native"}, "code": {code}, "redirect_uri": {nativeCB}, "code_verifier": {verifier},
	}.Encode()
}

func (f *fixture) redeem(code string, edits ...string) Response {
	f.t.Helper()
	res, err := f.post(redemption(code), edits...)
	if err != nil {
		f.t.Fatalf("redeem: %v", err)
	}
	return res
}

// AUT-015, AUT-041: a code becomes a session, which remembers who came how.
func TestACodeIsRedeemed(t *testing.T) {
	t.Parallel()
	v := newFixture(t).visit()
	v.consent("native")
	res := v.redeem(v.code(nativeAsk))
	c := v.claims(res.AccessToken)
	if res.Scope != "read write" || c.Subject != v.login.Subject || c.ClientID != "native" || c.Parent != v.login.Parent ||
		c.AuthTime != v.login.AuthTime.Unix() || c.ACR != "aal1" || len(c.AMR) != 1 || c.AMR[0] != "pwd" {
		t.Errorf("got %+v, claims %+v", res, c)
	}
	res = v.rotate("native", res.RefreshToken)
	if c := v.claims(res.AccessToken); c.Parent != v.login.Parent || c.AuthTime != v.login.AuthTime.Unix() {
		t.Errorf("after a refresh: %+v", c)
	}
	session, err := v.Sessions.Session(t.Context(), c.SessionID)
	if err != nil || session.IP != "203.0.113.7" || session.UserAgent != "a person's" || session.Counter != 2 {
		t.Errorf("got %+v, %v", session, err)
	}
}

// What is wrong with a redemption changes nothing: the right one still works.
func TestARefusedRedemptionChangesNothing(t *testing.T) {
	t.Parallel()
	v := newFixture(t).visit()
	v.consent("native")
	v.consent("lax")
	code := v.code(nativeAsk)
	tampered := []byte(code)
	tampered[len(tampered)-1] ^= 1
	for _, tc := range []struct {
		name  string
		edits []string
		want  Code
	}{
		{"AUT-006 AUT-017 another client", []string{"client_id=web", "Basic web:" + confSecret, "client_id"}, CodeInvalidGrant},
		{"AUT-006 AUT-017 another redirect URI", []string{"redirect_uri=http://127.0.0.1:51235/cb"}, CodeInvalidGrant},
		{"AUT-006 no redirect URI", []string{"redirect_uri"}, CodeInvalidGrant},
		{"AUT-017 a wrong verifier", []string{"code_verifier=" + strings.Repeat("a", 43)}, CodeInvalidGrant},
		{"AUT-015 a verifier of 42", []string{"code_verifier=" + verifier[:42]}, CodeInvalidGrant},
		{"AUT-015 a verifier of 129", []string{"code_verifier=" + strings.Repeat("a", 129)}, CodeInvalidGrant},
		{"AUT-015 a verifier with bad characters", []string{"code_verifier=" + verifier[:42] + "+"}, CodeInvalidGrant},
		{"AUT-004 AUT-015 no verifier", []string{"code_verifier"}, CodeInvalidGrant},
		{"AUT-027 another resource", []string{"resource=" + testResource}, CodeInvalidTarget},
		{"no code", []string{"code"}, CodeInvalidRequest},
		{"AUT-037 spelled otherwise", []string{"code=" + string(tampered)}, CodeInvalidGrant},
		{"AUT-037 a refresh token", []string{"code=" + v.fixture.login().RefreshToken}, CodeInvalidGrant},
		{"AUT-037 with a refresh token's prefix", []string{"grant_type=refresh_token", "refresh_token=" + authserver.RefreshTokenPrefix + code[len(CodePrefix):]}, CodeInvalidGrant},
		{"garbage", []string{"code=x"}, CodeInvalidGrant},
	} {
		_, err := v.post(redemption(code), tc.edits...)
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != tc.want {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.want)
		}
	}
	v.redeem(code)

	lax := v.code("client_id=lax&response_type=code")
	form := "grant_type=authorization_code&client_id=lax&client_secret=" + confSecret + "&code=" + lax
	_, err := v.post(form, "code_verifier="+verifier)
	wantCode(t, err, CodeInvalidGrant) // AUT-004
	if _, err := v.post(form); err != nil {
		t.Errorf("without a challenge and a redirect URI: %v", err)
	}
}

// AUT-005, AUT-018: whoever redeems a code again ends what it opened.
func TestACodeIsRedeemedOnce(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]func(f *fixture, r Response) Response{
		"at once": func(_ *fixture, r Response) Response { return r },
		"after two refreshes": func(f *fixture, r Response) Response {
			return f.rotate("native", f.rotate("native", r.RefreshToken).RefreshToken)
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := newFixture(t).visit()
			v.consent("native")
			code := v.code(nativeAsk)
			res := between(v.fixture, v.redeem(code))
			_, err := v.post(redemption(code))
			wantCode(t, err, CodeInvalidGrant)
			if !errors.Is(err, ErrReuse) {
				t.Errorf("got %v, want reuse", err)
			}
			if _, err := v.verifier.Verify(t.Context(), res.AccessToken); err == nil {
				t.Error("the access token is still good")
			}
			_, err = v.post(refreshForm("native", res.RefreshToken))
			wantCode(t, err, CodeInvalidGrant)
			if events, err := v.db.Events(t.Context(), authserver.Page{Limit: 3}); err != nil || !hasAct(events, "code.reuse_detected") {
				t.Errorf("the audit log has %v, %v", events, err)
			}
		})
	}
}

func hasAct(events []authserver.Event, act string) bool {
	for _, e := range events {
		if e.Act == act {
			return true
		}
	}
	return false
}

// AUT-016: of redemptions at the same time one wins, and then nobody.
func TestACodeIsRedeemedOnceInParallel(t *testing.T) {
	t.Parallel()
	v := newFixture(t).visit()
	v.consent("native")
	for range 8 {
		code := v.code(nativeAsk)
		var (
			won  []Response
			mu   sync.Mutex
			each sync.WaitGroup
		)
		for range 32 {
			each.Go(func() {
				if res, err := v.post(redemption(code)); err == nil {
					mu.Lock()
					won = append(won, res)
					mu.Unlock()
				}
			})
		}
		each.Wait()
		if len(won) != 1 {
			t.Fatalf("%d of 32 won", len(won))
		}
		if _, err := v.verifier.Verify(t.Context(), won[0].AccessToken); err == nil {
			t.Error("the winner's access token is still good")
		}
	}
}

// AUT-019, AUT-042, OUT-008: what ends between the answer and the redemption, or
// before a refresh, also of what the session store had lost and got back.
func TestWhatEndsACode(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		end  func(ctx context.Context, v visit) error
		want Code
	}{
		{"AUT-019 the user is disabled", func(ctx context.Context, v visit) error { return v.Users.Disable(ctx, v.login.Subject, "test") }, CodeInvalidGrant},
		{"AUT-019 the password is changed", func(ctx context.Context, v visit) error {
			return v.Users.SetPassword(ctx, v.login.Subject, "quite another one", "test")
		}, CodeInvalidGrant},
		{"AUT-019 the client is removed", func(ctx context.Context, v visit) error { return v.Clients.Remove(ctx, "native", "test") }, CodeInvalidClient},
		{"AUT-042 the consent is taken back", func(ctx context.Context, v visit) error {
			return v.db.Withdraw(ctx, v.login.Subject, "native", nil, authserver.Event{Act: "test"})
		}, CodeInvalidGrant},
		{"OUT-008 the browser logs out", func(ctx context.Context, v visit) error {
			return v.Endings.Logout(ctx, authserver.Asker{Subject: v.login.Subject, SessionID: v.login.Parent, ClientID: authserver.BrowserClientID})
		}, CodeInvalidGrant},
	} {
		for _, redeemed := range []bool{false, true} {
			t.Run(tc.name, func(t *testing.T) {
				v := newFixture(t).visit()
				v.consent("native")
				a := v.opened(nativeAsk, "")
				code := v.answer(a)
				form := redemption(code)
				if redeemed {
					form = refreshForm("native", v.redeem(code).RefreshToken)
				}
				sid := authserver.SessionIDText(a.Begun.SessionID)
				lost, err := v.Sessions.Session(t.Context(), sid)
				if err != nil {
					t.Fatal(err)
				}
				if err := v.Sessions.Drop(t.Context(), sid); err != nil {
					t.Fatal(err)
				}
				if err := tc.end(t.Context(), v); err != nil {
					t.Fatal(err)
				}
				if _, err := v.Sessions.Open(t.Context(), lost, 0); err != nil {
					t.Fatal(err)
				}
				_, err = v.post(form)
				wantCode(t, err, tc.want)
			})
		}
	}
}

// AUT-038: a redemption that the session store has lost.
func TestALostRedemptionIsRecovered(t *testing.T) {
	t.Parallel()
	v := newFixture(t).visit()
	v.consent("native")
	a := v.opened(nativeAsk, "")
	code := v.answer(a)
	sid := authserver.SessionIDText(a.Begun.SessionID)
	before, err := v.Sessions.Session(t.Context(), sid)
	if err != nil {
		t.Fatal(err)
	}
	res := v.redeem(code)
	if err := v.Sessions.Drop(t.Context(), sid); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Sessions.Open(t.Context(), before, 0); err != nil {
		t.Fatal(err)
	}
	again := v.rotate("native", res.RefreshToken)
	if c := v.claims(again.AccessToken); c.SessionID != sid {
		t.Errorf("session %s, want %s", c.SessionID, sid)
	}
	if events, err := v.db.Events(t.Context(), authserver.Page{Limit: 3}); err != nil || !hasAct(events, "refresh.recovered") {
		t.Errorf("the audit log has %v, %v", events, err)
	}
}

// AUT-039: an application that ends the others keeps itself and its browser's.
func TestAnApplicationKeepsItsBrowser(t *testing.T) {
	t.Parallel()
	v := newFixture(t).visit()
	v.consent("native")
	v.consent("web")
	mine, other := v.redeem(v.code(nativeAsk)), v.redeem(v.code(nativeAsk))
	elsewhere := v.fixture.login()
	if err := v.Endings.EndOthers(t.Context(), sessions.Of(v.claims(mine.AccessToken))); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Response{"another of the browser's": other, "another login": elsewhere} {
		if _, err := v.verifier.Verify(t.Context(), r.AccessToken); err == nil {
			t.Errorf("%s: its token is still good", name)
		}
	}
	v.rotate("native", mine.RefreshToken)
	v.redeem(v.code(nativeAsk)) // the browser session goes on
	again := v.rotate("native", mine.RefreshToken)
	if err := v.Endings.EndOthers(t.Context(), sessions.Of(v.claims(again.AccessToken))); err != nil {
		t.Fatal(err)
	}
	v.rotate("native", again.RefreshToken)
}

// AUT-025: the form sent twice has one answer, until that is used.
func TestARequestIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	v := newFixture(t).visit()
	v.consent("native")
	a := v.opened(nativeAsk, "")
	again := func() Authorization { return v.opened(nativeAsk, v.Tw(a)) }
	first, second := v.answer(a), v.answer(again())
	sid := v.claims(v.redeem(second).AccessToken).SessionID
	third := v.answer(again())
	if other := v.claims(v.redeem(third).AccessToken).SessionID; other == sid {
		t.Error("a request that was asked again has the session of before")
	}
	if _, err := v.post(redemption(first)); !errors.Is(err, ErrReuse) {
		t.Errorf("the first code is not the second: %v", err)
	}
	// Its session has ended since: the way begins afresh.
	if b := again(); b.Begun.SessionID == a.Begun.SessionID {
		t.Error("the way goes on to a session that has ended")
	}
}

// PAR-001 … 004
func TestPushedRequests(t *testing.T) {
	t.Parallel()
	v := newFixture(t).visit()
	v.consent("web")
	push := func(edits ...string) (string, error) {
		r := request(goodRequest, edits...)
		p, err := v.Push(r)
		return p.RequestURI, err
	}
	auth := "Basic web:" + confSecret
	uri, err := push(auth)
	if err != nil || !strings.HasPrefix(uri, "urn:ietf:params:oauth:request_uri:") {
		t.Fatalf("got %q, %v", uri, err)
	}
	for _, tc := range []struct {
		name  string
		edits []string
		want  Code
	}{
		{"PAR-001 without authentication", nil, CodeInvalidClient},
		{"PAR-001 with a wrong secret", []string{"Basic web:wrong"}, CodeInvalidClient},
		{"PAR-001 another's redirect URI", []string{auth, "redirect_uri=https://evil.test/"}, CodeInvalidRequest},
		{"PAR-001 an unknown scope", []string{auth, "scope=root"}, CodeInvalidScope},
		{"PAR-001 without PKCE", []string{auth, "code_challenge", "code_challenge_method"}, CodeInvalidRequest},
		{"PAR-003 a request_uri inside", []string{auth, "request_uri=" + uri}, CodeInvalidRequest},
		{"too long", []string{auth, "state=" + strings.Repeat("s", 5<<10)}, CodeTooLarge},
	} {
		_, err := push(tc.edits...)
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != tc.want {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.want)
		}
	}

	address := url.Values{"client_id": {"web"}, "request_uri": {uri}}.Encode()
	refused := func(name, form, tw string) {
		t.Helper()
		if _, err := v.authorize(form, tw); !errors.Is(err, ErrRequestURI) {
			t.Errorf("%s: got %v, want %v", name, err, ErrRequestURI)
		}
	}
	refused("PAR-002 another client's", url.Values{"client_id": {"native"}, "request_uri": {uri}}.Encode(), "")
	refused("changed", url.Values{"client_id": {"web"}, "request_uri": {uri[:len(uri)-4] + "AAAA"}}.Encode(), "")
	for range 2 { // opening it spends nothing
		if _, err := v.authorize(address, ""); err != nil {
			t.Fatal(err)
		}
	}
	a, err := v.authorize(address, "")
	if err != nil || a.Request.State != "s %é\"" {
		t.Fatalf("got %+v, %v", a.Request, err)
	}
	code := v.answer(a)
	res := v.redeem(code, "client_id", "Basic web:"+confSecret, "redirect_uri="+webCB)
	if _, err := v.Answer(t.Context(), a, v.login); !errors.Is(err, ErrRequestURI) {
		t.Errorf("PAR-002 answered again: %v", err)
	}
	if err := v.Endings.Logout(t.Context(), sessions.Of(v.claims(res.AccessToken))); err != nil {
		t.Fatal(err)
	}
	refused("PAR-002 after its session has ended", address, "")
}

func TestChallengeOfTheTests(t *testing.T) {
	sum := sha256.Sum256([]byte(verifier))
	if !strings.Contains(goodRequest, base64.RawURLEncoding.EncodeToString(sum[:])) {
		t.Error("the challenge is not the verifier's")
	}
}
