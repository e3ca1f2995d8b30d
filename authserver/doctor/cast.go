package doctor

import (
	"net/url"
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

	// Those who log people in by redirect.
	web       *Client // public if there is such a one
	webOther  *Client // is another
	webSecret *Client // confidential
	webAsks   *Client // its people are asked for their consent
	webNative *Client // answers go to a loopback address
	webRoamer *Client // may ask tokens for another API too
	webPlain  *Client // may ask without a challenge
	pushes    *Client // has to push its requests
	rp        *Client // asks who people are
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
	p.chooseWeb(f)
	for i := range f.Clients { // one without a way back from a logout will do
		c := &f.Clients[i]
		set(&p.rp, c, c.May("authorization_code") && !c.RequirePushed && slices.Contains(c.Scopes, "openid"))
	}
}

func (p *cast) chooseWeb(f Fixtures) {
	for _, public := range []bool{true, false} {
		for i := range f.Clients {
			c := &f.Clients[i]
			if !c.May("authorization_code") || c.IsPublic() != public {
				continue
			}
			if c.RequirePushed {
				set(&p.pushes, c, true)
				continue
			}
			set(&p.rp, c, slices.Contains(c.Scopes, "openid") && len(c.PostLogoutRedirectURIs) > 0)
			set(&p.webOther, c, p.web != nil)
			set(&p.web, c, true)
			set(&p.webSecret, c, !public)
			set(&p.webAsks, c, !c.Trusted)
			u, err := url.Parse(c.RedirectURIs[0])
			set(&p.webNative, c, err == nil && u.Scheme == "http" && loopback(u.Hostname()))
			set(&p.webRoamer, c, len(c.Resources) > 0)
			set(&p.webPlain, c, !public && c.RequirePKCE != nil && !*c.RequirePKCE)
		}
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
