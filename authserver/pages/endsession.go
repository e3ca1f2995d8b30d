package pages

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/browser"
	"github.com/tokenwright/tokenwright/authserver/oauth"
)

// endSession answers GET /oauth/logout: at once for a hint of this browser's
// session, and else with a page that asks.
func (s *server) endSession(c *gin.Context) {
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		s.show(c, http.StatusBadRequest, Error{Kind: KindInvalid})
		return
	}
	l, session, ok := s.logoutAsked(c, query)
	if !ok {
		return
	}
	if session == nil {
		s.loggedOut(c, l)
		return
	}
	mine, err := s.isOf(c, l, session)
	if err != nil {
		s.fail(c, Common{}, err)
		return
	}
	if mine {
		s.endNow(c, l, session)
		return
	}
	s.askLogout(c, inLogout(l), s.site.Path(oauth.PathEndSession)+"?"+l.Parameters.Encode(), session)
}

// postEndSession answers POST /oauth/logout: our own form, or a request that
// another site has posted, which comes again by GET and with the cookie.
func (s *server) postEndSession(c *gin.Context) {
	form, ok := s.form(c)
	if !ok {
		return
	}
	if !form.Has(fieldAct) {
		s.byGet(c, oauth.PathEndSession, form)
		return
	}
	s.ownForm(s.answerEndSession)(c)
}

// answerEndSession answers the form of the page that asks.
func (s *server) answerEndSession(c *gin.Context) {
	if c.Request.PostForm.Get(fieldAct) == "stay" {
		seeOther(c, s.site.Path(PathAccount))
		return
	}
	l, session, ok := s.logoutAsked(c, c.Request.URL.Query())
	if !ok {
		return
	}
	if session == nil {
		s.loggedOut(c, l)
		return
	}
	s.endNow(c, l, session)
}

// logoutAsked judges a request to log out and finds who is logged in. A false has
// answered.
func (s *server) logoutAsked(c *gin.Context, query url.Values) (oauth.Logout, *browser.Session, bool) {
	l, err := s.OAuth.EndSession(c.Request.Context(), query)
	kind := KindRequest
	switch {
	case err == nil:
		session, err := s.current(c)
		if err != nil {
			s.fail(c, inLogout(l), err)
			return l, nil, false
		}
		return l, session, true
	case errors.Is(err, oauth.ErrLogoutClient):
		kind = KindClient
	case errors.Is(err, oauth.ErrPostLogoutAddress):
		kind = KindRedirect
	case errors.Is(err, oauth.ErrLogoutHint), errors.Is(err, oauth.ErrLogoutTwice):
	default:
		s.fail(c, inLogout(l), err)
		return l, nil, false
	}
	s.Logger.InfoContext(c.Request.Context(), "logout request refused", "err", err)
	s.show(c, http.StatusBadRequest, Error{Common: inLogout(l), Kind: kind, BackURL: s.site.Path(PathAccount)})
	return l, nil, false
}

// isOf reports whether the hint of l is of a session that this browser's has
// opened. One that is gone says nothing any more.
func (s *server) isOf(c *gin.Context, l oauth.Logout, session *browser.Session) (bool, error) {
	if l.SessionID == "" || l.Subject != session.Subject {
		return false, nil
	}
	child, err := s.Sessions.Store.Session(c.Request.Context(), l.SessionID)
	if errors.Is(err, authserver.ErrNotFound) {
		return false, nil
	}
	return err == nil && child.Parent == session.ID, err
}

// endNow ends session and what it opened.
func (s *server) endNow(c *gin.Context, l oauth.Logout, session *browser.Session) {
	err := s.Sessions.Logout(c.Request.Context(), session.Asker())
	if err != nil && !errors.Is(err, authserver.ErrSessionEnded) {
		s.fail(c, inLogout(l), err)
		return
	}
	s.loggedOut(c, l)
}

// loggedOut is what comes after a logout.
func (s *server) loggedOut(c *gin.Context, l oauth.Logout) {
	http.SetCookie(c.Writer, s.Browser.Clear())
	if l.Target != "" {
		seeOther(c, l.Target)
		return
	}
	s.show(c, http.StatusOK, SignedOut{Common: inLogout(l), LoginURL: s.site.Path(PathLogin)})
}

// inLogout is set on pages after which a redirect to a client may follow.
func inLogout(l oauth.Logout) Common {
	return Common{InRequest: l.Target != "", UILocales: strings.Join(l.UILocales, " ")}
}
