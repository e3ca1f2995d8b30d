package doctor

import "slices"

// need is what a check cannot do without.
type need int

const (
	token        need = iota // an issuer with a token endpoint
	login                    // a user, and a client that logs users in
	oneScope                 // the user is given a scope
	twoScopes                // or two
	deniedScope              // there is a scope that the user may not have
	publicClient             // each of the rest is a part of the cast
	ownerClient
	confidential
	serviceClient
	noPassword
	anotherClient
	strictClient
	lenientClient
	oddClient
	disabledUser
	otherUser
	speltUser
	introspecter
	introspecterElsewhere
	roamingClient
	introspection // the endpoint
	revocation    // the endpoint
	feed          // the endpoint
	keySet        // a jwks_uri
	readable      // access tokens are JWTs
	api           // a URL of a resource server
	adminAPI
	identifier
	redirect // a user, an authorization endpoint, and a client that logs in by it
	otherWeb // each of these is a part of the cast
	secretWeb
	askingWeb
	nativeWeb
	roamingWeb
	pushingWeb
	formPost     // the response mode
	pushing      // the endpoint for pushed requests
	openidIssuer // one of OpenID Connect
	relying      // a client that asks who people are, and userinfo
	passwordWeb  // which logs them in by password too
	returning    // to which people return from a logout
	ends         // the endpoint for logouts
	tutorial     // contract 3
	slowly       // Options.Timing
)

// lacks is why a need is not met; empty if it is.
func (s *subject) lacks(n need) string {
	missing := func(there bool, reason string) string {
		if there {
			return ""
		}
		return reason
	}
	fixture := func(there bool, what string) string { return missing(there, "the fixtures have no "+what) }
	m := s.metadata
	switch n {
	case token:
		return missing(m.token != "", "the metadata names no token_endpoint")
	case login:
		switch {
		case m.token == "":
			return "the metadata names no token_endpoint"
		case s.user == nil:
			return "the fixtures have no active user"
		case len(m.grants) > 0 && !slices.Contains(m.grants, "password"):
			return "the issuer does not offer the password grant"
		}
		return fixture(s.app != nil, "client with the grants password and refresh_token")
	case oneScope:
		return missing(len(s.granted) > 0, "the user was given no scope")
	case twoScopes:
		return missing(len(s.granted) > 1, "the user was not given two scopes")
	case deniedScope:
		return fixture(s.app != nil && s.denied() != "", "client with a scope that the user may not have")
	case publicClient:
		return fixture(s.pub != nil, "public client with the grants password and refresh_token")
	case ownerClient:
		return fixture(s.owner != nil, "confidential client with the grants password and refresh_token")
	case confidential:
		return fixture(s.conf != nil, "confidential client")
	case serviceClient:
		return fixture(s.service != nil, "confidential client with the grant client_credentials")
	case noPassword:
		return fixture(s.nobody != nil, "client without the grant password")
	case anotherClient:
		return fixture(s.another != nil, "second client with the grant refresh_token")
	case strictClient:
		return fixture(s.strict != nil, "client with refresh_grace_seconds: 0")
	case lenientClient:
		return fixture(s.lenient != nil, "client with refresh_grace_seconds above 0")
	case oddClient:
		return fixture(s.odd != nil, "client with special letters in its id or secret")
	case disabledUser:
		return fixture(s.disabled != nil, "user with is_active: false")
	case otherUser:
		return fixture(s.other != nil, "second user")
	case speltUser:
		return fixture(s.spelt != nil, "user with special letters in name or password")
	case introspecter:
		return fixture(s.rs != nil, "client that introspects")
	case introspecterElsewhere:
		return fixture(s.rs2 != nil, "client that introspects tokens of another API")
	case roamingClient:
		return fixture(s.roamer != nil, "client with resources of its own")
	case introspection:
		return missing(m.introspect != "", "the issuer offers no introspection")
	case revocation:
		return missing(m.revoke != "", "the issuer offers no revocation")
	case feed:
		return missing(m.feed != "", "the issuer offers no revocation feed")
	case keySet:
		return missing(m.jwks != "", "the metadata names no jwks_uri")
	case readable:
		return missing(s.jwt, "no access token that is a JWT was seen")
	case api:
		return fixture(s.Fixtures.API.URL != "", "api.url")
	case adminAPI:
		return fixture(s.Fixtures.API.AdminURL != "", "api.admin_url")
	case identifier:
		return fixture(s.Fixtures.API.Identifier != "", "api.identifier")
	case redirect:
		switch {
		case m.authorize == "":
			return "the issuer has no authorization endpoint"
		case m.token == "":
			return "the metadata names no token_endpoint"
		case s.user == nil:
			return "the fixtures have no active user"
		}
		return fixture(s.web != nil, "client with the grant authorization_code")
	case otherWeb:
		return fixture(s.webOther != nil, "second client with the grant authorization_code")
	case secretWeb:
		return fixture(s.webSecret != nil, "confidential client with the grant authorization_code")
	case askingWeb:
		return fixture(s.webAsks != nil, "client with the grant authorization_code that is not trusted")
	case nativeWeb:
		return fixture(s.webNative != nil, "client with a loopback redirect URI")
	case roamingWeb:
		return fixture(s.webRoamer != nil, "client with the grant authorization_code and resources of its own")
	case pushingWeb:
		return fixture(s.pushes != nil, "client with require_pushed_authorization_requests")
	case formPost:
		return missing(slices.Contains(m.modes, "form_post"), "the issuer does not offer form_post")
	case pushing:
		return missing(m.push != "", "the issuer takes no pushed requests")
	case openidIssuer:
		return missing(m.document["userinfo_endpoint"] != nil || slices.Contains(texts(m.document["scopes_supported"]), "openid"), "the issuer does not offer OpenID Connect")
	case relying:
		if m.userinfo == "" || m.jwks == "" {
			return "the metadata names no userinfo_endpoint or no jwks_uri"
		}
		return fixture(s.rp != nil, "client with the grant authorization_code and the scope openid")
	case passwordWeb:
		return fixture(s.rp != nil && s.rp.May("password"), "client with the scope openid and the grant password")
	case returning:
		if m.logout == "" {
			return "the issuer has no end_session_endpoint"
		}
		return fixture(s.rp != nil && len(s.rp.PostLogoutRedirectURIs) > 0, "client with the scope openid and post_logout_redirect_uris")
	case ends:
		return missing(m.logout != "", "the issuer has no end_session_endpoint")
	case tutorial:
		return missing(s.tutorial, "the issuer has no /auth/login")
	default: // slowly
		return missing(s.Timing, "takes long: give --timing")
	}
}
