package pages

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/browser"
	"github.com/tokenwright/tokenwright/authserver/oauth"
)

// fieldReturn says where an account page goes on after a login.
const fieldReturn = "return"

// loginTo is the login page of an authorization request.
func (s *server) loginTo(a oauth.Authorization, session *browser.Session) Login {
	p := Login{
		Common: inRequest(a), Action: s.action(a), Hidden: []Field{{fieldTw, s.OAuth.Tw(a)}},
		ClientName: a.Client.DisplayName(), Username: a.Request.LoginHint, Cancel: true,
	}
	if session != nil {
		p.Notice, p.SignedInAs = Again, session.User.Username
		if p.Username == "" && !a.Request.Asks(authserver.PromptSelectAccount) {
			p.Username = session.User.Username
		}
	}
	if !s.RegistrationClosed {
		p.RegisterURL = s.site.Path(PathRegister) + "?" + s.onwardQuery(a).Encode()
	}
	return p
}

// showLoginTo shows the login page of a request before anything was tried.
func (s *server) showLoginTo(c *gin.Context, a oauth.Authorization, session *browser.Session) {
	p := s.loginTo(a, session)
	if c.Query(fieldAct) == actRegistered {
		p.Notice = Registered
	}
	s.show(c, http.StatusOK, p)
}

// logInTo answers the login form of an authorization request.
func (s *server) logInTo(c *gin.Context) {
	t := s.cookie(c)
	a, ok := s.asked(c, typed(c.Request.PostForm, t))
	if !ok {
		return
	}
	if err := s.authenticate(c, a.Facts, t, a.Client.ID); err != nil {
		p := s.loginTo(a, nil)
		s.showLogin(c, p, err)
		return
	}
	seeOther(c, s.again(a))
}

// typed asks for the user of a login form, and whether the browser session that
// the cookie t names has ended.
func typed(form url.Values, t *authserver.RefreshToken) authserver.Ask {
	var who authserver.Ask
	if name := form.Get("username"); len(name) <= account.MaxLogin {
		who.Login = name
	}
	if t != nil {
		who.ParentID = t.SID()
	}
	return who
}

// showLogin shows a login page again, with what was wrong.
func (s *server) showLogin(c *gin.Context, p Login, err error) {
	problem, status, retry, ok := tried(err)
	if !ok {
		s.fail(c, p.Common, err)
		return
	}
	p.Problem, p.RetryAfter = problem, retry
	if name := c.Request.PostForm.Get("username"); len(name) <= account.MaxLogin {
		p.Username = name
	}
	s.show(c, status, p)
}

// authenticate logs in who has filled in a login form, by the facts of that name,
// and gives the browser its cookie. t is the cookie of before.
func (s *server) authenticate(c *gin.Context, f authserver.Facts, t *authserver.RefreshToken, clientID string) error {
	form, ctx := c.Request.PostForm, c.Request.Context()
	username := form.Get("username")
	user, err := s.Users.Authenticate(ctx, username, form.Get("password"), f)
	if err != nil {
		s.OAuth.NoteLogin(ctx, username, f, clientID, err)
		return err
	}
	before, err := s.Browser.Find(ctx, t, f)
	if err != nil {
		return err
	}
	cookie, err := s.Browser.Open(ctx, user, []string{authserver.AMRPassword}, before)
	if err != nil {
		return err
	}
	s.OAuth.NoteLogin(ctx, username, f, clientID, nil)
	http.SetCookie(c.Writer, cookie)
	return nil
}

// cancel tells the client that the person does not want to log in.
func (s *server) cancel(c *gin.Context) {
	a, ok := s.asked(c, authserver.Ask{})
	if !ok {
		return
	}
	s.refuse(c, s.OAuth.Deny(c.Request.Context(), a, ""))
}

// loginPage answers GET /login, for the account pages.
func (s *server) loginPage(c *gin.Context) {
	session, err := s.current(c)
	if err != nil {
		s.fail(c, Common{}, err)
		return
	}
	if session != nil {
		seeOther(c, s.accountPage(c.Request.URL.Query().Get(fieldReturn)))
		return
	}
	p := s.loginHere(c.Query(fieldReturn))
	if c.Query(fieldAct) == actRegistered {
		p.Notice = Registered
	}
	s.show(c, http.StatusOK, p)
}

func (s *server) loginHere(to string) Login {
	p := Login{Action: s.site.Path(PathLogin), Hidden: []Field{{fieldReturn, to}}}
	if !s.RegistrationClosed {
		p.RegisterURL = s.site.Path(PathRegister)
	}
	return p
}

// logIn answers POST /login.
func (s *server) logIn(c *gin.Context) {
	form, ok := s.form(c)
	if !ok {
		return
	}
	t := s.cookie(c)
	facts, err := s.Facts.Facts(c.Request.Context(), typed(form, t))
	if err == nil {
		err = s.authenticate(c, facts, t, authserver.BrowserClientID)
	}
	if err != nil {
		s.showLogin(c, s.loginHere(form.Get(fieldReturn)), err)
		return
	}
	seeOther(c, s.accountPage(form.Get(fieldReturn)))
}

// accountPage is the account page that to names, or the first: nobody is sent
// anywhere else.
func (s *server) accountPage(to string) string {
	for _, p := range []string{PathAccountSessions, PathAccountApps, PathLogout} {
		if to == p {
			return s.site.Path(p)
		}
	}
	return s.site.Path(PathAccount)
}

// whom is who is logged in for an account page. Nobody is sent to log in; a false
// has answered.
func (s *server) whom(c *gin.Context) (*browser.Session, bool) {
	session, err := s.current(c)
	if err != nil {
		s.fail(c, Common{}, err)
		return nil, false
	}
	if session == nil {
		to := strings.TrimPrefix(c.Request.URL.Path, s.site.Path(""))
		seeOther(c, s.site.Path(PathLogin)+"?"+url.Values{fieldReturn: {to}}.Encode())
		return nil, false
	}
	return session, true
}
