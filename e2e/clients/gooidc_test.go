package clients

import (
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// TestGoOIDC is coreos/go-oidc with what it finds by discovery alone, the
// algorithms of ID tokens too.
func TestGoOIDC(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct{ id, secret, callback string }{{"web", webSecret, webCB}, {"spa", "", spaCB}, {"es256", "", spaCB}} {
		t.Run(c.id, func(t *testing.T) {
			provider, err := oidc.NewProvider(t.Context(), s.issuer)
			if err != nil {
				t.Fatal(err)
			}
			config := oauth2.Config{ClientID: c.id, ClientSecret: c.secret, RedirectURL: c.callback, Endpoint: provider.Endpoint(),
				Scopes: []string{oidc.ScopeOpenID, "profile", "email"}}
			verifier, p := oauth2.GenerateVerifier(), s.person(t)
			q := p.answer(config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier), oidc.Nonce("once")))
			tokens, err := config.Exchange(t.Context(), q.Get("code"), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := tokens.Extra("id_token").(string)
			id, err := provider.Verifier(&oidc.Config{ClientID: c.id}).Verify(t.Context(), raw)
			if err != nil {
				t.Fatal(err)
			}
			if id.Nonce != "once" {
				t.Errorf("nonce %q", id.Nonce)
			}
			if err := id.VerifyAccessToken(tokens.AccessToken); err != nil {
				t.Errorf("at_hash: %v", err)
			}
			info, err := provider.UserInfo(t.Context(), config.TokenSource(t.Context(), tokens))
			if err != nil {
				t.Fatal(err)
			}
			var claims struct {
				Name     string `json:"name"`
				Username string `json:"preferred_username"`
			}
			if err := info.Claims(&claims); err != nil || claims.Name != "Alice Example" || claims.Username != username {
				t.Errorf("claims %+v, %v", claims, err)
			}
			if info.Subject != id.Subject || info.Email != "alice@example.com" || info.EmailVerified {
				t.Errorf("userinfo %+v of %s", info, id.Subject)
			}
		})
	}
}
