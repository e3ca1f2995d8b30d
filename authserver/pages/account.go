package pages

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/browser"
	"github.com/tokenwright/tokenwright/authserver/oauth"
)

// mostListed is how many sessions a page shows, the last used first.
const mostListed = 200

func (s *server) menu(session *browser.Session) Menu {
	return Menu{
		Username: session.User.Username, AccountURL: s.site.Path(PathAccount),
		SessionsURL: s.site.Path(PathAccountSessions), AppsURL: s.site.Path(PathAccountApps), LogoutURL: s.site.Path(PathLogout),
	}
}

// account answers GET /account.
func (s *server) account(c *gin.Context) {
	session, ok := s.whom(c)
	if !ok {
		return
	}
	s.show(c, http.StatusOK, Account{Menu: s.menu(session), FullName: session.User.FullName, Email: session.User.Email})
}

// sessions answers GET /account/sessions.
func (s *server) sessions(c *gin.Context) {
	if session, ok := s.whom(c); ok {
		s.showSessions(c, session, "")
	}
}

func (s *server) showSessions(c *gin.Context, session *browser.Session, done Done) {
	list, names, err := s.listed(c.Request.Context(), session)
	if err != nil {
		s.fail(c, Common{}, err)
		return
	}
	p := Sessions{Menu: s.menu(session), Action: s.site.Path(PathAccountSessions), Done: done}
	for _, one := range list {
		p.List = append(p.List, SessionRow{
			ID: one.ID, ParentID: one.Parent, Browser: one.OfBrowser(), Current: one.ID == session.ID, Client: names(one.ClientID),
			Device: one.UserAgent, IP: one.IP, CreatedAt: one.CreatedAt, LastUsedAt: one.LastUsedAt,
		})
	}
	s.show(c, http.StatusOK, p)
}

// listed are the sessions of who is logged in, and what people see of their
// clients.
func (s *server) listed(ctx context.Context, session *browser.Session) ([]authserver.Session, func(id string) string, error) {
	list, _, err := s.Sessions.List(ctx, session.Subject, authserver.Page{Limit: mostListed})
	if err != nil {
		return nil, nil, err
	}
	names, err := s.clientNames(ctx)
	return list, names, err
}

// clientNames tells what people see of a client.
func (s *server) clientNames(ctx context.Context) (func(id string) string, error) {
	clients, err := s.Clients.List(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, client := range clients {
		names[client.ID] = client.DisplayName()
	}
	return func(id string) string {
		if name, ok := names[id]; ok {
			return name
		}
		return id
	}, nil
}

// sent is a form of an account page, and who sends it. A false has answered.
func (s *server) sent(c *gin.Context) (url.Values, *browser.Session, bool) {
	form, ok := s.form(c)
	if !ok {
		return nil, nil, false
	}
	session, ok := s.whom(c)
	return form, session, ok
}

// endSessions answers POST /account/sessions.
func (s *server) endSessions(c *gin.Context) {
	form, session, ok := s.sent(c)
	if !ok {
		return
	}
	ctx, done := c.Request.Context(), SessionEnded
	var err error
	switch form.Get(fieldAct) {
	case "end_others":
		done = SessionsEnded
		err = s.Sessions.EndOthers(ctx, session.Asker())
	default:
		err = s.Sessions.EndOne(ctx, session.Asker(), form.Get("sid"))
	}
	switch {
	case errors.Is(err, authserver.ErrNotFound):
		done = AlreadyDone
	case errors.Is(err, authserver.ErrSessionEnded):
		s.whom(c)
		return
	case err != nil:
		s.fail(c, Common{}, err)
		return
	}
	if form.Get("sid") == session.ID {
		s.loggedOut(c, oauth.Logout{})
		return
	}
	s.showSessions(c, session, done)
}

// apps answers GET /account/apps.
func (s *server) apps(c *gin.Context) {
	if session, ok := s.whom(c); ok {
		s.showApps(c, session, "")
	}
}

func (s *server) showApps(c *gin.Context, session *browser.Session, done Done) {
	ctx := c.Request.Context()
	consents, err := s.Consents.Consents(ctx, session.Subject)
	if err != nil {
		s.fail(c, Common{}, err)
		return
	}
	names, err := s.clientNames(ctx)
	if err != nil {
		s.fail(c, Common{}, err)
		return
	}
	scopes, err := s.Clients.Scopes(ctx)
	if err != nil {
		s.fail(c, Common{}, err)
		return
	}
	p := Apps{Menu: s.menu(session), Action: s.site.Path(PathAccountApps), Done: done}
	for _, given := range consents {
		row := AppRow{ClientID: given.ClientID, Name: names(given.ClientID), GrantedAt: given.GrantedAt}
		for _, name := range given.Scopes {
			row.Scopes = append(row.Scopes, Scope{Name: name, Description: scopes[name].Description})
		}
		for _, resource := range given.Resources {
			if resource != s.OAuth.Settings.Audience {
				row.Resources = append(row.Resources, resource)
			}
		}
		p.List = append(p.List, row)
	}
	s.show(c, http.StatusOK, p)
}

// withdraw answers POST /account/apps.
func (s *server) withdraw(c *gin.Context) {
	form, session, ok := s.sent(c)
	if !ok {
		return
	}
	done := AppWithdrawn
	err := s.Sessions.Withdraw(c.Request.Context(), s.Consents, session.Asker(), form.Get("client_id"))
	if errors.Is(err, authserver.ErrNotFound) {
		done, err = AlreadyDone, nil
	}
	if err != nil {
		s.fail(c, Common{}, err)
		return
	}
	s.showApps(c, session, done)
}
