package oauth

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
)

// The specification of the token endpoint: each row is one deviation from a
// request that succeeds.
func TestToken(t *testing.T) {
	f := newFixture(t)
	const conf = "client_id=conf"
	secret := "client_secret=" + confSecret
	for _, tc := range []struct {
		name   string
		form   string
		edits  []string
		want   Code // empty: it succeeds
		hashed bool // whether a password may have been looked at
	}{
		{"PWD-001 a login", passwordForm, nil, "", true},
		{"PWD-001 by a confidential client", passwordForm, []string{conf, secret}, "", true},
		{"TOK-008 an empty scope is as none", passwordForm, []string{"scope="}, "", true},
		{"TOK-009 an unknown parameter is ignored", passwordForm, []string{"foo=bar"}, "", true},
		{"TOK-018 a scope that may be had", passwordForm, []string{"scope=read"}, "", true},
		{"TOK-002 an empty body", "", nil, CodeInvalidRequest, false},
		{"TOK-005 grant_type twice", passwordForm, []string{"+grant_type=password"}, CodeInvalidRequest, false},
		{"TOK-006 username twice", passwordForm, []string{"+username=root"}, CodeInvalidRequest, false},
		{"TOK-007 scope twice", passwordForm, []string{"scope=read", "+scope=read"}, CodeInvalidRequest, false},
		{"TOK-007 client_id twice", passwordForm, []string{"+client_id=pub"}, CodeInvalidRequest, false},
		{"TOK-010 no grant_type", passwordForm, []string{"grant_type"}, CodeInvalidRequest, false},
		{"TOK-011 an unknown grant_type", passwordForm, []string{"grant_type=urn:example:unknown"}, CodeUnsupportedGrantType, false},
		{"a grant type that we have not", passwordForm, []string{"grant_type=urn:ietf:params:oauth:grant-type:device_code"}, CodeUnsupportedGrantType, false},
		{"TOK-012 a grant that the client has not", passwordForm, []string{"client_id=nopw", secret}, CodeUnauthorizedClient, false},
		{"TOK-013 no username", passwordForm, []string{"username"}, CodeInvalidRequest, false},
		{"TOK-013 no password", passwordForm, []string{"password="}, CodeInvalidRequest, false},
		{"TOK-019 a wider scope than the client's", passwordForm, []string{"client_id=reader", "scope=read write"}, CodeInvalidScope, true},
		{"PWD-021 a scope that the roles do not allow", passwordForm, []string{"scope=admin"}, CodeInvalidScope, true},
		{"TOK-020 a quote in the scope", passwordForm, []string{`scope=read"x`}, CodeInvalidScope, false},
		{"TOK-020 a backslash in the scope", passwordForm, []string{`scope=re\ad`}, CodeInvalidScope, false},
		{"TOK-020 a scope that is not ASCII", passwordForm, []string{"scope=réad"}, CodeInvalidScope, false},
		{"a scope of over 1 KiB", passwordForm, []string{"scope=" + strings.Repeat("a", 1025)}, CodeInvalidScope, false},
		{"PWD-022 a resource of the client's", passwordForm, []string{conf, secret, "resource=" + testResource}, "", true},
		{"TOK-007 two resources", passwordForm, []string{conf, secret, "resource=" + testResource, "+resource=" + testAudience}, "", true},
		{"PWD-022 an unknown resource", passwordForm, []string{conf, secret, "resource=https://evil.test"}, CodeInvalidTarget, false},
		{"a resource of another client", passwordForm, []string{"resource=" + testResource}, CodeInvalidTarget, false},
		{"a resource with a fragment", passwordForm, []string{"resource=" + testAudience + "#"}, CodeInvalidTarget, false},
		{"PWD-002 a wrong password", passwordForm, []string{"password=wrong"}, CodeInvalidGrant, true},
		{"PWD-003 an unknown user", passwordForm, []string{"username=nobody"}, CodeInvalidGrant, true},
		{"PWD-006 a trailing space", passwordForm, []string{"password=correct horse alice "}, CodeInvalidGrant, true},
		{"PWD-006 another case", passwordForm, []string{"password=Correct horse alice"}, CodeInvalidGrant, true},
		{"PWD-008 a wrong secret", passwordForm, []string{conf, "client_secret=wrong"}, CodeInvalidClient, false},
		{"PWD-008 a wrong secret and a wrong password", passwordForm, []string{conf, "client_secret=wrong", "password=wrong"}, CodeInvalidClient, false},
		{"CLI-007 an unknown client", passwordForm, []string{"client_id=nobody"}, CodeInvalidClient, false},
		{"the built-in client", passwordForm, []string{"client_id=" + authserver.FirstPartyClientID}, CodeInvalidClient, false},
		{"CLI-008 no client", passwordForm, []string{"client_id"}, CodeInvalidClient, false},
		{"CLI-008 a confidential client without its secret", passwordForm, []string{conf}, CodeInvalidClient, false},
		{"CLI-001 Basic", passwordForm, []string{"client_id", "Basic conf:" + confSecret}, "", true},
		{"CLI-003 a secret in the body", clientForm, nil, "", false},
		{"Basic and the same client_id", clientForm, []string{"client_secret", "Basic conf:" + confSecret}, "", false},
		{"CLI-004 Basic and a secret in the body", clientForm, []string{"Basic conf:" + confSecret}, CodeInvalidRequest, false},
		{"CLI-005 Basic and another client_id", clientForm, []string{"client_secret", "client_id=other", "Basic conf:" + confSecret}, CodeInvalidRequest, false},
		{"CLI-006 Basic with a wrong secret", clientForm, []string{"client_id", "client_secret", "Basic conf:wrong"}, CodeInvalidClient, false},
		{"Basic without a colon", clientForm, []string{"client_id", "client_secret", "Basic conf"}, CodeInvalidClient, false},
		{"Basic that is not form-encoded", clientForm, []string{"client_id", "client_secret", "Basic conf:%zz"}, CodeInvalidClient, false},
		{"Basic without an id", clientForm, []string{"client_id", "client_secret", "Basic :" + confSecret}, CodeInvalidClient, false},
		{"CLI-011 a public client with a secret", passwordForm, []string{"client_secret=anything"}, CodeInvalidClient, false},
		{"CLI-011 a public client with a secret in Basic", passwordForm, []string{"Basic pub:anything"}, CodeInvalidClient, false},
		{"CLI-011 Basic with an empty secret is none", passwordForm, []string{"Basic pub:"}, "", true},
		{"CCG-001 a client's own token", clientForm, nil, "", false},
		{"CCG-003 a public client's own", clientForm, []string{"client_id=pub", "client_secret"}, CodeUnauthorizedClient, false},
		{"a client's own with a wider scope", clientForm, []string{"scope=read other"}, CodeInvalidScope, false},
		{"REF-002 a refresh without a token", passwordForm, []string{"grant_type=refresh_token"}, CodeInvalidRequest, false},
		{"REF-003 a refresh with garbage", refreshForm("pub", "twr_garbage"), nil, CodeInvalidGrant, false},
		{"REF-003 garbage of a client that did not authenticate", refreshForm("conf", "twr_garbage"), nil, CodeInvalidClient, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := f.hasher.Stats().Computed
			res, err := f.post(tc.form, tc.edits...)
			if tc.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if res.AccessToken == "" || res.ExpiresIn != 1800 || res.TokenType != "Bearer" {
					t.Errorf("got %+v", res)
				}
			} else {
				wantCode(t, err, tc.want)
			}
			if got := f.hasher.Stats().Computed > before; got != tc.hashed {
				t.Errorf("password looked at: %v, want %v", got, tc.hashed)
			}
		})
	}
}

