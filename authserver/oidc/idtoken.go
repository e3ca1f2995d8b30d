package oidc

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// IDTokenLifetime is how long an ID token says that it is good.
const IDTokenLifetime = 10 * time.Minute

// Token is what an ID token is made of.
type Token struct {
	Issuer    string
	ClientID  string
	Algorithm string // of its signature
	User      authserver.User
	Session   authserver.Session
	// Scope is what the access token has, AccessToken the token itself.
	Scope       []string
	AccessToken string
	Nonce       string // empty if there was none, and at a refresh
	Now         time.Time
}

// Claims are the payload (OpenID Connect Core §2).
func (t Token) Claims() ([]byte, error) {
	c := map[string]any{
		"iss": t.Issuer, "aud": t.ClientID, "iat": t.Now.Unix(), "exp": t.Now.Add(IDTokenLifetime).Unix(),
		"sid": t.Session.ID, "at_hash": AtHash(t.Algorithm, t.AccessToken),
	}
	if t.Nonce != "" {
		c["nonce"] = t.Nonce
	}
	if !t.Session.AuthTime.IsZero() {
		c["auth_time"], c["acr"], c["amr"] = t.Session.AuthTime.Unix(), authserver.ACR(t.Session.AMR), t.Session.AMR
	}
	maps.Copy(c, About(t.User, t.Scope, IDToken(t.Session.Claims)))
	payload, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode ID token: %w", err)
	}
	return payload, nil
}

// AtHash is the claim at_hash: the left half of the hash that the signature
// algorithm uses (§3.1.3.6).
func AtHash(algorithm, accessToken string) string {
	if algorithm == "EdDSA" { // Ed25519 hashes with SHA-512 (RFC 8032 §5.1)
		sum := sha512.Sum512([]byte(accessToken))
		return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	}
	sum := sha256.Sum256([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
