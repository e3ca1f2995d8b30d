package pages

import (
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/browser"
	"github.com/tokenwright/tokenwright/authserver/login"
	"github.com/tokenwright/tokenwright/authserver/oauth"
)

// shown is what the consent page of a's request shows to session's user.
func shown(a oauth.Authorization, session *browser.Session) login.Shown {
	return login.Shown{
		Subject: session.Subject, ClientID: a.Client.ID, Incarnation: a.Client.Incarnation,
		Scopes: a.Scope, Resources: a.Request.Resources,
	}
}

func (s *server) consentTo(a oauth.Authorization, session *browser.Session) Consent {
	p := Consent{
		Common: inRequest(a), Action: s.action(a),
		Hidden:     []Field{{fieldTw, s.OAuth.Tw(a)}, {fieldShown, shown(a, session).Seal(s.Shown)}},
		ClientName: a.Client.Name, ClientID: a.Client.ID, RedirectURI: a.Request.Target, Username: session.User.Username,
	}
	for _, name := range a.Scope {
		known := a.Facts.Consent != nil && slices.Contains(a.Facts.Consent.Scopes, name)
		p.Scopes = append(p.Scopes, Scope{name, a.Facts.Scopes[name].Description, known})
	}
	// That of the bundled API alone says nothing to people.
	if !slices.Equal(a.Request.Resources, []string{s.OAuth.Settings.Audience}) {
		p.Resources = a.Request.Resources
	}
	return p
}

// consented answers the consent form.
func (s *server) consented(c *gin.Context) {
	t, ctx, form := s.cookie(c), c.Request.Context(), c.Request.PostForm
	a, ok := s.asked(c, browser.Ask(t))
	if !ok {
		return
	}
	session, err := s.Browser.Find(ctx, t, a.Facts)
	if err != nil {
		s.fail(c, inRequest(a), err)
		return
	}
	if session == nil { // it has ended while the page was open
		p := s.loginTo(a, nil)
		p.Notice = Ended
		s.show(c, http.StatusOK, p)
		return
	}
	switch form.Get(fieldAct) {
	case "deny":
		s.refuse(c, s.OAuth.Deny(ctx, a, session.Subject))
		return
	case "switch":
		p := s.loginTo(a, session)
		p.Username, p.Notice = "", ""
		s.show(c, http.StatusOK, p)
		return
	}
	if !shown(a, session).Was(s.Shown, form.Get(fieldShown)) {
		seeOther(c, s.again(a)) // something has changed: it is shown again
		return
	}
	_, err = s.Consents.Grant(ctx, authserver.Consent{
		Subject: session.Subject, ClientID: a.Client.ID, Scopes: a.Scope, Resources: a.Request.Resources, GrantedAt: time.Now(),
	}, authserver.FromCaller(ctx, authserver.Event{
		Act: "consent.grant", Result: "success", Actor: session.Subject, Subject: session.Subject, ClientID: a.Client.ID, SessionID: session.ID,
	}))
	if err != nil {
		s.fail(c, inRequest(a), err)
		return
	}
	seeOther(c, s.again(a))
}