func TestFormsThatAreRefused(t *testing.T) {
	f := newFixture(t)
	for _, tc := range []struct {
		name, media, body string
		want              Code
	}{
		{"TOK-004 JSON", "application/json", `{"grant_type":"password"}`, CodeInvalidRequest},
		{"multipart", "multipart/form-data; boundary=x", "--x--", CodeInvalidRequest},
		{"no media type", "", passwordForm, CodeInvalidRequest},
		{"TOK-024 a bad percent-encoding", "application/x-www-form-urlencoded", passwordForm + "&x=%zz", CodeInvalidRequest},
		{"TOK-024 a value that is not UTF-8", "application/x-www-form-urlencoded", passwordForm + "&x=%ff", CodeInvalidRequest},
		{"TOK-024 a name that is not UTF-8", "application/x-www-form-urlencoded", passwordForm + "&%ff=x", CodeInvalidRequest},
		{"17 resources", "application/x-www-form-urlencoded", passwordForm + strings.Repeat("&resource="+url.QueryEscape(testAudience), 17), CodeInvalidTarget},
		{"TOK-022 a body of 1 MiB", "application/x-www-form-urlencoded", passwordForm + strings.Repeat("x", 1<<20), CodeTooLarge},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", PathToken, strings.NewReader(tc.body))
			if tc.media != "" {
				r.Header.Set("Content-Type", tc.media)
			}
			_, err := f.Token(r)
			wantCode(t, err, tc.want)
		})
	}
	if n := f.hasher.Stats().Computed; n > 4 { // what the fixture registered, and the dummy
		t.Errorf("%d hashes were computed", n)
	}
}

