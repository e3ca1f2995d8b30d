package pages

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/browser"
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
	p := LogoutAsk{Action: s.site.Path(PathLogout), Username: session.User.Username}
	if p.Apps, err = s.endingWith(c, session); err != nil {
		s.fail(c, Common{}, err)
		return
	}
	s.show(c, http.StatusOK, p)
}

// endingWith are the names of the applications whose sessions end with session.
func (s *server) endingWith(c *gin.Context, session *browser.Session) ([]string, error) {
	list, _, err := s.Sessions.List(c.Request.Context(), session.Subject, authserver.Page{Limit: mostListed})
	if err != nil {
		return nil, err
	}
	names, err := s.clientNames(c.Request.Context())
	if err != nil {
		return nil, err
	}
	var apps []string
	seen := map[string]bool{}
	for _, one := range list {
		if one.EndsWith(session.ID) && !seen[one.ClientID] {
			seen[one.ClientID] = true
			apps = append(apps, names(one.ClientID))
		}
	}
	return apps, nil
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
	if err == nil && session != nil {
		err = s.Sessions.Logout(c.Request.Context(), session.Asker())
	}
	if err != nil && !errors.Is(err, authserver.ErrSessionEnded) {
		s.fail(c, Common{}, err)
		return
	}
	http.SetCookie(c.Writer, s.Browser.Clear())
	s.show(c, http.StatusOK, SignedOut{LoginURL: s.site.Path(PathLogin)})
}
