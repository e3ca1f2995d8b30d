// Package resourcetest has an issuer of access tokens for the tests of those who
// import resource: good ones, and forged ones in any way a test can think of.
//
// A Server is asked over HTTP, as a real issuer is; it can rotate, revoke, go away
// and come back:
//
//	issuer := resourcetest.NewServer(t)
//	verifier, err := resource.New(t.Context(), issuer.Config())
//	…
//	err = verifier.Wait(t.Context())
//	…
//	claims := issuer.User("alice", "user")
//	claims.Scope = "read"
//	token := issuer.Mint(claims) // good
//	issuer.Revoke(resource.Revocation{Kind: resource.KindSession, ID: claims.SessionID})
//	// within a second it is not
//
// An Issuer alone is a KeySource for resource.NewVerifier, and needs no network.
package resourcetest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/tokenwright/tokenwright/resource"
)

// Issuer signs tokens and is the KeySource of their keys. It may be used
// concurrently.
type Issuer struct {
	// URL is the iss and Audience the aud of its claims.
	URL, Audience string

	t    testing.TB
	mu   sync.RWMutex
	keys map[string]*Key
}

var _ resource.KeySource = (*Issuer)(nil)

// Key is a key with its secret half.
type Key struct {
	resource.Key
	// Private is what golang-jwt signs with: a crypto.Signer, or a []byte for HS256.
	Private any
}

// New returns an issuer without keys. Its methods end the test if they fail.
func New(t testing.TB) *Issuer {
	return &Issuer{
		URL:      "https://auth.example.test",
		Audience: "https://api.example.test",
		t:        t,
		keys:     map[string]*Key{},
	}
}

// AddKey makes a key for "ES256", "EdDSA", "RS256" or "HS256" and publishes it
// under kid, in place of any other.
func (i *Issuer) AddKey(kid, algorithm string) *Key {
	i.t.Helper()
	private, public, err := generate(algorithm)
	if err != nil {
		i.t.Fatalf("make %s key: %v", algorithm, err)
	}
	k := &Key{Private: private, Key: resource.Key{ID: kid, Algorithm: algorithm, Public: public}}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys[kid] = k
	return k
}

func generate(algorithm string) (private, public any, err error) {
	var signer crypto.Signer
	switch algorithm {
	case "ES256":
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	case "RS256":
		signer, err = rsa.GenerateKey(rand.Reader, 2048)
	case "HS256":
		secret := make([]byte, 32)
		_, err = rand.Read(secret)
		return secret, secret, err
	default:
		return nil, nil, errors.New("unknown algorithm")
	}
	if err != nil {
		return nil, nil, err
	}
	return signer, signer.Public(), nil
}

// RemoveKey takes a key out of the published set.
func (i *Issuer) RemoveKey(kid string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.keys, kid)
}

// Key finds a published key.
func (i *Issuer) Key(_ context.Context, kid string) (resource.Key, error) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	k, ok := i.keys[kid]
	if !ok {
		return resource.Key{}, resource.ErrUnknownKey
	}
	return k.Key, nil
}

// User returns claims of a user's token that is good for half an hour. Change
// them at will before they are signed.
func (i *Issuer) User(username string, roles ...string) resource.Claims {
	c := i.Client("app")
	c.Subject = "sub-" + username
	c.Roles, c.SessionID, c.Epoch, c.SessionEpoch, c.UserID, c.Username = roles, "sid-"+username, 1, 1, 1, username
	return c
}

// Client returns claims of a client's own token.
func (i *Issuer) Client(id string) resource.Claims {
	now := time.Now().Unix()
	return resource.Claims{
		Issuer: i.URL, Subject: id, Audience: []string{i.Audience}, ClientID: id,
		IssuedAt: now, ExpiresAt: now + 1800, ID: rand.Text(),
	}
}

// Token signs as a right server does.
func (i *Issuer) Token(k *Key, c resource.Claims) string {
	i.t.Helper()
	payload, err := json.Marshal(c)
	if err != nil {
		i.t.Fatalf("marshal claims: %v", err)
	}
	return i.Sign(k, k.Header(), payload)
}

// Header is the one that a right server writes.
func (k *Key) Header() map[string]any {
	return map[string]any{"typ": "at+jwt", "alg": k.Algorithm, "kid": k.ID}
}

// Sign makes a token of any header and payload, signed with the key's own
// algorithm whatever the header says.
func (i *Issuer) Sign(k *Key, header map[string]any, payload []byte) string {
	i.t.Helper()
	head, err := json.Marshal(header)
	if err != nil {
		i.t.Fatalf("marshal header: %v", err)
	}
	return i.SignRaw(k.Algorithm, k.Private, head, payload)
}

// SignRaw makes a token of any bytes under any algorithm of golang-jwt; for
// "none" give it jwt.UnsafeAllowNoneSignatureType.
func (i *Issuer) SignRaw(algorithm string, private any, header, payload []byte) string {
	i.t.Helper()
	text := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := jwt.GetSigningMethod(algorithm).Sign(text, private)
	if err != nil {
		i.t.Fatalf("sign with %s: %v", algorithm, err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}