// TOK-002, TOK-003, REF-028: the query is never read.
func TestTheQueryIsNeverRead(t *testing.T) {
	f := newFixture(t)
	token := f.login().RefreshToken
	for _, tc := range []struct {
		name, query, body string
		want              Code
	}{
		{"TOK-002 all of a login", passwordForm, "", CodeInvalidRequest},
		{"TOK-003 the client's credentials", "client_id=conf&client_secret=" + confSecret, "grant_type=client_credentials", CodeInvalidClient},
		{"REF-028 the refresh token", "refresh_token=" + url.QueryEscape(token), "grant_type=refresh_token&client_id=pub", CodeInvalidRequest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := request(tc.body)
			r.URL.RawQuery = tc.query
			_, err := f.Token(r)
			wantCode(t, err, tc.want)
		})
	}
	f.rotate("pub", token)
}

// TOK-023: names and passwords are UTF-8, and + is a space.
func TestPasswordsAreUTF8(t *testing.T) {
	f := newFixture(t)
	if _, err := f.post("grant_type=password&client_id=pub&username=kaese&password=correct+horse+k%C3%A4se"); err != nil {
		t.Error(err)
	}
}

// CLI-002: both halves of Basic are form-encoded.
func TestBasicIsFormEncoded(t *testing.T) {
	for value, want := range map[string]credentials{
		"a%3Ab:c%3Ad":      {"a:b", "c:d"},
		"k%C3%A4se:p%2B+q": {"käse", "p+ q"},
		"id:a:b":           {"id", "a:b"},
	} {
		got, err := clientCredentials(request("", "Basic "+value), nil)
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v; want %v", value, got, err, want)
		}
	}
}

// TOK-014 … 017, JWT-003 … 007: what a login's answer and its token say.
func TestWhatALoginGets(t *testing.T) {
	f := newFixture(t)
	res := f.login("scope=read profile")
	c := f.claims(res.AccessToken)
	if res.Scope != "read profile" || c.Scope != res.Scope { // TOK-018, JWT-006
		t.Errorf("scope is %q in the answer, %q in the token", res.Scope, c.Scope)
	}
	if c.ExpiresAt-c.IssuedAt != res.ExpiresIn { // TOK-016
		t.Errorf("expires_in is %d, the token's life %d", res.ExpiresIn, c.ExpiresAt-c.IssuedAt)
	}
	if !slices.Equal(c.Audience, []string{testAudience}) || c.Issuer != testIssuer || c.ClientID != "pub" { // JWT-004, JWT-005
		t.Errorf("got %+v", c)
	}
	if c.Username != "alice" || c.UserID == 0 || c.Name != "Full alice" || !slices.Equal(c.Roles, []string{"user"}) || c.SessionID == "" {
		t.Errorf("got %+v", c)
	}
	if _, ok := authserver.ParseSubject(c.Subject); !ok {
		t.Errorf("sub %q is no UUID", c.Subject)
	}
	if c := f.claims(f.login("scope=read").AccessToken); c.Name != "" { // JWT-007
		t.Errorf("name %q without scope profile", c.Name)
	}
	if res := f.login(); res.Scope != "read write profile" {
		t.Errorf("default scope is %q", res.Scope)
	}
	if res := f.login("username=root", "password=correct horse root"); res.Scope != "read write admin profile" {
		t.Errorf("an admin's default scope is %q", res.Scope)
	}
}

