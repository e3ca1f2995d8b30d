package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	oauth2 "github.com/go-oauth2/oauth2/v4"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
)

// mint is what the library makes tokens with.
type mint struct{ *Server }

// Token signs the access token and writes the refresh token: the first of a new
// session, or the successor of the one presented.
func (m mint) Token(ctx context.Context, _ *oauth2.GenerateBasic, _ bool) (access, refresh string, err error) {
	ex := exchangeFrom(ctx)
	claims := ex.claims(time.Now())
	access, err = m.Ring.Sign(claims)
	if err != nil {
		return "", "", fmt.Errorf("sign access token: %w", err)
	}
	ex.expiresIn = claims.ExpiresAt - claims.IssuedAt
	if ex.user == nil || !ex.client.MayUse(authserver.GrantRefreshToken) {
		return access, "", nil
	}
	return access, ex.next.Encode(m.refresh[0]), nil
}

// claims are the access token's (RFC 9068 §2.2). It never outlives its session.
func (ex *exchange) claims(now time.Time) resource.Claims {
	c := resource.Claims{
		Issuer:    ex.Settings.Issuer,
		Subject:   ex.client.ID,
		Audience:  ex.audience,
		ClientID:  ex.client.ID,
		IssuedAt:  now.Unix(),
		ExpiresAt: now.Add(ex.Settings.AccessLifetime).Unix(),
		ID:        authserver.NewID(),
		Scope:     ex.scopeText(),
	}
	if ex.user == nil {
		return c
	}
	c.ExpiresAt = min(c.ExpiresAt, ex.session.Deadline.Unix())
	c.Subject = ex.user.Subject
	c.Roles = ex.user.Roles
	c.SessionID, c.Parent = ex.session.ID, ex.next.ParentSID()
	if !ex.session.AuthTime.IsZero() {
		c.AuthTime, c.AMR, c.ACR = ex.session.AuthTime.Unix(), ex.session.AMR, authserver.ACR(ex.session.AMR)
	}
	c.Epoch = ex.user.Epoch
	c.SessionEpoch = ex.user.SessionEpoch
	c.UserID = ex.user.ID
	c.Username = ex.user.Username
	if slices.Contains(ex.scope, authserver.ScopeProfile) {
		c.Name = ex.user.FullName
	}
	return c
}

// newSession prepares what a login opens: its id and its secret exist once, here.
// The session of a client that gets no refresh token lasts as long as its
// access token.
func (ex *exchange) newSession(ctx context.Context) error {
	subject, ok := authserver.ParseSubject(ex.user.Subject)
	if !ok {
		return fmt.Errorf("user %d: subject is no UUID", ex.user.ID)
	}
	t := authserver.RefreshToken{Subject: subject, SessionEpoch: uint32(ex.user.SessionEpoch), Counter: 1}
	rand.Read(t.SessionID[:])
	rand.Read(t.Secret[:])
	ex.next = t

	now := time.Now()
	idle, lifetime := ex.Settings.IdleLifetime, ex.Settings.SessionLifetime
	if !ex.client.MayUse(authserver.GrantRefreshToken) {
		idle, lifetime = ex.Settings.AccessLifetime, ex.Settings.AccessLifetime
	}
	caller := authserver.CallerFrom(ctx)
	ex.session = authserver.Session{
		ID:                t.SID(),
		Subject:           ex.user.Subject,
		ClientID:          ex.client.ID,
		ClientIncarnation: ex.client.Incarnation,
		Scope:             ex.scope,
		Resources:         ex.audience,
		SessionEpoch:      ex.user.SessionEpoch,
		SecretHash:        sha256.Sum256(t.Secret[:]),
		Counter:           t.Counter,
		RotatedAt:         now,
		CreatedAt:         now,
		LastUsedAt:        now,
		IdleDeadline:      now.Add(min(idle, lifetime)),
		Deadline:          now.Add(lifetime),
		IP:                caller.IP,
		UserAgent:         caller.UserAgent,
		AuthTime:          now,
		AMR:               []string{authserver.AMRPassword},
	}
	return nil
}

// narrow sets what a refreshed access token gets: what was asked for, or all of
// the session's, that client and roles still allow (RFC 6749 §6). A session whose
// client may ask for none of its resources any more gets no token.
func (ex *exchange) narrow() error {
	scope := ex.session.Scope
	if len(ex.requested) > 0 {
		scope = ex.requested
	}
	ex.scope = slices.DeleteFunc(ex.allowed(scope), func(name string) bool {
		return !slices.Contains(ex.client.Scopes, name)
	})
	ex.audience = slices.DeleteFunc(slices.Clone(ex.session.Resources), func(resource string) bool {
		return !ex.mayTarget(resource) || len(ex.resources) > 0 && !slices.Contains(ex.resources, resource)
	})
	if len(ex.audience) == 0 {
		return refuse(CodeInvalidTarget, "")
	}
	return nil
}

// mayTarget reports whether the client may ask tokens for a resource.
func (ex *exchange) mayTarget(resource string) bool {
	return resource == ex.Settings.Audience || slices.Contains(ex.client.Resources, resource)
}
