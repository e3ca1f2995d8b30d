package pages

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/browser"
	"github.com/tokenwright/tokenwright/authserver/login"
	"github.com/tokenwright/tokenwright/authserver/oauth"
)

// Fields of our own beside those of an authorization request.
const (
	fieldAct   = "act"   // which button
	fieldTw    = "tw"    // when the way began; oauth.Begun
	fieldShown = "shown" // what a consent page has shown; login.Shown
)

// maxQuery is more than any authorization request takes that is not too long:
// percent-encoded each byte is three.
const maxQuery = 4 * oauth.MaxAuthorizationRequest

// silent reports whether an authorization request's answer shows nothing, so that
// it may stand in a frame.
func silent(r *http.Request) bool {
	return slices.Equal(strings.Fields(r.URL.Query().Get("prompt")), []string{authserver.PromptNone})
}

// authorize answers GET /oauth/authorize: with the page that comes next, or with
// an answer for the client.
func (s *server) authorize(c *gin.Context) {
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		s.show(c, http.StatusBadRequest, Error{Common: Common{InRequest: true}, Kind: KindInvalid})
		return
	}
	t := s.cookie(c)
	a, err := s.OAuth.Authorize(c.Request.Context(), query, query.Get(fieldTw), browser.Ask(t))
	if err != nil {
		s.refuse(c, err)
		return
	}
	session, err := s.Browser.Find(c.Request.Context(), t, a.Facts)
	if err != nil {
		s.failTo(c, a, err)
		return
	}
	s.next(c, a, session)
}

// next takes the step that comes next.
func (s *server) next(c *gin.Context, a oauth.Authorization, session *browser.Session) {
	step := login.Next(login.Known{
		Request: &a.Request, Begun: a.Begun.At, Now: time.Now(), Login: session.Login(),
		Trusted: a.Client.Trusted, Scopes: a.Scope, Consent: a.Facts.Consent,
	})
	switch step {
	case login.Register:
		act := c.Query(fieldAct) // of who comes back from that page
		if act != actLogin && act != actRegistered && !s.RegistrationClosed {
			seeOther(c, s.site.Path(PathRegister)+"?"+s.onwardQuery(a).Encode())
			return
		}
		s.showLoginTo(c, a, session)
	case login.Authenticate:
		s.showLoginTo(c, a, session)
	case login.Ask:
		s.show(c, http.StatusOK, s.consentTo(a, session))
	case login.Done:
		answer, err := s.OAuth.Answer(c.Request.Context(), a, *session.Login())
		if err != nil {
			s.failTo(c, a, err)
			return
		}
		s.tell(c, a.Client.DisplayName(), answer)
	case login.LoginRequired:
		s.refuse(c, s.OAuth.RefuseFor(a, oauth.CodeLoginRequired))
	case login.ConsentRequired:
		s.refuse(c, s.OAuth.RefuseFor(a, oauth.CodeConsentRequired))
	case login.UnmetAuthentication:
		s.refuse(c, s.OAuth.RefuseFor(a, oauth.CodeUnmetAuthentication))
	}
}

// postAuthorize answers POST /oauth/authorize: one of our own forms, which posts
// to the address of its request, or a request that another site has posted. That
// comes again by GET, and with it the cookie (RFC 6265bis §5.8.2).
func (s *server) postAuthorize(c *gin.Context) {
	form, ok := s.form(c)
	if !ok {
		return
	}
	if !form.Has(fieldAct) {
		s.byGet(c, oauth.PathAuthorize, form)
		return
	}
	var act gin.HandlerFunc
	switch form.Get(fieldAct) {
	case "login":
		act = s.logInTo
	case "cancel":
		act = s.cancel
	case "allow", "deny", "switch":
		act = s.consented
	default:
		act = s.refusal(KindInvalid, http.StatusBadRequest)
	}
	s.ownForm(act)(c)
}

// byGet lets a request that another site has posted come again by GET.
func (s *server) byGet(c *gin.Context, path string, form url.Values) {
	query := form.Encode()
	if len(query) > maxQuery {
		s.show(c, http.StatusBadRequest, Error{Common: Common{InRequest: true}, Kind: KindLong})
		return
	}
	seeOther(c, s.site.Path(path)+"?"+query)
}

// asked judges the request that one of our forms belongs to. A false has answered.
func (s *server) asked(c *gin.Context, who authserver.Ask) (oauth.Authorization, bool) {
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		s.show(c, http.StatusBadRequest, Error{Common: Common{InRequest: true}, Kind: KindInvalid})
		return oauth.Authorization{}, false
	}
	a, err := s.OAuth.Authorize(c.Request.Context(), query, c.Request.PostForm.Get(fieldTw), who)
	if err != nil {
		s.refuse(c, err)
		return oauth.Authorization{}, false
	}
	return a, true
}

// again is where a's request goes on.
func (s *server) again(a oauth.Authorization) string {
	return s.site.Path(oauth.PathAuthorize) + "?" + s.onwardQuery(a).Encode()
}

// onwardQuery are the parameters by which a's request goes on.
func (s *server) onwardQuery(a oauth.Authorization) url.Values {
	q := url.Values{fieldTw: {s.OAuth.Tw(a)}}
	for name, values := range a.Address {
		q[name] = values
	}
	return q
}

// action is where a form of a's request posts to.
func (s *server) action(a oauth.Authorization) string {
	return s.site.Path(oauth.PathAuthorize) + "?" + a.Address.Encode()
}

func inRequest(a oauth.Authorization) Common {
	return Common{InRequest: true, UILocales: strings.Join(a.Request.UILocales, " ")}
}

// tell lets the browser carry an answer to the client.
func (s *server) tell(c *gin.Context, name string, a authserver.AuthorizationAnswer) {
	if a.ResponseMode != authserver.ResponseFormPost {
		seeOther(c, a.Location())
		return
	}
	p := FormPost{Action: a.Target, ClientName: name}
	for _, f := range a.Fields {
		p.Fields = append(p.Fields, Field{f.Name, f.Value})
	}
	s.show(c, http.StatusOK, p)
}

// failTo is refuse for a request that is good: what goes wrong with us the client
// hears where nobody sees a page (RFC 6749 §4.1.2.1).
func (s *server) failTo(c *gin.Context, a oauth.Authorization, err error) {
	if _, ok := errors.AsType[*oauth.Refusal](err); !ok && a.Request.Asks(authserver.PromptNone) {
		e := oauth.AsError(err)
		s.Logger.Log(c.Request.Context(), e.Level(), "silent request not answered", "err", e)
		err = s.OAuth.Refuse(a.Request, e)
	}
	s.refuse(c, err)
}

// refuse tells the client what was wrong with its request or, if nobody is known
// to tell, the person.
func (s *server) refuse(c *gin.Context, err error) {
	in := Common{InRequest: true}
	refusal, ok := errors.AsType[*oauth.Refusal](err)
	if !ok {
		s.fail(c, in, err)
		return
	}
	s.Logger.InfoContext(c.Request.Context(), "authorization request refused", "err", refusal)
	if refusal.Answer != nil {
		s.tell(c, "", *refusal.Answer)
		return
	}
	kind := KindRequest
	switch {
	case errors.Is(err, oauth.ErrUnknownClient):
		kind = KindClient
	case errors.Is(err, oauth.ErrRedirectURI):
		kind = KindRedirect
	case errors.Is(err, oauth.ErrRequestTooLong):
		kind = KindLong
	}
	s.show(c, http.StatusBadRequest, Error{Common: in, Kind: kind})
}
