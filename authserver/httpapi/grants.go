package httpapi

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/web"
)

// tokenForm describes what POST /oauth/token takes; oauth reads it.
type tokenForm struct {
	GrantType    string   `json:"grant_type" enum:"authorization_code,password,refresh_token,client_credentials"`
	Code         string   `json:"code,omitempty" doc:"With the authorization_code grant"`
	RedirectURI  string   `json:"redirect_uri,omitempty" doc:"If it was in the authorization request"`
	CodeVerifier string   `json:"code_verifier,omitempty" doc:"RFC 7636"`
	Username     string   `json:"username,omitempty" doc:"With the password grant: name or e-mail address"`
	Password     string   `json:"password,omitempty" format:"password"`
	RefreshToken string   `json:"refresh_token,omitempty"`
	Scope        string   `json:"scope,omitempty" doc:"Separated by spaces; left out: all that may be had"`
	Resource     []string `json:"resource,omitempty" nullable:"false" doc:"RFC 8707"`
	ClientID     string   `json:"client_id,omitempty"`
	ClientSecret string   `json:"client_secret,omitempty" format:"password"`
}

// loginForm describes what POST /auth/login takes.
type loginForm struct {
	Username     string `json:"username" doc:"Name or e-mail address"`
	Password     string `json:"password" format:"password"`
	GrantType    string `json:"grant_type,omitempty" enum:"password"`
	Scope        string `json:"scope,omitempty"`
	ClientID     string `json:"client_id,omitempty"`
	ClientSecret string `json:"client_secret,omitempty" format:"password"`
}

// refreshForm describes what POST /auth/refresh takes, also as JSON.
type refreshForm struct {
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope,omitempty"`
	ClientID     string `json:"client_id,omitempty"`
	ClientSecret string `json:"client_secret,omitempty" format:"password"`
}

// oauthError is the body of RFC 6749 §5.2.
type oauthError struct {
	Error       string `json:"error" example:"invalid_grant"`
	Description string `json:"error_description,omitempty"`
}

// token answers POST /oauth/token.
func (s *server) token(c *gin.Context) {
	response, err := s.OAuth.Token(c.Request)
	if err != nil {
		s.refuseOAuth(c, err)
		return
	}
	writeTokens(c, response)
}

// refuseOAuth answers an error of an OAuth endpoint in the RFC's body.
func (s *server) refuseOAuth(c *gin.Context, err error) {
	e, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		e = &oauth.Error{Code: oauth.CodeServerError, Detail: "The server met an unexpected condition."}
	}
	s.log(c.Request.Context(), e.Level(), "request refused", e)
	e.WriteTo(c.Writer)
}

// login answers POST /auth/login.
func (s *server) login(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	form, refused := readForm(c.Request)
	if refused == nil {
		refused = require(form, "username", "password")
	}
	if refused != nil {
		writeRefusal(c.Writer, refused)
		return
	}
	response, err := s.OAuth.Login(c.Request, form)
	if err != nil {
		writeRefusal(c.Writer, s.loginRefusal(c.Request.Context(), err))
		return
	}
	writeTokens(c, response)
}

// refreshInQuery is when taking refresh tokens from a query became deprecated,
// for the header of RFC 9745: 24 November 2026.
const refreshInQuery = "@1795478400"

// refresh answers POST /auth/refresh.
func (s *server) refresh(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	if c.Request.URL.Query().Has("refresh_token") {
		if s.Settings.Strict {
			web.NewProblem(http.StatusBadRequest, "Send refresh_token in the body, not in the query").Write(c.Writer)
			return
		}
		c.Header("Deprecation", refreshInQuery)
	}
	form, refused := readRefresh(c.Request)
	if refused != nil {
		writeRefusal(c.Writer, refused)
		return
	}
	response, err := s.OAuth.Refresh(c.Request, form)
	if err != nil {
		writeRefusal(c.Writer, s.refreshRefusal(c.Request.Context(), err))
		return
	}
	writeTokens(c, response)
}

// readRefresh takes the token from the body or, as the tutorial's clients do,
// from the query.
func readRefresh(r *http.Request) (url.Values, error) {
	form := url.Values{}
	if r.ContentLength != 0 {
		var err error
		if form, err = readBody(r); err != nil {
			return nil, err
		}
	}
	if tokens := r.URL.Query()["refresh_token"]; !form.Has("refresh_token") && len(tokens) > 0 {
		form["refresh_token"] = tokens
		if err := checkForm(form); err != nil {
			return nil, err
		}
	}
	return form, require(form, "refresh_token")
}

func writeTokens(c *gin.Context, response oauth.Response) {
	c.Header("Cache-Control", "no-store")
	c.Header("Pragma", "no-cache") // RFC 6749 §5.1
	web.WriteJSON(c.Writer, http.StatusOK, response)
}
