package httpapi

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/web"
)

const schemeOAuth2 = "oauth2"

// document collects the routes: each goes on the site and into the OpenAPI
// document in one step.
type document struct {
	site *web.Site
	api  huma.API
}

// newDocument is a document without routes. Authorization and token endpoint are
// below base, which is relative where they are served.
func newDocument(site *web.Site, settings Settings, base string) *document {
	scopes := map[string]string{}
	for name, scope := range settings.Scopes {
		scopes[name] = scope.Description
	}
	token := base + pathToken
	flows := &huma.OAuthFlows{
		AuthorizationCode: &huma.OAuthFlow{AuthorizationURL: base + oauth.PathAuthorize, TokenURL: token, RefreshURL: token, Scopes: scopes},
	}
	if !settings.Strict {
		flows.Password = &huma.OAuthFlow{TokenURL: token, RefreshURL: token, Scopes: scopes}
	}
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Tokenwright", Version: settings.Version, Description: "Authorization server and the API that comes with it."},
			Tags:    []*huma.Tag{{Name: tagUsers}, {Name: tagAPI}, {Name: tagOAuth}, {Name: tagServer}},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{schemeOAuth2: {Type: "oauth2", Flows: flows}},
			},
		},
		Formats: map[string]huma.Format{
			"application/json": {Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal},
		},
		DefaultFormat: "application/json",
	}
	if base := site.Path(""); base != "" {
		config.Servers = []*huma.Server{{URL: base}}
	}
	config.AllowAdditionalPropertiesByDefault = true // unknown members are ignored
	return &document{site: site, api: huma.NewAPI(config, router{site})}
}

// schemaName is the type's name, but for types whose name says too little
// outside their package.
func schemaName(t reflect.Type, hint string) string {
	switch t {
	case reflect.TypeFor[oauth.Response]():
		return "Token"
	case reflect.TypeFor[invalid]():
		return "HTTPValidationError"
	}
	name := huma.DefaultSchemaNamer(t, hint)
	return strings.ToUpper(name[:1]) + name[1:]
}

// plain adds a route that huma does not decode; its form is of type T.
func plain[T any](d *document, op huma.Operation, h gin.HandlerFunc) {
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-www-form-urlencoded": media[T](d)}}
	d.tokens(op, h)
}

// about adds a route that takes a token and answers with a T about it.
func about[T any](d *document, op huma.Operation, h gin.HandlerFunc) {
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-www-form-urlencoded": media[aboutForm](d)}}
	d.answers(op, media[T](d), media[oauthError], h)
}

// events adds a route that answers with server-sent events.
func (d *document) events(op huma.Operation, h gin.HandlerFunc) {
	op.Responses = map[string]*huma.Response{
		"200": {Description: "OK", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string"}}}},
		"401": {Description: "Unauthorized", Content: map[string]*huma.MediaType{"application/json": media[oauthError](d)}},
		"403": {Description: "Forbidden", Content: map[string]*huma.MediaType{"application/json": media[oauthError](d)}},
	}
	d.api.OpenAPI().AddOperation(&op)
	d.site.Handle(op.Method, op.Path, h)
}

// refreshing adds the route that takes a refresh token in every way that the
// tutorial's clients may send it.
func (d *document) refreshing(op huma.Operation, strict bool, h gin.HandlerFunc) {
	body := media[refreshForm](d)
	op.RequestBody = &huma.RequestBody{Required: strict, Content: map[string]*huma.MediaType{
		"application/x-www-form-urlencoded": body,
		"application/json":                  body,
	}}
	if !strict {
		op.Parameters = []*huma.Param{{
			Name: "refresh_token", In: "query", Deprecated: true, Schema: &huma.Schema{Type: "string"},
			Description: "Queries end up in logs: send it in the body.",
		}}
	}
	d.tokens(op, h)
}

// tokens adds a route that answers with tokens.
func (d *document) tokens(op huma.Operation, h gin.HandlerFunc) {
	if op.Path == pathToken {
		d.answers(op, media[oauth.Response](d), media[oauthError], h)
		return
	}
	op.Responses = map[string]*huma.Response{"422": d.unprocessable()}
	d.answers(op, media[oauth.Response](d), media[web.Problem], h)
}

// answers adds a route with what it says when it succeeds and when it does not.
func (d *document) answers(op huma.Operation, success *huma.MediaType, failure func(*document) *huma.MediaType, h gin.HandlerFunc) {
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{"application/json": success}}
	for _, status := range []int{400, 401, 413, 429, 500, 503} {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{"application/json": failure(d)},
		}
	}
	d.api.OpenAPI().AddOperation(&op)
	d.site.Handle(op.Method, op.Path, h)
}

// published adds a document that everyone may read and keep for a while.
func (d *document) published(path, id, summary string, content func() []byte) {
	op := operation(http.MethodGet, path, id, summary, tagOAuth)
	op.Responses = map[string]*huma.Response{
		"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: "object"}}}},
		"304": {Description: "Not Modified"},
	}
	d.api.OpenAPI().AddOperation(&op)
	d.site.Handle(op.Method, op.Path, publish(content))
}

// media describes a body by its type.
func media[T any](d *document) *huma.MediaType {
	t := reflect.TypeFor[T]()
	return &huma.MediaType{Schema: d.api.OpenAPI().Components.Schemas.Schema(t, true, t.Name())}
}

func (d *document) unprocessable() *huma.Response {
	return &huma.Response{
		Description: "Unprocessable Entity",
		Content:     map[string]*huma.MediaType{"application/json": media[invalid](d)},
	}
}

// marshal writes the document, which does not change after.
func (d *document) marshal() ([]byte, error) {
	for _, item := range d.api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Delete} {
			if op != nil && op.Responses["422"] != nil { // huma knows one type of error
				op.Responses["422"] = d.unprocessable()
			}
		}
	}
	return json.MarshalIndent(d.api.OpenAPI(), "", "  ")
}