// PWD-020, JWT-008: two logins are two sessions, in the same second too.
func TestTwoLoginsAreTwoSessions(t *testing.T) {
	f := newFixture(t)
	one, two := f.login(), f.login()
	a, b := f.claims(one.AccessToken), f.claims(two.AccessToken)
	if a.SessionID == b.SessionID || a.ID == b.ID || one.AccessToken == two.AccessToken {
		t.Error("they share something")
	}
	f.rotate("pub", one.RefreshToken)
	f.rotate("pub", two.RefreshToken)
}

// CCG-001, CCG-002: a client's own token.
func TestWhatAClientGetsForItself(t *testing.T) {
	f := newFixture(t)
	res, err := f.post(clientForm)
	if err != nil {
		t.Fatal(err)
	}
	c := f.claims(res.AccessToken)
	if c.Subject != "conf" || c.ClientID != "conf" || c.OfUser() || res.RefreshToken != "" {
		t.Errorf("got %+v, refresh token %q", c, res.RefreshToken)
	}
	_, total, err := f.db.Sessions(context.Background(), "conf", authserver.Page{})
	if err != nil || total != 0 {
		t.Errorf("%d sessions, %v", total, err)
	}
}

// A client without the refresh grant: no refresh token, and a session as long
// as the access token.
func TestALoginWithoutRefreshToken(t *testing.T) {
	f := newFixture(t)
	res := f.login("client_id=norefresh")
	if res.RefreshToken != "" {
		t.Error("there is a refresh token")
	}
	c := f.claims(res.AccessToken)
	s, err := f.db.Session(context.Background(), c.SessionID)
	if err != nil {
		t.Fatal(err)
	}
	if d := s.Deadline.Unix() - c.ExpiresAt; d < 0 || d > 1 {
		t.Errorf("the session ends %d s after the token", d)
	}
}

// TOK-021, CLI-006, CLI-007, CLI-009, PWD-002, PWD-003: what a refusal looks like.
func TestRefusalsOnTheWire(t *testing.T) {
	f := newFixture(t)
	answer := func(form string, edits ...string) *httptest.ResponseRecorder {
		_, err := f.post(form, edits...)
		w := httptest.NewRecorder()
		AsError(err).WriteTo(w)
		return w
	}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"invalid_client":   answer(clientForm, "client_secret=wrong"),
		"invalid_grant":    answer(passwordForm, "password=wrong"),
		"invalid_request":  answer(passwordForm, "username"),
		"invalid_scope":    answer(passwordForm, "scope=re\"ad"),
		"invalid_target":   answer(passwordForm, "resource=nowhere"),
		"unsupported":      answer(passwordForm, "grant_type=x"),
		"unauthorized":     answer(passwordForm, "client_id=nopw", "client_secret="+confSecret),
		"unknown client":   answer(clientForm, "client_id=nobody"),
		"refresh: garbage": answer(refreshForm("pub", "x")),
	} {
		var body map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, text := range []string{body["error"], body["error_description"]} {
			for _, c := range text {
				if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
					t.Errorf("%s: %q is in %q", name, c, text)
				}
			}
		}
		h := w.Header()
		if h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "no-store" || h.Get("Pragma") != "no-cache" { // TOK-015
			t.Errorf("%s: headers are %v", name, h)
		}
		if challenged := h.Get("WWW-Authenticate") != ""; challenged != (w.Code == 401) {
			t.Errorf("%s: challenge with status %d: %v", name, w.Code, challenged)
		}
	}
	for name, pair := range map[string][2]*httptest.ResponseRecorder{
		"CLI-007": {answer(clientForm, "client_secret=wrong"), answer(clientForm, "client_id=nobody")},
		"PWD-003": {answer(passwordForm, "password=wrong"), answer(passwordForm, "username=nobody")},
	} {
		if pair[0].Body.String() != pair[1].Body.String() || pair[0].Code != pair[1].Code {
			t.Errorf("%s: %s and %s", name, pair[0].Body, pair[1].Body)
		}
	}
}
