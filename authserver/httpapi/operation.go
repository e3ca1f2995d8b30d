package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/web"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/api"
	"github.com/tokenwright/tokenwright/resource/ginauth"
)

const (
	tagOAuth  = "OAuth"
	tagUsers  = "Users"
	tagAPI    = "API"
	tagServer = "Server"
)

// body is the output of an operation that answers with JSON.
type body[T any] struct {
	Body T
}

// empty is the output of an operation that answers 204.
type empty struct{}

func operation(method, path, id, summary, tag string) huma.Operation {
	return huma.Operation{
		Method: method, Path: path, OperationID: id, Summary: summary, Tags: []string{tag},
		MaxBodyBytes: oauth.MaxBody + 1, // limitRequest refuses first
	}
}

// What router reads of an operation's metadata, each a gin.HandlerFunc.
const (
	metaGuard  = "guard"  // refuses, or lets through
	metaAnswer = "answer" // answers in huma's place
)

// guarded sets an operation's documented security and its enforcement together.
func (s *server) guarded(op huma.Operation, rules ...resource.Rule) huma.Operation {
	op.Security = []map[string][]string{{schemeOAuth2: {}}}
	op.Errors = []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable}
	op.Metadata = map[string]any{metaGuard: ginauth.Require(s.Guard, rules...)}
	return op
}

// optionallyGuarded documents an operation that asks the guard by itself, and only
// where an admin may do more than a stranger.
func optionallyGuarded(op huma.Operation) huma.Operation {
	op.Security = []map[string][]string{{}, {schemeOAuth2: {}}}
	op.Errors = []int{http.StatusBadRequest, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable}
	return op
}

// bundled is an operation of the bundled API, with its own rules.
func (s *server) bundled(o api.Operation) huma.Operation {
	op := operation(o.Method, o.Path, o.ID, o.Summary, tagAPI)
	if !o.Guarded {
		return op
	}
	return s.guarded(op, o.Rules...)
}

// register puts an operation on the router and into the document.
func register[I, O any](s *server, d *document, op huma.Operation, handle func(context.Context, *I) (*O, error)) {
	huma.Register(d.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, s.refusal(ctx, err)
		}
		return out, nil
	})
}

// answer puts an operation that takes no input and cannot fail on the router and
// into the document. Huma describes it from its types, and is not asked again:
// these routes are asked most, and there is nothing to decode.
func answer[T any](d *document, op huma.Operation, h func(context.Context) T) {
	if op.Metadata == nil {
		op.Metadata = map[string]any{}
	}
	op.Metadata[metaAnswer] = gin.HandlerFunc(func(c *gin.Context) {
		web.WriteJSON(c.Writer, http.StatusOK, h(c.Request.Context()))
	})
	huma.Register(d.api, op, func(ctx context.Context, _ *struct{}) (*body[T], error) {
		return &body[T]{Body: h(ctx)}, nil
	})
}

// withClaims is the handler of a guarded route that needs nothing but the claims.
func withClaims[T any](h func(*resource.Claims) T) func(context.Context) T {
	return func(ctx context.Context) T { return h(claims(ctx)) }
}

// claims are those that the guard of the route has put there.
func claims(ctx context.Context) *resource.Claims {
	c, _ := resource.ClaimsFrom(ctx)
	return c
}

// router is the site for huma.
type router struct{ *web.Site }

func (r router) Handle(op *huma.Operation, handler func(huma.Context)) {
	pattern := strings.NewReplacer("{", ":", "}", "").Replace(op.Path)
	h, ok := op.Metadata[metaAnswer].(gin.HandlerFunc)
	if !ok {
		h = func(c *gin.Context) {
			// JSON is all that there is to choose, and huma's choosing panics on some
			// headers that are malformed.
			c.Request.Header.Del("Accept")
			handler(humagin.NewContext(op, c))
		}
	}
	guard, ok := op.Metadata[metaGuard].(gin.HandlerFunc)
	if !ok {
		r.Site.Handle(op.Method, pattern, h)
		return
	}
	r.Site.Handle(op.Method, pattern, func(c *gin.Context) {
		if guard(c); !c.IsAborted() {
			h(c)
		}
	})
}
