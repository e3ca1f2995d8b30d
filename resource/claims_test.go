package resource_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tokenwright/tokenwright/resource"
)

var parse = resource.ParseClaims

func TestClaimsJSON(t *testing.T) {
	client := resource.Claims{
		Issuer: "https://i", Subject: "c", Audience: []string{"https://a"}, ClientID: "c",
		IssuedAt: 1, ExpiresAt: 2, ID: "j", Scope: "read write",
	}
	user := client
	user.Subject, user.SessionID, user.Epoch, user.UserID, user.Username, user.Roles = "s", "sid", 3, 7, "alice", []string{}
	named := user
	named.Parent, named.SessionEpoch = "browser", 5
	named.Audience, named.NotBefore, named.Name, named.Roles = []string{"https://a", "https://b"}, 1, "Alice", []string{"user"}

	for _, tc := range []struct {
		name   string
		claims resource.Claims
		text   string
	}{
		{
			"JWT-003 a client's own token has no member of a user", client,
			`{"iss":"https://i","sub":"c","aud":"https://a","client_id":"c","iat":1,"exp":2,"jti":"j","scope":"read write"}`,
		},
		{
			"JWT-007 roles is an array even if empty", user,
			`{"iss":"https://i","sub":"s","aud":"https://a","client_id":"c","iat":1,"exp":2,"jti":"j","scope":"read write",` +
				`"roles":[],"sid":"sid","epoch":3,"session_epoch":0,"user_id":7,"username":"alice"}`,
		},
		{
			"two audiences, a name, nbf", named,
			`{"iss":"https://i","sub":"s","aud":["https://a","https://b"],"client_id":"c","iat":1,"exp":2,"nbf":1,"jti":"j","scope":"read write",` +
				`"roles":["user"],"sid":"sid","parent_sid":"browser","epoch":3,"session_epoch":5,"user_id":7,"username":"alice","name":"Alice"}`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.text, string(marshal(t, tc.claims))); diff != "" {
				t.Error(diff)
			}
			got, err := parse([]byte(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.claims, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestClaimsUnmarshalIsStrict(t *testing.T) {
	var c resource.Claims
	if err := json.Unmarshal([]byte(`{"ISS":"i","Subject":"s"}`), &c); err == nil {
		t.Errorf("RSV-043 encoding/json took %+v", c)
	}
}

func TestClaimsWithEscapes(t *testing.T) {
	c, err := parse([]byte(`{"iss":"\u0069","sub":"a\"b","aud":["\/"],"client_id":"c","iat":1,"exp":2,"jti":"j"}`))
	if err != nil || c.Issuer != "i" || c.Subject != `a"b` || c.Audience[0] != "/" {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestHasScope(t *testing.T) {
	c := resource.Claims{Scope: "read write"}
	for name, want := range map[string]bool{
		"read": true, "write": true, "rea": false, "READ": false, "": false, "read write": false, " ": false,
	} {
		if c.HasScope(name) != want {
			t.Errorf("HasScope(%q) is not %v", name, want)
		}
	}
	if (&resource.Claims{}).HasScope("") {
		t.Error("no scope has the empty one")
	}
}
