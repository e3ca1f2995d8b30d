package backchannel

import (
	"context"
	"crypto/rand"
	"time"
)

// Sign makes a JWS in compact form of payload, as keys.Ring's SignAs does.
type Sign func(ctx context.Context, algorithm, typ string, payload []byte) (string, error)

// tokenLifetime is how long a logout token is good: two minutes (§2.4).
const tokenLifetime = 2 * time.Minute

// claims are those of a logout token (§2.4). It has no nonce, so that none is ever
// taken for an ID token.
type claims struct {
	Issuer    string              `json:"iss"`
	Subject   string              `json:"sub"`
	Audience  string              `json:"aud"`
	IssuedAt  int64               `json:"iat"`
	ExpiresAt int64               `json:"exp"`
	ID        string              `json:"jti"`
	SessionID string              `json:"sid"`
	Events    map[string]struct{} `json:"events"`
}

// logoutEvent says what kind of security event token it is.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

func newClaims(issuer string, s Session, now time.Time) claims {
	return claims{
		Issuer: issuer, Subject: s.Subject, Audience: s.ClientID, SessionID: s.ID, ID: rand.Text(),
		IssuedAt: now.Unix(), ExpiresAt: now.Add(tokenLifetime).Unix(), Events: map[string]struct{}{logoutEvent: {}},
	}
}
