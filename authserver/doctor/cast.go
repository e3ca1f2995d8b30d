package doctor

import (
	"slices"
	"strings"
)

// cast is who plays which part: fixtures chosen by what they can do; nil if
// nobody can.
type cast struct {
	user     *User // logs in
	other    *User // is somebody else
	disabled *User
	spelt    *User // has letters in its password that a form has to encode

	app     *Client // logs users in: public if there is such a one
	pub     *Client // public, logs users in
	owner   *Client // confidential, logs users in
	conf    *Client // confidential, whatever it may
	service *Client // confidential, asks for itself
	nobody  *Client // may not use the password grant
	another *Client // refreshes, and is not app
	strict  *Client // its refresh tokens are for one use
	lenient *Client // its refresh tokens may be repeated for a while
	odd     *Client // has letters in its id or secret that Basic has to encode
	rs      *Client // introspects the API's tokens
	rs2     *Client // introspects others'
	deaf    *Client // confidential, may not introspect
	roamer  *Client // may ask tokens for another API too
}

func (p *cast) choose(f Fixtures) {
	for i := range f.Users {
		u := &f.Users[i]
		switch {
		case u.Password == "":
			continue
		case !u.Active():
			set(&p.disabled, u, true)
			continue
		case p.user == nil:
			p.user = u
		default:
			set(&p.other, u, true)
		}
		set(&p.spelt, u, strings.ContainsFunc(u.Username+u.Password, special))
	}
	for i := range f.Clients {
		c := &f.Clients[i]
		logsIn := c.May("password") && c.May("refresh_token")
		set(&p.pub, c, c.IsPublic() && logsIn)
		set(&p.owner, c, !c.IsPublic() && logsIn)
		set(&p.conf, c, !c.IsPublic() && (c.May("client_credentials") || c.May("password")))
		set(&p.service, c, !c.IsPublic() && c.May("client_credentials"))
		set(&p.nobody, c, len(c.Grants) > 0 && !c.May("password"))
		set(&p.strict, c, logsIn && c.RefreshGrace != nil && *c.RefreshGrace == 0)
		set(&p.lenient, c, logsIn && c.RefreshGrace != nil && *c.RefreshGrace > 0)
		set(&p.odd, c, !c.IsPublic() && strings.ContainsFunc(c.ID+c.Secret, special) && len(c.Grants) > 0)
		serves := c.Serves == nil || slices.Contains(c.Serves, f.API.Identifier)
		set(&p.rs, c, c.Introspect && serves)
		set(&p.rs2, c, c.Introspect && !serves)
		set(&p.deaf, c, !c.IsPublic() && !c.Introspect)
		set(&p.roamer, c, logsIn && len(c.Resources) > 0)
	}
	if p.app = p.pub; p.app == nil {
		p.app = p.owner
	}
	for i := range f.Clients {
		c := &f.Clients[i]
		set(&p.another, c, c.May("refresh_token") && c != p.app)
	}
}

// set gives a part to the first who can play it.
func set[T any](part **T, who *T, can bool) {
	if *part == nil && can {
		*part = who
	}
}

// special is a letter that stands for something else, or is encoded, in a form.
func special(r rune) bool { return r > 0x7e || strings.ContainsRune(":%+&= ", r) }

// denied is a scope that the client has and the user was not given; empty if
// there is none.
func (s *subject) denied() string {
	for _, scope := range s.app.Scopes {
		if !slices.Contains(s.granted, scope) {
			return scope
		}
	}
	return ""
}

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
	tutorial // contract 3
	slowly   // Options.Timing
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
	case tutorial:
		return missing(s.tutorial, "the issuer has no /auth/login")
	default: // slowly
		return missing(s.Timing, "takes long: give --timing")
	}
}
