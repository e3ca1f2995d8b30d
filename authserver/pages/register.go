package pages

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/oauth"
)

// registerPage answers GET /register. Its query is that of the authorization
// request that goes on afterwards, or empty.
func (s *server) registerPage(c *gin.Context) {
	s.show(c, http.StatusOK, s.registerHere(c))
}

func (s *server) registerHere(c *gin.Context) Register {
	query := c.Request.URL.Query()
	p := Register{
		Common: Common{InRequest: query.Has("client_id"), UILocales: query.Get("ui_locales")},
		Action: s.site.Path(PathRegister), LoginURL: s.toLogin(query, actLogin),
	}
	if len(query) > 0 {
		p.Action += "?" + query.Encode()
	}
	return p
}

// Why the page to register leads to a login, as act: the request may have asked
// for a new account.
const (
	actLogin      = "login"
	actRegistered = "registered"
)

// toLogin is where people log in who have an account, by now or already.
func (s *server) toLogin(query url.Values, why string) string {
	q := url.Values{fieldAct: {why}}
	if !query.Has("client_id") {
		return s.site.Path(PathLogin) + "?" + q.Encode()
	}
	return s.onward(query, PathLogin) + "&" + q.Encode()
}

// onward is where an authorization request goes on, or else an account page.
func (s *server) onward(query url.Values, page string) string {
	if !query.Has("client_id") {
		return s.site.Path(page)
	}
	return s.site.Path(oauth.PathAuthorize) + "?" + query.Encode()
}

// register answers POST /register.
func (s *server) register(c *gin.Context) {
	form, ok := s.form(c)
	if !ok {
		return
	}
	ctx := c.Request.Context()
	p := s.registerHere(c)
	p.Username, p.Email, p.FullName = form.Get("username"), form.Get("email"), form.Get("full_name")
	user, err := s.Users.Register(ctx, account.Registration{
		Username: p.Username, Email: p.Email, FullName: p.FullName, Password: form.Get("password"), Active: true,
	})
	if err != nil {
		s.registerAgain(c, p, err)
		return
	}
	cookie, err := s.Browser.Open(ctx, user, []string{authserver.AMRPassword}, nil)
	if err != nil { // the account is made all the same
		s.Logger.ErrorContext(ctx, "browser session not opened", "user", user.Subject, "err", err)
		seeOther(c, s.toLogin(c.Request.URL.Query(), actRegistered))
		return
	}
	s.OAuth.NoteLogin(ctx, user.Username, authserver.Facts{User: &user}, authserver.BrowserClientID, nil)
	http.SetCookie(c.Writer, cookie)
	seeOther(c, s.onward(c.Request.URL.Query(), PathAccount))
}

// registerAgain shows the form again, with what was wrong beside its field.
func (s *server) registerAgain(c *gin.Context, p Register, err error) {
	status := http.StatusUnprocessableEntity
	switch {
	case errors.Is(err, authserver.ErrUsernameTaken):
		p.Faults = []Fault{{Field: "username", Type: "taken"}}
	case errors.Is(err, authserver.ErrEmailTaken):
		p.Faults = []Fault{{Field: "email", Type: "taken"}}
	default:
		p.Faults = faults(err)
	}
	if len(p.Faults) == 0 {
		var known bool
		if p.Problem, status, p.RetryAfter, known = tried(err); !known {
			s.fail(c, p.Common, err)
			return
		}
	}
	s.show(c, status, p)
}

// faults are the *account.InvalidError that err joins.
func faults(err error) []Fault {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []Fault
		for _, one := range joined.Unwrap() {
			all = append(all, faults(one)...)
		}
		return all
	}
	if e, ok := errors.AsType[*account.InvalidError](err); ok {
		return []Fault{{Field: e.Field, Type: e.Type, Message: e.Message}}
	}
	return nil
}
