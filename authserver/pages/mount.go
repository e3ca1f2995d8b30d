package pages

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/browser"
	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/seal"
	"github.com/tokenwright/tokenwright/authserver/sessions"
	"github.com/tokenwright/tokenwright/authserver/web"
)

// Paths of the pages, below the issuer's. That of the login in an authorization
// request is oauth's.
const (
	PathLogin           = "/login"
	PathLogout          = "/logout"
	PathRegister        = "/register"
	PathAccount         = "/account"
	PathAccountSessions = "/account/sessions"
	PathAccountApps     = "/account/apps"
	pathStatic          = "/static/*file"
)

// Deps are what the routes work with; all are required.
type Deps struct {
	OAuth    *oauth.Server
	Users    *account.Users
	Clients  *account.Clients
	Sessions *sessions.Sessions
	Browser  *browser.Sessions
	Facts    authserver.FactStore
	Consents authserver.ConsentStore
	// Shown seals what a consent page has shown.
	Shown    seal.Box
	Renderer *Renderer
	// RegistrationClosed leaves out the page where people make an account.
	RegistrationClosed bool
	Logger             *slog.Logger
}

// server is Deps and where it is mounted.
type server struct {
	Deps
	site *web.Site
}

// Mount registers the routes.
func Mount(site *web.Site, d Deps) {
	s := &server{d, site}
	read := func(path string, h gin.HandlerFunc) {
		site.Handle(http.MethodGet, path, s.person(s.navigation(h, nil)))
	}
	post := func(path string, h gin.HandlerFunc) { site.Handle(http.MethodPost, path, s.person(s.ownForm(h))) }
	site.Handle(http.MethodGet, oauth.PathAuthorize, s.person(s.navigation(s.authorize, silent)))
	site.Handle(http.MethodPost, oauth.PathAuthorize, s.person(s.postAuthorize)) // from other sites too
	read(oauth.PathEndSession, s.endSession)
	site.Handle(http.MethodPost, oauth.PathEndSession, s.person(s.postEndSession))
	read(PathLogin, s.loginPage)
	post(PathLogin, s.logIn)
	read(PathLogout, s.logoutPage)
	// Others may send people here, but the browser session ends by our own form.
	site.Handle(http.MethodPost, PathLogout, s.person(web.SameOrigin(s.ownForm(s.logOut), func(c *gin.Context) {
		seeOther(c, site.Path(PathLogout))
	})))
	if !d.RegistrationClosed {
		read(PathRegister, s.registerPage)
		post(PathRegister, s.register)
	}
	read(PathAccount, s.account)
	read(PathAccountSessions, s.sessions)
	post(PathAccountSessions, s.endSessions)
	read(PathAccountApps, s.apps)
	post(PathAccountApps, s.withdraw)
	site.Handle(http.MethodGet, pathStatic, gin.WrapH(d.Renderer.Static()))

	site.Mark(web.Navigated|web.ChecksSecret, oauth.PathAuthorize, PathLogin, PathLogout, PathRegister)
	site.Mark(web.Navigated, oauth.PathEndSession, PathAccount, PathAccountSessions, PathAccountApps, pathStatic)
}

// navigation is h for what shows a page of its own; see [web.Navigation].
func (s *server) navigation(h gin.HandlerFunc, framed func(*http.Request) bool) gin.HandlerFunc {
	return web.Navigation(h, s.refusal(KindNavigation, http.StatusForbidden), framed)
}

// ownForm is h for a form of our own pages that a person sends: its answer is a
// page too, which a script must not read.
func (s *server) ownForm(h gin.HandlerFunc) gin.HandlerFunc {
	return web.SameOrigin(s.navigation(h, nil), s.refusal(KindForm, http.StatusForbidden))
}

// person tells what follows the browser's name in words: it is long, and what a
// session keeps of it is short.
func (s *server) person(h gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		caller := authserver.CallerFrom(c.Request.Context())
		caller.UserAgent = Device(c.Request.UserAgent())
		c.Request = c.Request.WithContext(authserver.WithCaller(c.Request.Context(), caller))
		h(c)
	}
}

// cookie is the browser session that the request's cookie names; nil without one.
func (s *server) cookie(c *gin.Context) *authserver.RefreshToken {
	t, ok := s.Browser.Read(c.Request)
	if !ok {
		return nil
	}
	return &t
}

// current is who is logged in; nil if nobody is.
func (s *server) current(c *gin.Context) (*browser.Session, error) {
	t := s.cookie(c)
	if t == nil {
		return nil, nil
	}
	ctx := c.Request.Context()
	facts, err := s.Facts.Facts(ctx, browser.Ask(t))
	if err != nil {
		return nil, err
	}
	return s.Browser.Find(ctx, t, facts)
}

// form is the body of one of our own forms, or of a request that another site
// has posted. A false answers the request.
func (s *server) form(c *gin.Context) (url.Values, bool) {
	c.Request.Form, c.Request.PostForm = nil, nil
	if err := c.Request.ParseForm(); err != nil {
		var large *http.MaxBytesError
		status := http.StatusBadRequest
		if errors.As(err, &large) {
			status = http.StatusRequestEntityTooLarge
		}
		s.show(c, status, Error{Kind: KindInvalid})
		return nil, false
	}
	return c.Request.PostForm, true
}

func (s *server) show(c *gin.Context, status int, p Page) {
	if e, ok := p.(Error); ok {
		e.RequestID = authserver.CallerFrom(c.Request.Context()).RequestID
		p = e
	}
	s.Renderer.Render(c.Writer, c.Request, status, p)
}

// seeOther sends the browser on, by GET whatever the method was (RFC 9700 §4.12).
func seeOther(c *gin.Context, address string) {
	c.Header("Cache-Control", "no-store")
	c.Header("Location", address)
	c.Status(http.StatusSeeOther)
	c.Writer.WriteHeaderNow()
}

// refusal answers with a page that says what was wrong with a request's origin.
func (s *server) refusal(kind Kind, status int) gin.HandlerFunc {
	return func(c *gin.Context) {
		inRequest := s.site.Path(oauth.PathAuthorize) == c.Request.URL.Path
		s.show(c, status, Error{Common: Common{InRequest: inRequest}, Kind: kind, BackURL: s.site.Path(PathAccount)})
	}
}

// fail answers what went wrong with a page.
func (s *server) fail(c *gin.Context, in Common, err error) {
	e := oauth.AsError(err)
	level := e.Level()
	s.Logger.Log(c.Request.Context(), level, "page refused", "err", e)
	kind := KindInternal
	switch {
	case errors.Is(err, authserver.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		kind = KindUnavailable
	case e.Code == oauth.CodeTooMany:
		kind = KindThrottled
	case e.Code == oauth.CodeUnavailable:
		kind = KindBusy
	}
	s.show(c, e.Status(), Error{Common: in, Kind: kind, RetryAfter: e.RetryAfter})
}

// tried is what a form says that was refused: why, with which status, and when to
// try again. False for what is no fault of the form's.
func tried(err error) (p Problem, status int, retry time.Duration, ok bool) {
	e := oauth.AsError(err)
	switch {
	case errors.Is(err, account.ErrWrongCredentials):
		return Wrong, http.StatusBadRequest, 0, true
	case errors.Is(err, authserver.ErrUnavailable):
		return Unavailable, e.Status(), e.RetryAfter, true
	case e.Code == oauth.CodeTooMany:
		return Throttled, e.Status(), e.RetryAfter, true
	case e.Code == oauth.CodeUnavailable:
		return Busy, e.Status(), e.RetryAfter, true
	}
	return "", 0, 0, false
}
