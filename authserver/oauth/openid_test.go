package oauth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tokenwright/tokenwright/authserver"
)

const openidAsk = "client_id=rp&redirect_uri=https%3A%2F%2Frp.test%2Fcb&response_type=code&scope=openid+profile+roles&nonce=n-0S6&state=s" +
	"&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"

func (v visit) redeemOpenID(code string) Response {
	v.t.Helper()
	res, err := v.post(redemption(code), "client_id", "Basic rp:"+confSecret, "redirect_uri=https://rp.test/cb")
	if err != nil {
		v.t.Fatal(err)
	}
	return res
}

// idToken checks an ID token as a client does, by the published keys.
func (f *fixture) idTokenClaims(token, algorithm string) map[string]any {
	f.t.Helper()
	var c jwt.MapClaims
	parsed, err := jwt.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		k, err := f.Ring.Key(f.t.Context(), t.Header["kid"].(string))
		return k.Public, err
	}, jwt.WithValidMethods([]string{algorithm}), jwt.WithIssuer(testIssuer), jwt.WithAudience("rp"))
	if err != nil || parsed.Header["typ"] != "JWT" || !strings.Contains(string(f.Ring.JWKS()), parsed.Header["kid"].(string)) {
		f.t.Fatalf("ID token: %v, header %v", err, parsed.Header)
	}
	return c
}

func TestOpenID(t *testing.T) {
	t.Parallel()
	v := newFixture(t, func(d *Deps) { d.Settings.IDTokenAlgorithm = "RS256" }).visit()
	res := v.redeemOpenID(v.code(openidAsk + "&claims=" + url.QueryEscape(`{"userinfo":{"email":null}}`)))
	c := v.idTokenClaims(res.IDToken, "RS256")
	access := v.claims(res.AccessToken)
	if c["nonce"] != "n-0S6" || c["sub"] != v.login.Subject || c["sid"] != access.SessionID || c["auth_time"] != float64(v.login.AuthTime.Unix()) ||
		c["acr"] != "aal1" || c["preferred_username"] != "alice" || c["azp"] != nil || c["email"] != nil {
		t.Errorf("OID-001: %v", c)
	}
	if _, err := v.verifier.Verify(t.Context(), res.IDToken); err == nil {
		t.Error("OID-001: the API takes an ID token")
	}
	about, err := v.UserInfo(t.Context(), access)
	if err != nil || about["sub"] != v.login.Subject || about["name"] != "Full alice" || about["email"] == nil || about["roles"] == nil {
		t.Errorf("OID-003, OID-005: userinfo %v, %v", about, err)
	}

	again, err := v.post(refreshForm("rp", res.RefreshToken), "client_id", "Basic rp:"+confSecret)
	if err != nil {
		t.Fatal(err)
	}
	r := v.idTokenClaims(again.IDToken, "RS256")
	if r["nonce"] != nil || r["auth_time"] != c["auth_time"] || r["sub"] != c["sub"] || r["sid"] != c["sid"] {
		t.Errorf("OID-002: %v", r)
	}

	t.Run("OID-006 a hint", func(t *testing.T) {
		a, err := v.authorize(openidAsk+"&prompt=none&id_token_hint="+res.IDToken, "")
		if err != nil || a.Request.Subject != v.login.Subject {
			t.Errorf("got %q, %v", a.Request.Subject, err)
		}
		parts := strings.Split(res.IDToken, ".")
		none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
		for name, bad := range map[string]string{"changed": parts[0] + "." + parts[1] + ".AAAA", "none": none, "an access token": res.AccessToken, "garbage": "x"} {
			_, err := v.authorize(openidAsk+"&id_token_hint="+bad, "")
			if refusal, ok := errors.AsType[*Refusal](err); !ok || refusal.Answer == nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := v.EndSession(t.Context(), url.Values{"id_token_hint": {bad}}); !errors.Is(err, ErrLogoutHint) {
				t.Errorf("OUT-002: %s: %v", name, err)
			}
		}
	})
	t.Run("OUT-001, OUT-002 where a logout leads", func(t *testing.T) {
		for name, tc := range map[string]struct {
			query  string
			target string
			want   error
		}{
			"registered":           {"id_token_hint=" + res.IDToken + "&post_logout_redirect_uri=https://rp.test/bye?x=1&state=a b", "https://rp.test/bye?x=1&state=a+b", nil},
			"by the client's id":   {"client_id=rp&post_logout_redirect_uri=https://rp.test/bye?x=1", "https://rp.test/bye?x=1", nil},
			"nowhere":              {"state=s", "", nil},
			"not registered":       {"id_token_hint=" + res.IDToken + "&post_logout_redirect_uri=https://rp.test/bye", "", ErrPostLogoutAddress},
			"with a query added":   {"client_id=rp&post_logout_redirect_uri=https://rp.test/bye?x=1%26y=2", "", ErrPostLogoutAddress},
			"nobody's":             {"post_logout_redirect_uri=https://rp.test/bye?x=1", "", ErrPostLogoutAddress},
			"another client's":     {"client_id=web&id_token_hint=" + res.IDToken, "", ErrLogoutClient},
			"an unknown client's":  {"client_id=nobody", "", ErrLogoutClient},
			"a parameter repeated": {"state=a&state=b", "", ErrLogoutTwice},
		} {
			query, _ := url.ParseQuery(strings.ReplaceAll(tc.query, " ", "+"))
			l, err := v.EndSession(t.Context(), query)
			if !errors.Is(err, tc.want) || l.Target != tc.target {
				t.Errorf("%s: got %q, %v; want %q, %v", name, l.Target, err, tc.target, tc.want)
			}
		}
	})
	t.Run("an ended session tells nothing", func(t *testing.T) {
		if err := v.Endings.Logout(t.Context(), authserver.Asker{Subject: access.Subject, SessionID: access.SessionID}); err != nil {
			t.Fatal(err)
		}
		if _, err := v.UserInfo(t.Context(), access); !errors.Is(err, authserver.ErrSessionEnded) {
			t.Errorf("got %v", err)
		}
	})
}

