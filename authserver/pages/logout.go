package pages

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver/browser"
	"github.com/tokenwright/tokenwright/authserver/oauth"
)

// logoutPage answers GET /logout: it asks.
func (s *server) logoutPage(c *gin.Context) {
	session, err := s.current(c)
	if err != nil {
		s.fail(c, Common{}, err)
		return
	}
	if session == nil {
		s.show(c, http.StatusOK, SignedOut{LoginURL: s.site.Path(PathLogin)})
		return
	}
	s.askLogout(c, Common{}, s.site.Path(PathLogout), session)
}

// askLogout shows the page that asks, with the names of the applications whose
// sessions end with session. Its form posts to action.
func (s *server) askLogout(c *gin.Context, in Common, action string, session *browser.Session) {
	list, names, err := s.listed(c.Request.Context(), session)
	if err != nil {
		s.fail(c, in, err)
		return
	}
	p := LogoutAsk{Common: in, Action: action, Username: session.User.Username}
	seen := map[string]bool{}
	for _, one := range list {
		if one.EndsWith(session.ID) && !seen[one.ClientID] {
			seen[one.ClientID] = true
			p.Apps = append(p.Apps, names(one.ClientID))
		}
	}
	s.show(c, http.StatusOK, p)
}

// logOut answers POST /logout.
func (s *server) logOut(c *gin.Context) {
	form, ok := s.form(c)
	if !ok {
		return
	}
	if form.Get(fieldAct) == "stay" {
		seeOther(c, s.site.Path(PathAccount))
		return
	}
	session, err := s.current(c)
	switch {
	case err != nil:
		s.fail(c, Common{}, err)
	case session == nil:
		s.loggedOut(c, oauth.Logout{})
	default:
		s.endNow(c, oauth.Logout{}, session)
	}
}
