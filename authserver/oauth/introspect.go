package oauth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
)

// Introspection is the answer of the introspection endpoint (RFC 7662 §2.2). The
// zero value is all that is said of a token that is not active, or not the
// asking client's business.
type Introspection struct {
	Active    bool     `json:"active"`
	Scope     string   `json:"scope,omitempty"`
	ClientID  string   `json:"client_id,omitempty"`
	Username  string   `json:"username,omitempty"`
	TokenType string   `json:"token_type,omitempty"`
	ExpiresAt int64    `json:"exp,omitempty"`
	IssuedAt  int64    `json:"iat,omitempty"`
	Subject   string   `json:"sub,omitempty"`
	Audience  []string `json:"aud,omitempty"`
	Issuer    string   `json:"iss,omitempty"`
	ID        string   `json:"jti,omitempty"`
	SessionID string   `json:"sid,omitempty"`
	Roles     []string `json:"roles,omitempty"`
	UserID    int64    `json:"user_id,omitempty"`
}

// tokenRequest is a request about a token: RFC 7662 §2.1 and RFC 7009 §2.1 have
// the same shape. The hint is not needed: a refresh token shows what it is.
type tokenRequest struct {
	token   string
	client  authserver.Client
	facts   authserver.Facts
	refresh *authserver.RefreshToken // nil if the token is none of ours
}

// aboutToken reads such a request and authenticates its client.
func (s *Server) aboutToken(r *http.Request) (tokenRequest, error) {
	form, err := ParseForm(r)
	if err != nil {
		return tokenRequest{}, err
	}
	q := tokenRequest{token: form.Get("token")}
	if q.token == "" {
		return tokenRequest{}, refuse(CodeInvalidRequest, "token is missing.")
	}
	if t, err := authserver.ParseRefreshToken(q.token, s.refresh); err == nil {
		q.refresh = &t
	}
	return q, s.identifyClient(r, form, &q)
}

func (s *Server) identifyClient(r *http.Request, form url.Values, q *tokenRequest) error {
	cred, err := clientCredentials(r, form)
	if err != nil {
		return err
	}
	if cred.id == "" {
		return refuse(CodeInvalidClient, "")
	}
	ask := authserver.Ask{ClientID: cred.id}
	if q.refresh != nil {
		ask.Subject, ask.SessionID = q.refresh.Sub(), q.refresh.SID()
	}
	if q.facts, err = s.Facts.Facts(r.Context(), ask); err != nil {
		return AsError(fmt.Errorf("find client: %w", err))
	}
	if err := s.Clients.Authenticate(r.Context(), q.facts.Client, cred.id, cred.secret); err != nil {
		s.noteClient(r.Context(), cred.id, q.facts.Client, err)
		return AsError(err)
	}
	q.client = *q.facts.Client
	return nil
}

// Follower authenticates who asks for GET /oauth/revocations: a confidential
// client that may introspect and that serves the resource it names: it would hear
// of no session's end otherwise. One of the version before names none. Any error
// is an *Error.
func (s *Server) Follower(r *http.Request) (authserver.Client, error) {
	var q tokenRequest
	if err := s.identifyClient(r, nil, &q); err != nil {
		return authserver.Client{}, err
	}
	if q.client.Public { // anyone could ask in its name
		return authserver.Client{}, refuse(CodeInvalidClient, "")
	}
	if !q.client.Introspect {
		return authserver.Client{}, refuse(CodeAccessDenied, "")
	}
	if asked := r.URL.Query(); asked.Has("resource") && !slices.Contains(q.client.Serves, asked.Get("resource")) {
		return authserver.Client{}, refuse(CodeAccessDenied, "The client does not serve this resource.")
	}
	return q.client, nil
}

// StillFollows reports whether a client that Follower has returned would be
// returned again as it was. A store that cannot be asked changes nothing.
func (s *Server) StillFollows(ctx context.Context, c authserver.Client) bool {
	f, err := s.Facts.Facts(ctx, authserver.Ask{ClientID: c.ID})
	if err != nil {
		return true
	}
	now := f.Client
	return now != nil && now.Incarnation == c.Incarnation && !now.Public && now.Introspect &&
		bytes.Equal(now.SecretHash, c.SecretHash) && slices.Equal(now.Serves, c.Serves)
}

// Introspect answers POST /oauth/introspect (RFC 7662). A confidential client
// sees its own tokens and, if it may introspect, access tokens for the resources
// that it serves. Any error is an *Error.
func (s *Server) Introspect(r *http.Request) (Introspection, error) {
	q, err := s.aboutToken(r)
	if err != nil {
		return Introspection{}, err
	}
	if q.client.Public { // anyone could ask in its name
		return Introspection{}, refuse(CodeInvalidClient, "")
	}
	if strings.HasPrefix(q.token, authserver.RefreshTokenPrefix) {
		return s.introspectRefresh(r.Context(), q)
	}
	c, err := s.Verifier.Verify(r.Context(), q.token)
	if _, bad := errors.AsType[*resource.TokenError](err); bad {
		return Introspection{}, nil
	}
	if err != nil {
		return Introspection{}, AsError(fmt.Errorf("verify token: %w: %w", authserver.ErrUnavailable, err))
	}
	serves := func(aud string) bool { return slices.Contains(q.client.Serves, aud) }
	if c.ClientID != q.client.ID && !(q.client.Introspect && slices.ContainsFunc(c.Audience, serves)) {
		return Introspection{}, nil // RFC 7662 §4
	}
	return Introspection{
		Active: true, Scope: c.Scope, ClientID: c.ClientID, Username: c.Username, TokenType: "Bearer",
		ExpiresAt: c.ExpiresAt, IssuedAt: c.IssuedAt, Subject: c.Subject, Audience: c.Audience,
		Issuer: c.Issuer, ID: c.ID, SessionID: c.SessionID, Roles: c.Roles, UserID: c.UserID,
	}, nil
}

// introspectRefresh shows a refresh token to the client that it was issued to,
// while it would be taken as current.
func (s *Server) introspectRefresh(ctx context.Context, q tokenRequest) (Introspection, error) {
	if q.refresh == nil {
		return Introspection{}, nil
	}
	user, sid := q.facts.User, q.refresh.SID()
	if user == nil || !user.Active || q.facts.Ended != nil || !user.SessionLives(sid, int64(q.refresh.SessionEpoch)) {
		return Introspection{}, nil
	}
	session, err := s.Sessions.Session(ctx, sid)
	if errors.Is(err, authserver.ErrNotFound) {
		return Introspection{}, nil
	}
	if err != nil {
		return Introspection{}, AsError(fmt.Errorf("find session: %w", err))
	}
	if !session.BelongsTo(q.client) || q.refresh.Counter < session.Counter {
		return Introspection{}, nil
	}
	return Introspection{
		Active: true, Scope: strings.Join(session.Scope, " "), ClientID: q.client.ID, Username: user.Username,
		TokenType: "refresh_token", ExpiresAt: session.IdleDeadline.Unix(), IssuedAt: session.RotatedAt.Unix(),
		Subject: user.Subject, Issuer: s.Settings.Issuer, SessionID: sid,
	}, nil
}
