package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/feed"
	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/sessions"
	"github.com/tokenwright/tokenwright/authserver/web"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/api"
)

// Settings are what an operator chose of what shows over HTTP.
type Settings struct {
	Version string
	// Issuer and Audience are the issuer identifier and the bundled API's
	// resource identifier.
	Issuer, Audience string
	// Docs turns on /docs, /redoc and /openapi.json.
	Docs bool
	// Strict removes /auth/login and refresh tokens in a query.
	Strict bool
	// RegistrationClosed leaves /auth/register to admins.
	RegistrationClosed bool
	// Home is the page where a browser is sent that asks for /; empty for none.
	Home string
	// Scopes are offered in the documentation's Authorize dialog.
	Scopes authserver.Scopes
}

// Check asks one part that the server needs.
type Check struct {
	// Name is what /readyz calls the part when it is away.
	Name string
	// Ping returns the part's clock.
	Ping func(context.Context) (time.Time, error)
}

// Deps are what the routes work with.
type Deps struct {
	Settings Settings
	Guard    *resource.Guard
	Roles    resource.Hierarchy
	// Authority is the authorization server's part; nil leaves its routes out.
	Authority *Authority
	// API knows the users for the bundled API; nil leaves the API's routes out.
	API    api.UserLister
	Checks []Check
	Logger *slog.Logger
}

// Authority is what the authorization server's routes work with.
type Authority struct {
	OAuth    *oauth.Server
	Users    *account.Users
	Sessions *sessions.Sessions
	// UserStore is read for the routes that show users.
	UserStore authserver.UserStore
	// Feed is what GET /oauth/revocations serves.
	Feed *feed.Tail
	// JWKS is the published key set (RFC 7517 §5), as it is now.
	JWKS func() []byte
}

// server is Deps with the authority's part at hand, and where it is mounted.
type server struct {
	Deps
	*Authority
	site *web.Site
}

// Mount registers the routes of the parts that are there.
func Mount(site *web.Site, d Deps) error {
	if d.Guard == nil || d.Logger == nil || d.Authority == nil && d.API == nil {
		return errors.New("httpapi needs Guard, Logger and at least one of Authority and API")
	}
	setUpHuma()
	s := &server{Deps: d, Authority: d.Authority, site: site}
	site.Mark(web.AnyHost|web.AtRoot, pathLive, pathReady)
	site.Mark(web.ChecksSecret, checkSecret...)
	return s.routes()
}

// setUpHuma sets what huma keeps in a variable of its package: once, before the
// first request, so that nothing changes under one.
var setUpHuma = sync.OnceFunc(func() { huma.NewError = humaError })
