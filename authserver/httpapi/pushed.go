package httpapi

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/web"
)

// pushedForm describes what POST /oauth/par takes; oauth reads it.
type pushedForm struct {
	ResponseType        string `json:"response_type" enum:"code"`
	ClientID            string `json:"client_id,omitempty"`
	ClientSecret        string `json:"client_secret,omitempty" format:"password"`
	RedirectURI         string `json:"redirect_uri,omitempty"`
	Scope               string `json:"scope,omitempty"`
	State               string `json:"state,omitempty"`
	CodeChallenge       string `json:"code_challenge,omitempty"`
	CodeChallengeMethod string `json:"code_challenge_method,omitempty" enum:"S256"`
}

// pushing adds the route that takes an authorization request beforehand.
func (d *document) pushing(op huma.Operation, h gin.HandlerFunc) {
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-www-form-urlencoded": media[pushedForm](d)}}
	op.Responses = map[string]*huma.Response{
		"201": {Description: "Created", Content: map[string]*huma.MediaType{"application/json": media[oauth.Pushed](d)}},
		"400": {Description: "Bad Request", Content: map[string]*huma.MediaType{"application/json": media[oauthError](d)}},
		"401": {Description: "Unauthorized", Content: map[string]*huma.MediaType{"application/json": media[oauthError](d)}},
	}
	d.api.OpenAPI().AddOperation(&op)
	d.site.Handle(op.Method, op.Path, h)
}

// push answers POST /oauth/par.
func (s *server) push(c *gin.Context) {
	pushed, err := s.OAuth.Push(c.Request)
	if err != nil {
		s.refuseOAuth(c, err)
		return
	}
	c.Header("Cache-Control", "no-store")
	web.WriteJSON(c.Writer, http.StatusCreated, pushed)
}
