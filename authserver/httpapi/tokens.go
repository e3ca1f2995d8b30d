package httpapi

import (
	"context"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tokenwright/tokenwright/authserver/feed"
	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/web"
)

// aboutForm describes what the endpoints about a token take; oauth reads it.
type aboutForm struct {
	Token         string `json:"token"`
	TokenTypeHint string `json:"token_type_hint,omitempty" doc:"Not needed"`
	ClientID      string `json:"client_id,omitempty"`
	ClientSecret  string `json:"client_secret,omitempty" format:"password"`
}

// revoked is what POST /oauth/revoke answers: nothing, but in JSON, since many
// clients parse it.
type revoked struct{}

// introspect answers POST /oauth/introspect.
func (s *server) introspect(c *gin.Context) {
	answer, err := s.OAuth.Introspect(c.Request)
	if err != nil {
		s.refuseOAuth(c, err)
		return
	}
	c.Header("Cache-Control", "no-store")
	web.WriteJSON(c.Writer, http.StatusOK, answer)
}

// revoke answers POST /oauth/revoke.
func (s *server) revoke(c *gin.Context) {
	if err := s.OAuth.Revoke(c.Request); err != nil {
		s.refuseOAuth(c, err)
		return
	}
	c.Header("Cache-Control", "no-store")
	web.WriteJSON(c.Writer, http.StatusOK, revoked{})
}

// revocations answers GET /oauth/revocations for as long as the follower stays.
func (s *server) revocations(c *gin.Context) {
	client, err := s.OAuth.Follower(c.Request)
	if err != nil {
		s.refuseOAuth(c, err)
		return
	}
	if s.Feed.Behind() {
		s.refuseOAuth(c, &oauth.Error{Code: oauth.CodeUnavailable, RetryAfter: feed.Stale})
		return
	}
	// While a body is unread, net/http does not see that the follower hangs up.
	if _, err := io.Copy(io.Discard, c.Request.Body); err != nil {
		return
	}
	ctx := c.Request.Context()
	may := func(ctx context.Context) bool { return s.OAuth.StillFollows(ctx, client) }
	err = s.Feed.Follow(c.Writer, c.Request, feed.Serves(client.Serves), may)
	if err != nil {
		s.Logger.InfoContext(ctx, "follower let go", "client", client.ID, "err", err)
	}
}
