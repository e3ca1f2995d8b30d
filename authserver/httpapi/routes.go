package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/api"
)

// Paths that more than one place names. Those of the standard endpoints are
// oauth's, those of the bundled API are api's.
const (
	pathToken    = oauth.PathToken
	pathLogin    = "/auth/login"
	pathRegister = "/auth/register"
	pathRefresh  = "/auth/refresh"
	pathPassword = "/auth/password"
	pathSessions = "/auth/sessions"
	pathLive     = "/livez"
	pathReady    = "/readyz"
)

// checkSecret are the routes that check a password, a secret or a refresh token:
// how long that took is nobody's business.
var checkSecret = []string{
	pathToken, pathLogin, pathRegister, pathRefresh, pathPassword,
	oauth.PathPushed, oauth.PathIntrospect, oauth.PathRevoke, oauth.PathRevocations,
}

// routes is the one list of what is served.
func (s *server) routes() error {
	d := newDocument(s.site, s.Settings, s.endpoints())
	if s.Authority != nil {
		s.authorityRoutes(d)
	}
	if s.API != nil {
		if err := s.apiRoutes(d); err != nil {
			return err
		}
	}
	register(s, d, s.forPeople(operation(http.MethodGet, "/", "root", "What this is", tagServer)), s.root)
	answer(d, operation(http.MethodGet, "/health", "health", "Whether the server runs", tagServer), health)
	answer(d, operation(http.MethodGet, pathLive, "livez", "Whether the server runs", tagServer), live)
	register(s, d, operation(http.MethodGet, pathReady, "readyz", "Whether the server can do its work", tagServer), s.ready)

	if !s.Settings.Docs {
		return nil
	}
	openAPI, err := d.marshal()
	if err != nil {
		return fmt.Errorf("marshal OpenAPI document: %w", err)
	}
	return d.pages(openAPI)
}

// endpoints is what the standard endpoints are below: relative where they are
// served, so that the pages work under every allowed host.
func (s *server) endpoints() string {
	if s.Authority == nil {
		return s.Settings.Issuer
	}
	return s.site.Path("")
}

// authorityRoutes are the standard endpoints, the tutorial's, and what goes with
// them.
func (s *server) authorityRoutes(d *document) {
	user := resource.AnyUser()
	admin := s.Roles.AnyRole("admin")

	plain[tokenForm](d, operation(http.MethodPost, pathToken, "token", "Token endpoint (RFC 6749 §3.2)", tagOAuth), s.token)
	d.pushing(operation(http.MethodPost, oauth.PathPushed, "par", "Pushed authorization request (RFC 9126)", tagOAuth), s.push)
	about[oauth.Introspection](d, operation(http.MethodPost, oauth.PathIntrospect, "introspect", "Token introspection (RFC 7662)", tagOAuth), s.introspect)
	about[revoked](d, operation(http.MethodPost, oauth.PathRevoke, "revoke", "Token revocation (RFC 7009)", tagOAuth), s.revoke)
	d.events(operation(http.MethodGet, oauth.PathRevocations, "revocations", "What has ended, as server-sent events", tagOAuth), s.revocations)
	d.published(oauth.PathMetadata, "authorization_server_metadata", "Authorization server metadata (RFC 8414)", s.OAuth.Metadata)
	d.published(oauth.PathOpenID, "openid_configuration", "The same for OpenID Connect (Discovery 1.0)", s.OAuth.Metadata)
	openid := s.asUser(resource.Scope(authserver.ScopeOpenID))
	register(s, d, openid(operation(http.MethodGet, oauth.PathUserInfo, "userinfo", "Claims about the user (OpenID Connect Core §5.3)", tagOAuth)), s.userInfo)
	register(s, d, openid(operation(http.MethodPost, oauth.PathUserInfo, "userinfo_post", "The same by POST", tagOAuth)), s.userInfo)
	d.published(oauth.PathJWKS, "jwks", "Public signing keys (RFC 7517)", s.JWKS)

	if !s.Settings.Strict {
		plain[loginForm](d, operation(http.MethodPost, pathLogin, "login", "Log in with name or e-mail address and password", tagUsers), s.login)
	}
	d.refreshing(operation(http.MethodPost, pathRefresh, "refresh", "Exchange a refresh token for the next", tagUsers), s.Settings.Strict, s.refresh)
	register(s, d, optionallyGuarded(operation(http.MethodPost, pathRegister, "register", "Make an account", tagUsers)), s.registerUser)
	register(s, d, s.guarded(operation(http.MethodGet, "/auth/me", "me", "Who the token is for", tagUsers), user), s.me)
	register(s, d, s.guarded(operation(http.MethodPost, "/auth/logout", "logout", "End this session", tagUsers), user), s.logout)
	register(s, d, s.guarded(operation(http.MethodPost, pathPassword, "change_password", "Change one's password; the other sessions end", tagUsers), user), s.changePassword)
	register(s, d, s.guarded(operation(http.MethodGet, "/auth/users", "auth_users", "All users, for role admin", tagUsers), user, admin), s.users)
	register(s, d, s.guarded(operation(http.MethodGet, pathSessions, "sessions", "One's sessions, the last used first", tagUsers), user), s.sessions)
	register(s, d, s.guarded(operation(http.MethodDelete, pathSessions, "end_other_sessions", "End all sessions but this", tagUsers), user), s.endOtherSessions)
	register(s, d, s.guarded(operation(http.MethodDelete, pathSessions+"/{sid}", "end_session", "End one session", tagUsers), user), s.endSession)
}

// apiRoutes are the bundled API's, which is a resource server.
func (s *server) apiRoutes(d *document) error {
	protected, err := json.Marshal(api.NewMetadata(s.Settings.Audience, s.Settings.Issuer, slices.Sorted(maps.Keys(s.Settings.Scopes))))
	if err != nil {
		return fmt.Errorf("marshal resource metadata: %w", err)
	}
	d.published(api.MetadataPath, "protected_resource_metadata", "Protected resource metadata (RFC 9728)",
		func() []byte { return protected })
	ops := api.NewOperations(s.Roles)
	answer(d, s.bundled(ops.Public), func(context.Context) api.PublicResponse { return api.Public() })
	answer(d, s.bundled(ops.Private), withClaims(api.Private))
	answer(d, s.bundled(ops.Admin), withClaims(api.Admin))
	answer(d, s.bundled(ops.Moderator), withClaims(api.Moderator))
	register(s, d, s.bundled(ops.Users), s.apiUsers)
	return nil
}
