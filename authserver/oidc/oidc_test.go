package oidc_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/oidc"
)

var alice = authserver.User{
	Subject: "s", Username: "alice", Email: "alice@example.com", FullName: "Alice Example", Roles: []string{"user"},
	UpdatedAt: time.Unix(1_800_000_000, 0),
}

// OID-003, OID-014: each scope brings its claims and no others.
func TestAbout(t *testing.T) {
	for _, tc := range []struct {
		name   string
		scopes string
		names  []string
		want   map[string]any
	}{
		{"openid alone", "openid", nil, map[string]any{"sub": "s"}},
		{"profile", "openid profile", nil, map[string]any{"sub": "s", "name": "Alice Example", "preferred_username": "alice", "updated_at": int64(1_800_000_000)}},
		{"email", "openid email", nil, map[string]any{"sub": "s", "email": "alice@example.com", "email_verified": false}},
		{"roles", "roles", nil, map[string]any{"sub": "s", "roles": []string{"user"}}},
		{"groups", "groups", nil, map[string]any{"sub": "s", "groups": []string{"user"}}},
		{"by name", "openid", []string{"name", "unknown", "sub"}, map[string]any{"sub": "s", "name": "Alice Example"}},
		{"scopes of others", "openid read address", nil, map[string]any{"sub": "s"}},
	} {
		if diff := cmp.Diff(tc.want, oidc.About(alice, strings.Fields(tc.scopes), tc.names)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
	if _, ok := oidc.About(authserver.User{}, []string{"profile"}, nil)["name"]; ok {
		t.Error("a name that is not known is told")
	}
}

// OID-005
func TestParseClaims(t *testing.T) {
	for _, tc := range []struct {
		text string
		want oidc.ClaimsRequest
	}{
		{"", oidc.ClaimsRequest{}},
		{"{}", oidc.ClaimsRequest{}},
		{`{"id_token":{"email":null,"auth_time":{"essential":true}},"userinfo":{"name":null}}`,
			oidc.ClaimsRequest{Wanted: []string{"userinfo.name", "id_token.email"}}},
		{`{"userinfo":{"name":{"essential":true},"http://example.info/claims/groups":null}}`, oidc.ClaimsRequest{Wanted: []string{"userinfo.name"}}},
		{`{"id_token":{"acr":{"essential":true,"values":["aal2","x"]},"sub":{"value":"s"}},"other":1}`,
			oidc.ClaimsRequest{ACR: []string{"aal2", "x"}, Subject: "s"}},
		{`{"id_token":{"acr":{"values":["aal2"]}}}`, oidc.ClaimsRequest{}},
	} {
		got, err := oidc.ParseClaims(tc.text)
		if err != nil {
			t.Errorf("%s: %v", tc.text, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.text, diff)
		}
	}
	for _, bad := range []string{
		"x", "[]", "null", `"s"`, `{"userinfo":[]}`, `{"id_token":{"email":1}}`, `{"id_token":{"acr":{"essential":true,"value":1}}}`,
		`{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"value":"b"}}}`, `{"id_token":{"sub":{"value":1}}}`, `{} {}`,
	} {
		if _, err := oidc.ParseClaims(bad); !errors.Is(err, oidc.ErrBadClaims) {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

// OID-001, OID-002, OID-011
func TestIDToken(t *testing.T) {
	token := oidc.Token{
		Issuer: "https://issuer.test", ClientID: "web", Algorithm: "RS256", User: alice, Scope: []string{"openid"},
		Session: authserver.Session{ID: "sid", AuthTime: time.Unix(5, 0), AMR: []string{"pwd"}, Claims: []string{"id_token.email", "userinfo.name"}},
		// The example of OpenID Connect Core appendix A.3.
		AccessToken: "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", Nonce: "n", Now: time.Unix(100, 0),
	}
	read := func() map[string]any {
		payload, err := token.Claims()
		if err != nil {
			t.Fatal(err)
		}
		var c map[string]any
		if err := json.Unmarshal(payload, &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	want := map[string]any{
		"iss": "https://issuer.test", "sub": "s", "aud": "web", "iat": 100.0, "exp": 700.0, "auth_time": 5.0, "nonce": "n",
		"acr": "aal1", "amr": []any{"pwd"}, "at_hash": "77QmUPtjPfzWtF2AnpK9RQ", "sid": "sid", "email": "alice@example.com",
	}
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Error(diff)
	}
	token.Nonce, token.Algorithm = "", "EdDSA"
	again := read()
	if _, ok := again["nonce"]; ok {
		t.Error("OID-002: a nonce at a refresh")
	}
	if hash, _ := again["at_hash"].(string); len(hash) != 43 {
		t.Errorf("OID-011: at_hash %q of EdDSA", hash)
	}
}
