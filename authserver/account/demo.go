package account

import (
	"context"

	"github.com/tokenwright/tokenwright/authserver"
)

// SeedDemo makes the accounts, clients and scopes that anyone may know: for a
// database that nobody else can reach. What is there already is put back to what
// it should be, but for passwords.
func SeedDemo(ctx context.Context, d Deps) error {
	user := func(name, email, fullName, role, password string) fileUser {
		return fileUser{username: name, email: email, fullName: &fullName, roles: []string{role}, password: password, exempt: true}
	}
	app := func(id string) fileClient {
		return fileClient{ClientSpec: ClientSpec{
			ID: id, Public: true,
			Grants: []string{authserver.GrantPassword, authserver.GrantRefreshToken},
			Scopes: []string{"read", "write", "admin", authserver.ScopeProfile},
		}}
	}
	_, err := Apply(ctx, d, File{
		scopes: []fileScope{
			{name: "read", Scope: authserver.Scope{Description: "Read your data"}},
			{name: "write", Scope: authserver.Scope{RequiresRole: "user", Description: "Change your data"}},
			{name: "admin", Scope: authserver.Scope{RequiresRole: "admin", Description: "Administer the service"}},
			{name: authserver.ScopeProfile, Scope: authserver.Scope{Description: "See your name"}},
		},
		clients: []fileClient{
			app("demo-app"),
			app("swagger-ui"),
			{ClientSpec: ClientSpec{
				ID: "demo-service", Secret: "demo-service-secret",
				Grants: []string{authserver.GrantClientCredentials},
				Scopes: []string{"read", "write"},
				Serves: []string{d.Audience}, Introspect: true,
			}},
		},
		users: []fileUser{
			user("admin", "admin@example.com", "Admin User", "admin", "admin123"),
			user("testuser", "user@example.com", "Test User", "user", "user123"),
			user("moderator", "moderator@example.com", "", "moderator", "mod123"),
		},
	}, Options{})
	return err
}
