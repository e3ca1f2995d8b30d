package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/api"
	"github.com/tokenwright/tokenwright/resource/ginauth"
)

// asUser guards operations for any access token of a user's, whatever resource it
// is for, that passes rules.
func (s *server) asUser(rules ...resource.Rule) func(huma.Operation) huma.Operation {
	guard := resource.NewGuard(s.OAuth.Verifier, api.MetadataURL(s.Settings.Issuer))
	rules = append([]resource.Rule{resource.AnyUser()}, rules...)
	return func(op huma.Operation) huma.Operation {
		op.Security = []map[string][]string{{schemeOAuth2: {}}}
		op.Errors = []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable}
		op.Metadata = map[string]any{metaGuard: ginauth.Require(guard, rules...)}
		return op
	}
}

// userInfo answers GET and POST /oauth/userinfo.
func (s *server) userInfo(ctx context.Context, _ *struct{}) (*body[map[string]any], error) {
	about, err := s.OAuth.UserInfo(ctx, claims(ctx))
	if errors.Is(err, authserver.ErrSessionEnded) {
		return nil, unauthorized("Could not validate credentials")
	}
	if err != nil {
		return nil, err
	}
	return &body[map[string]any]{Body: about}, nil
}
