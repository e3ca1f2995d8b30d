package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sessions"
)

func tokenForm(client, token string, edits ...string) *http.Request {
	form := url.Values{"token": {token}, "client_id": {client}}
	switch client {
	case "conf", "other", "nopw", "rs1", "rs2":
		form.Set("client_secret", confSecret)
	}
	return request(form.Encode(), edits...)
}

// introspect returns the answer as it goes over the wire.
func (f *fixture) introspect(client, token string, edits ...string) string {
	f.t.Helper()
	res, err := f.Introspect(tokenForm(client, token, edits...))
	if err != nil {
		f.t.Fatalf("introspect as %s: %v", client, err)
	}
	b, err := json.Marshal(res)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(b)
}

const inactive = `{"active":false}`

// INT-003 … 007, INT-010: who is told what.
func TestIntrospect(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	secret := "client_secret=" + confSecret
	login := f.login("client_id=conf", secret)
	elsewhere := f.login("client_id=conf", secret, "resource="+testResource)
	own, err := f.post(clientForm)
	if err != nil {
		t.Fatal(err)
	}
	gone := f.login()
	if err := f.Endings.Logout(ctx, sessions.Of(f.claims(gone.AccessToken))); err != nil {
		t.Fatal(err)
	}
	rotated := f.login("client_id=conf", secret)
	current := f.rotate("conf", rotated.RefreshToken, secret)

	for _, tc := range []struct {
		name, client, token string
		edits               []string
		active              bool
	}{
		{"INT-003 by whom the token is for", "rs1", login.AccessToken, nil, true},
		{"a client's own token", "rs1", own.AccessToken, nil, true},
		{"INT-005 with a wrong hint", "rs1", login.AccessToken, []string{"token_type_hint=refresh_token"}, true},
		{"INT-006 with an unknown hint", "rs1", login.AccessToken, []string{"token_type_hint=x"}, true},
		{"by the client that has it", "conf", login.AccessToken, nil, true},
		{"by another client", "other", login.AccessToken, nil, false},
		{"INT-007 by whom it is not for", "rs2", login.AccessToken, nil, false},
		{"a token for another resource", "rs2", elsewhere.AccessToken, nil, true},
		{"and not for this", "rs1", elsewhere.AccessToken, nil, false},
		{"INT-004 of an ended session", "rs1", gone.AccessToken, nil, false},
		{"INT-004 a forged token", "rs1", login.AccessToken[:len(login.AccessToken)-4] + "AAAA", nil, false},
		{"INT-004 garbage", "rs1", "garbage", nil, false},
		{"INT-010 a refresh token, by its client", "conf", login.RefreshToken, nil, true},
		{"INT-010 a refresh token, by a resource server", "rs1", login.RefreshToken, nil, false},
		{"a refresh token, by another client", "other", login.RefreshToken, nil, false},
		{"a refresh token that has been rotated", "conf", rotated.RefreshToken, nil, false},
		{"its successor", "conf", current.RefreshToken, nil, true},
		{"garbage that looks like a refresh token", "conf", "twr_garbage", nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := f.introspect(tc.client, tc.token, tc.edits...)
			if tc.active != strings.HasPrefix(got, `{"active":true,`) || !tc.active && got != inactive {
				t.Errorf("got %s", got)
			}
		})
	}

	res, err := f.Introspect(tokenForm("rs1", login.AccessToken))
	if err != nil {
		t.Fatal(err)
	}
	c := f.claims(login.AccessToken)
	want := Introspection{
		Active: true, Scope: "read write profile", ClientID: "conf", Username: "alice", TokenType: "Bearer",
		ExpiresAt: c.ExpiresAt, IssuedAt: c.IssuedAt, Subject: c.Subject, Audience: []string{testAudience},
		Issuer: testIssuer, ID: c.ID, SessionID: c.SessionID, Roles: []string{"user"}, UserID: c.UserID,
	}
	if diff := cmp.Diff(want, res); diff != "" {
		t.Errorf("-want +got: %s", diff)
	}
}

