package account

import (
	"context"

	"github.com/tokenwright/tokenwright/authserver"
)

// SeedDemo makes the accounts, clients and scopes that anyone may know: for a
// database that nobody else can reach. What is there already is put back to what
// it should be, but for passwords. base is the issuer's path, such as "/auth", or
// empty.
func SeedDemo(ctx context.Context, d Deps, base string) error {
	user := func(name, email, fullName, role, password string) fileUser {
		return fileUser{username: name, email: email, fullName: &fullName, roles: []string{role}, password: password, exempt: true}
	}
	// The port is free with a loopback host (RFC 8252 §7.3).
	app := func(id, name, path string) fileClient {
		return fileClient{ClientSpec: ClientSpec{
			ID: id, Name: name, Public: true, Trusted: true,
			Grants:       []string{authserver.GrantAuthorizationCode, authserver.GrantPassword, authserver.GrantRefreshToken},
			Scopes:       []string{"read", "write", "admin", authserver.ScopeProfile, authserver.ScopeOpenID},
			RedirectURIs: []string{"http://localhost" + base + path, "http://127.0.0.1" + base + path},
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
			app("demo-app", "Demo", "/demo/"),
			app("swagger-ui", "API documentation", "/docs/oauth2-redirect.html"),
			// A web application of somebody else's: people are asked for their consent.
			{ClientSpec: ClientSpec{
				ID: "demo-web", Name: "Demo web application", Secret: "demo-web-secret-0123",
				Grants:       []string{authserver.GrantAuthorizationCode, authserver.GrantRefreshToken},
				Scopes:       []string{"read", "write"},
				RedirectURIs: []string{"http://localhost/callback", "http://127.0.0.1/callback"},
			}},
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