// OID-010: a login by password gets an ID token too, and nobody who did not ask.
func TestOpenIDByPassword(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(d *Deps) { d.Settings.IDTokenAlgorithm = "ES256" })
	form := "grant_type=password&username=alice&password=correct+horse+alice&client_id=rp&client_secret=" + confSecret
	res, err := f.post(form, "scope=openid email")
	if err != nil {
		t.Fatal(err)
	}
	c := f.idTokenClaims(res.IDToken, "ES256")
	if amr, _ := c["amr"].([]any); len(amr) != 1 || amr[0] != "pwd" || c["nonce"] != nil || c["email"] == nil {
		t.Errorf("got %v", c)
	}
	if res, err = f.post(form); err != nil || res.IDToken != "" || strings.Contains(res.Scope, "openid") {
		t.Errorf("without asking: %+v, %v", res, err)
	}
}

// OID-004, MET-010: the document says what is there.
func TestOpenIDConfiguration(t *testing.T) {
	f := newFixture(t)
	var m map[string]any
	if err := json.Unmarshal(f.Metadata(), &m); err != nil {
		t.Fatal(err)
	}
	has := func(name, value string) {
		t.Helper()
		list, _ := m[name].([]any)
		for _, v := range list {
			if v == value {
				return
			}
		}
		t.Errorf("%s has no %s: %v", name, value, m[name])
	}
	has("id_token_signing_alg_values_supported", "RS256")
	has("subject_types_supported", "public")
	has("scopes_supported", "openid")
	has("response_types_supported", "code")
	has("claims_supported", "email")
	if m["request_uri_parameter_supported"] != false || m["request_parameter_supported"] != false || m["claims_parameter_supported"] != true {
		t.Errorf("got %v", m)
	}
}

// OID-013: a key that has left the published set checks hints for as long as a
// session may last; a burnt one does not.
func TestHintsOfKeysThatAreGone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	sign := func() string {
		payload, _ := json.Marshal(map[string]any{"iss": testIssuer, "sub": "s", "aud": "rp", "sid": "x", "exp": 1})
		token, err := f.Ring.SignAs(t.Context(), "RS256", "JWT", payload)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	token := sign()
	parsed, _, _ := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	kid := parsed.Header["kid"].(string)
	long := 30 * 24 * time.Hour
	if err := f.db.RetireKey(t.Context(), kid, time.Now().Add(-10*24*time.Hour), authserver.Event{Act: "test"}); err != nil {
		t.Fatal(err)
	}
	if err := f.Ring.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(f.Ring.JWKS()), kid) {
		t.Fatal("the key is still published")
	}
	if _, err := f.Ring.Opened(token, "JWT", long); err != nil {
		t.Errorf("within a session's life: %v", err)
	}
	if _, err := f.Ring.Opened(token, "JWT", 24*time.Hour); err == nil {
		t.Error("after it: it is taken")
	}
	if _, err := f.Ring.Opened(token, "logout+jwt", long); err == nil {
		t.Error("it is taken for another kind of token")
	}
	next := sign()
	parsed, _, _ = jwt.NewParser().ParseUnverified(next, jwt.MapClaims{})
	if err := f.db.BurnKey(t.Context(), parsed.Header["kid"].(string), authserver.Event{Act: "test"}); err != nil {
		t.Fatal(err)
	}
	if err := f.Ring.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Ring.Opened(next, "JWT", long); err == nil {
		t.Error("a burnt key's hint is taken")
	}
}