// INT-001, INT-002, CLI-014, REV-004, REV-005: what is asked of who asks.
func TestWhoMayAskAboutTokens(t *testing.T) {
	f := newFixture(t)
	res := f.login()
	for _, tc := range []struct {
		name   string
		client string
		edits  []string
		want   Code
		public bool // whether a public client's revocation is another matter
	}{
		{"INT-001 no client", "", nil, CodeInvalidClient, false},
		{"CLI-014 a confidential client without its secret", "rs1", []string{"client_secret"}, CodeInvalidClient, false},
		{"REV-005 with a wrong one", "rs1", []string{"client_secret=wrong"}, CodeInvalidClient, false},
		{"an unknown client", "nobody", nil, CodeInvalidClient, false},
		{"INT-002 no token", "rs1", []string{"token"}, CodeInvalidRequest, false},
		{"token twice", "rs1", []string{"+token=x"}, CodeInvalidRequest, false},
		{"a public client", "reader", nil, CodeInvalidClient, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := f.Introspect(tokenForm(tc.client, res.AccessToken, tc.edits...))
			wantCode(t, err, tc.want)
			if !tc.public {
				wantCode(t, f.Revoke(tokenForm(tc.client, res.AccessToken, tc.edits...)), tc.want)
			}
		})
	}
	f.wantAccess(res.AccessToken, true)
	for basic, want := range map[string]Code{ // RSV-041
		"":                         CodeInvalidClient,
		"Basic pub:":               CodeInvalidClient,
		"Basic rs1:wrong":          CodeInvalidClient,
		"Basic conf:" + confSecret: CodeAccessDenied,
	} {
		_, err := f.Follower(request("", basic))
		wantCode(t, err, want)
	}
	if c, err := f.Follower(request("", "Basic rs1:"+confSecret)); err != nil || c.ID != "rs1" {
		t.Errorf("rs1 may not follow: %v", err)
	}
	for resource, want := range map[string]Code{testAudience: "", testResource: CodeAccessDenied, "": CodeAccessDenied} {
		r := request("", "Basic rs1:"+confSecret)
		r.URL.RawQuery = url.Values{"resource": {resource}}.Encode()
		_, err := f.Follower(r)
		if want == "" && err != nil {
			t.Errorf("rs1 may not follow for %s: %v", resource, err)
		} else if want != "" {
			wantCode(t, err, want)
		}
	}
}

// REV-001 … 003, REV-006 … 008, REV-012, REV-014: what ends, and what does not.
func TestRevoke(t *testing.T) {
	secret := "client_secret=" + confSecret
	for _, tc := range []struct {
		name string
		// token of a session of conf's, with its first two refresh tokens
		token   func(first, second Response) string
		client  string
		edits   []string
		want    Code
		access  bool // whether the second access token goes on
		session bool // whether the second refresh token does
	}{
		{"REV-001, REV-002 the current refresh token", func(_, s Response) string { return s.RefreshToken }, "conf", nil, "", false, false},
		{"REV-014 an older refresh token", func(f, _ Response) string { return f.RefreshToken }, "conf", nil, "", false, false},
		{"REV-007 with a wrong hint", func(_, s Response) string { return s.RefreshToken }, "conf", []string{"token_type_hint=access_token"}, "", false, false},
		{"REV-008 the access token", func(_, s Response) string { return s.AccessToken }, "conf", nil, "", false, true},
		{"REV-008 another access token", func(f, _ Response) string { return f.AccessToken }, "conf", nil, "", true, true},
		{"REV-006 another client's refresh token", func(_, s Response) string { return s.RefreshToken }, "other", nil, CodeInvalidGrant, true, true},
		{"REV-006 another client's access token", func(_, s Response) string { return s.AccessToken }, "other", nil, CodeInvalidGrant, true, true},
		{"REV-006 by a public client", func(_, s Response) string { return s.RefreshToken }, "pub", nil, CodeInvalidGrant, true, true},
		{"REV-003 garbage", func(_, _ Response) string { return "garbage" }, "conf", nil, "", true, true},
		{"REV-003 what looks like a refresh token", func(_, s Response) string { return s.RefreshToken + "A" }, "conf", nil, "", true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t)
			first := f.login("client_id=conf", secret)
			second := f.rotate("conf", first.RefreshToken, secret)
			for range 2 { // REV-003: again is no error
				err := f.Revoke(tokenForm(tc.client, tc.token(first, second), tc.edits...))
				if tc.want != "" {
					wantCode(t, err, tc.want)
				} else if err != nil {
					t.Error(err)
				}
			}
			f.wantAccess(second.AccessToken, tc.access)
			if active := f.introspect("rs1", second.AccessToken) != inactive; active != tc.access {
				t.Errorf("INT-014 introspection says active: %v", active)
			}
			_, err := f.post(refreshForm("conf", second.RefreshToken), secret)
			if alive := err == nil; alive != tc.session {
				t.Errorf("the session: %v, want it alive: %v", err, tc.session)
			}
		})
	}
}

// REV-012: a public client ends its own session.
func TestAPublicClientRevokes(t *testing.T) {
	f := newFixture(t)
	res := f.login()
	if err := f.Revoke(tokenForm("pub", res.RefreshToken)); err != nil {
		t.Fatal(err)
	}
	f.wantAccess(res.AccessToken, false)
}

