package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/api"
	"github.com/tokenwright/tokenwright/resource/resourcetest"
)

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAnswers(t *testing.T) {
	user := &resource.Claims{UserID: 2, Username: "alice", Roles: []string{"user"}, ClientID: "app"}
	named := *user
	named.Name = "Alice Example"
	client := &resource.Claims{ClientID: "service", Subject: "service"}
	for _, tc := range []struct {
		name   string
		answer any
		want   string
	}{
		{"public", api.Public(), `{"message":"This is a public endpoint"}`},
		{"private, by username", api.Private(user), `{"message":"Hello alice!","user_id":2,"roles":["user"]}`},
		{"private, by name", api.Private(&named), `{"message":"Hello Alice Example!","user_id":2,"roles":["user"]}`},
		{"private, a client", api.Private(client), `{"message":"Hello service!","user_id":null,"roles":[]}`},
		{"admin", api.Admin(user), `{"message":"Admin access granted","admin_user":"alice","sensitive_data":"This is admin-only information"}`},
		{
			"moderator", api.Moderator(user),
			`{"message":"Moderator access granted","user":"alice","roles":["user"],"moderation_tools":["ban_user","delete_post","edit_content"]}`,
		},
		{
			"users", api.Users{Users: []api.User{{ID: 1, Username: "alice", Email: "a@example.com", Roles: []string{"user"}, IsActive: true}}, Total: 7},
			`{"users":[{"id":1,"username":"alice","email":"a@example.com","full_name":null,"roles":["user"],"is_active":true}],"total":7}`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := text(t, tc.answer); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestGates(t *testing.T) {
	issuer := resourcetest.New(t)
	key := issuer.AddKey("k1", "EdDSA")
	ended := resource.NewEnded()
	ended.Ready()
	v, err := resource.NewVerifier(resource.VerifierConfig{
		Issuer: issuer.URL, Audience: issuer.Audience, Keys: issuer, Ended: ended,
	})
	if err != nil {
		t.Fatal(err)
	}
	guard := resource.NewGuard(v, "")
	h, err := resource.ParseHierarchy("viewer<user<editor<moderator<admin")
	if err != nil {
		t.Fatal(err)
	}
	ops := api.NewOperations(h)
	for _, tc := range []struct {
		op   api.Operation
		path string
		lets string
	}{
		{ops.Private, "/api/private", "none ghost viewer user editor moderator admin"},
		{ops.Admin, "/api/admin", "admin"},
		{ops.Moderator, "/api/moderator", "moderator admin"},
		{ops.Users, "/api/users", "admin"},
	} {
		if tc.op.Path != tc.path || tc.op.Method != http.MethodGet || !tc.op.Guarded || tc.op.ID == "" || tc.op.Summary == "" {
			t.Errorf("operation %+v", tc.op)
		}
		for _, role := range []string{"none", "ghost", "viewer", "user", "editor", "moderator", "admin"} {
			t.Run(fmt.Sprintf("RSV-030 role %s at %s", role, tc.path), func(t *testing.T) {
				var roles []string
				if role != "none" {
					roles = append(roles, role)
				}
				r := httptest.NewRequest(tc.op.Method, tc.op.Path, nil)
				r.Header.Set("Authorization", "Bearer "+issuer.Token(key, issuer.User("alice", roles...)))
				_, challenge := guard.Authenticate(r, tc.op.Rules...)
				if want := strings.Contains(" "+tc.lets+" ", " "+role+" "); (challenge == nil) != want {
					t.Errorf("passes: %v, want %v", challenge == nil, want)
				}
				if challenge != nil && (challenge.Status != 403 || challenge.Detail != "Insufficient permissions") {
					t.Errorf("RSV-008 got %+v", challenge)
				}
			})
		}
	}
	if ops.Public.Guarded || len(ops.Public.Rules) > 0 {
		t.Error("the public endpoint is not")
	}
}

func TestMetadata(t *testing.T) {
	t.Run("RSV-028 RSV-029 no empty array, no none", func(t *testing.T) {
		want := `{"resource":"https://a.example.test/api","authorization_servers":["https://a.example.test"],` +
			`"bearer_methods_supported":["header"],"resource_name":"Tokenwright API"}`
		if got := text(t, api.NewMetadata("https://a.example.test/api", "https://a.example.test", []string{})); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
	t.Run("RSV-028 with scopes", func(t *testing.T) {
		got := text(t, api.NewMetadata("https://a.example.test/api", "https://a.example.test", []string{"read"}))
		if !strings.Contains(got, `"scopes_supported":["read"]`) {
			t.Error(got)
		}
	})
}
