package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"

	"github.com/gin-gonic/gin"
)

// Settings are what holds for every route.
type Settings struct {
	// BasePath is what every route is below, such as "/auth": the issuer's path,
	// as config has checked it. Empty for none.
	BasePath string
	// AllowedHosts are the values of Host that are answered, without a port;
	// "*.example.com" stands for all names below.
	AllowedHosts []string
	// TrustedProxies may say for whom they forward; nobody else may.
	TrustedProxies []netip.Prefix
	// CORSOrigins are exact origins whose pages may read answers.
	CORSOrigins []string
	// Origin reports whether pages of an origin may read answers too that is none
	// of CORSOrigins. Nil knows of none.
	Origin func(ctx context.Context, origin string) bool
	// MaxBody is how many bytes a request's body may have.
	MaxBody int64
	Logger  *slog.Logger
	// AccessLog has a line of each request, from INFO on; nil is Logger.
	AccessLog *slog.Logger
	// Watch is told of each request before anything is done about it. The route
	// is the pattern, empty where none fits. The request goes on with the context
	// that it returns, and done hears the answer's status. Nil watches nothing.
	Watch func(r *http.Request, route string) (ctx context.Context, done func(status int))
}

// Trait is how a route differs from others in what every request passes.
type Trait uint8

const (
	// ChecksSecret is of a route that checks a password, a secret or a refresh
	// token: its answers do not say how long that took.
	ChecksSecret Trait = 1 << iota
	// AnyHost is of a route that is answered whatever Host says, for probes that
	// ask by address. It must show nothing that a page could use.
	AnyHost
	// AtRoot is of a route that is answered without BasePath too: what asks for it
	// knows the host and no issuer.
	AtRoot
	// Navigated is of a route that browsers go to with a person in front: pages of
	// other origins may not read it (no CORS), whatever CORSOrigins says. Preflights
	// see it where the pattern has no parameters.
	Navigated
)

// Site answers requests by the routes that are registered on it, all of them
// before it serves the first.
type Site struct {
	settings Settings
	base     string
	engine   *gin.Engine
	hosts    []string
	traits   map[string]Trait // by pattern, without the base
	warnOnce sync.Once        // about forwarding headers from strangers
}

// New returns a Site without routes: it answers 404, with all that every answer
// has.
func New(settings Settings) (*Site, error) {
	if settings.Logger == nil || settings.MaxBody <= 0 {
		return nil, errors.New("web needs Logger and MaxBody")
	}
	if settings.AccessLog == nil {
		settings.AccessLog = settings.Logger
	}
	release()
	e := gin.New()
	e.RedirectTrailingSlash = false
	e.HandleMethodNotAllowed = true
	s := &Site{settings: settings, base: settings.BasePath, engine: e, hosts: hostPatterns(settings.AllowedHosts), traits: map[string]Trait{}}
	if settings.Watch != nil {
		e.Use(s.watch)
	}
	e.Use(s.identify, s.accessLog, s.recover, s.securityHeaders, s.checkHost, s.cors, s.limitRequest)
	e.NoRoute(func(c *gin.Context) { NewProblem(http.StatusNotFound, "Not Found").Write(c.Writer) })
	e.NoMethod(noMethod)
	return s, nil
}

// release sets what gin keeps in a variable of its package: once, before the
// first request.
var release = sync.OnceFunc(func() { gin.SetMode(gin.ReleaseMode) })

// noMethod answers for a path that has other methods; gin has set Allow.
func noMethod(c *gin.Context) {
	if c.Request.Method == http.MethodOptions {
		c.Status(http.StatusNoContent)
		return
	}
	NewProblem(http.StatusMethodNotAllowed, "Method Not Allowed").Write(c.Writer)
}