// A session that the session store has lost ends too: it may come back.
func TestRevokingASessionThatTheStoreHasLost(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	res := f.login()
	session, err := f.db.Session(ctx, f.claims(res.AccessToken).SessionID)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.db.Drop(ctx, session.ID); err != nil {
		t.Fatal(err)
	}
	if err := f.Revoke(tokenForm("pub", res.RefreshToken)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.db.Open(ctx, session, 0); err != nil {
		t.Fatal(err)
	}
	_, err = f.post(refreshForm("pub", res.RefreshToken))
	wantCode(t, err, CodeInvalidGrant)
}

// An entry says for whom it matters, and nothing that is a secret.
func TestEntriesNameTheirResources(t *testing.T) {
	f := newFixture(t)
	secret := "client_secret=" + confSecret
	res := f.login("client_id=conf", secret, "resource="+testResource)
	if err := f.Revoke(tokenForm("conf", res.RefreshToken)); err != nil {
		t.Fatal(err)
	}
	entries, _, err := f.db.Revocations(context.Background(), 0)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	if diff := cmp.Diff([]string{testResource}, entries[0].Resources); diff != "" {
		t.Error(diff)
	}
	b, _ := json.Marshal(entries)
	if bytes.Contains(b, []byte(res.RefreshToken[10:])) {
		t.Error("the token is in the entry")
	}
}

// INT-008, REV-011: tokens that are tried out give no oracle: all are answered
// alike, and none but a right MAC or signature leads to a store.
func TestTokensThatAreTriedOut(t *testing.T) {
	f := newFixture(t)
	res := f.login()
	_, signed, _ := strings.Cut(res.AccessToken, ".")
	for _, token := range []string{
		"x", strings.Repeat("A", 1000), "twr_" + strings.Repeat("A", 123),
		res.RefreshToken[:len(res.RefreshToken)-2] + "AA", "eyJhbGciOiJub25lIn0." + signed,
	} {
		if got := f.introspect("rs1", token); got != inactive {
			t.Errorf("%.20s: introspected as %s", token, got)
		}
		if err := f.Revoke(tokenForm("conf", token)); err != nil {
			t.Errorf("%.20s: revoked with %v", token, err)
		}
	}
	if entries, _, err := f.db.Revocations(context.Background(), 0); err != nil || len(entries) != 0 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

// REV-009: what could not be ended is not said to be.
func TestRevokeWithoutAStore(t *testing.T) {
	f := newFixture(t)
	res := f.login()
	if err := f.db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{res.RefreshToken, res.AccessToken} {
		err := f.Revoke(tokenForm("pub", token))
		wantCode(t, err, CodeUnavailable)
		if e, ok := errors.AsType[*Error](err); !ok || e.RetryAfter <= 0 || e.Status() != 503 {
			t.Errorf("got %+v", e)
		}
	}
}

// MET-007, MET-008, MET-010: what is not there is not announced.
func TestMetadataAnnouncesNothingThatIsNotThere(t *testing.T) {
	f := newFixture(t)
	var members map[string]any
	if err := json.Unmarshal(f.Metadata(), &members); err != nil {
		t.Fatal(err)
	}
	for name := range members {
		for _, part := range []string{"registration", "device_", "backchannel_authentication"} {
			if strings.Contains(name, part) {
				t.Errorf("it has %s", name)
			}
		}
	}
}

// What a follower was taken for is looked at again while it follows.
func TestStillFollows(t *testing.T) {
	for name, change := range map[string]func(f *fixture, c *authserver.Client){
		"the secret is rotated": func(f *fixture, c *authserver.Client) {
			c.SecretHash = f.Master.HashClientSecret("another secret 0123456789")
		},
		"it may not introspect": func(_ *fixture, c *authserver.Client) { c.Introspect = false },
		"it serves less":        func(_ *fixture, c *authserver.Client) { c.Serves = nil },
		"it serves more":        func(_ *fixture, c *authserver.Client) { c.Serves = append(c.Serves, testResource) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			c, err := f.db.Client(t.Context(), "rs1")
			if err != nil {
				t.Fatal(err)
			}
			if !f.StillFollows(t.Context(), c) {
				t.Fatal("it does not follow as it is")
			}
			changed := c
			change(f, &changed)
			if err := f.db.ReplaceClient(t.Context(), changed, authserver.Event{Act: "test"}); err != nil {
				t.Fatal(err)
			}
			if f.StillFollows(t.Context(), c) {
				t.Error("it goes on")
			}
		})
	}
	t.Run("it is removed", func(t *testing.T) {
		f := newFixture(t)
		c, err := f.db.Client(t.Context(), "rs1")
		if err != nil {
			t.Fatal(err)
		}
		if err := f.db.RemoveClient(t.Context(), "rs1", authserver.Event{Act: "test"}); err != nil {
			t.Fatal(err)
		}
		if f.StillFollows(t.Context(), c) {
			t.Error("it goes on")
		}
	})
}
