package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/feed"
	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/sessions"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/api"
)

// Settings are what an operator chose of what shows over HTTP.
type Settings struct {
	Version string
	// Issuer and Audience are the issuer identifier and the bundled API's
	// resource identifier.
	Issuer, Audience string
	// AllowedHosts are the values of Host that are answered, without a port;
	// "*.example.com" stands for all names below.
	AllowedHosts []string
	// TrustedProxies may say for whom they forward; nobody else may.
	TrustedProxies []netip.Prefix
	// CORSOrigins are exact origins whose pages may read answers.
	CORSOrigins []string
	// Docs turns on /docs, /redoc and /openapi.json.
	Docs bool
	// Strict removes /auth/login and refresh tokens in a query.
	Strict bool
	// RegistrationClosed leaves /auth/register to admins.
	RegistrationClosed bool
	// Scopes are offered in the documentation's Authorize dialog.
	Scopes []string
}

// Check asks one part that the server needs.
type Check struct {
	// Name is what /readyz calls the part when it is away.
	Name string
	// Ping returns the part's clock.
	Ping func(context.Context) (time.Time, error)
}

// Deps are what the handler works with.
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
	// Watch is told of each request before anything is done about it. The route
	// is the pattern, empty where none fits. The request goes on with the context
	// that it returns, and done hears the answer's status. Nil watches nothing.
	Watch func(r *http.Request, route string) (ctx context.Context, done func(status int))
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

// server is Deps with what is made of them at the start.
type server struct {
	Deps
	*Authority
	hosts    []string
	warnOnce sync.Once // about forwarding headers from strangers
}

// New returns the handler of the routes of the parts that are there.
func New(d Deps) (http.Handler, error) {
	if d.Guard == nil || d.Logger == nil || d.Authority == nil && d.API == nil {
		return nil, errors.New("httpapi needs Guard, Logger and at least one of Authority and API")
	}
	setUpLibraries()
	s := &server{Deps: d, Authority: d.Authority, hosts: hostPatterns(d.Settings.AllowedHosts)}

	e := gin.New()
	e.RedirectTrailingSlash = false
	e.HandleMethodNotAllowed = true
	if d.Watch != nil {
		e.Use(s.watch)
	}
	e.Use(s.identify, s.accessLog, s.recover, s.securityHeaders, s.checkHost, s.cors, limitBody)
	e.NoRoute(func(c *gin.Context) { newProblem(http.StatusNotFound, "Not Found").write(c.Writer) })
	e.NoMethod(noMethod)
	if err := s.routes(e); err != nil {
		return nil, err
	}
	return e, nil
}

// setUpLibraries sets what gin and huma keep in variables of their packages:
// once, before the first request, so that nothing changes under one.
var setUpLibraries = sync.OnceFunc(func() {
	gin.SetMode(gin.ReleaseMode)
	huma.NewError = humaError
})

// noMethod answers for a path that has other methods; gin has set Allow.
func noMethod(c *gin.Context) {
	if c.Request.Method == http.MethodOptions {
		c.Status(http.StatusNoContent)
		return
	}
	newProblem(http.StatusMethodNotAllowed, "Method Not Allowed").write(c.Writer)
}

// NewServer returns a server for h whose limits leave no connection held for
// nothing: headers up to 32 KiB within 5 s, the whole request within 15 s.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
}
