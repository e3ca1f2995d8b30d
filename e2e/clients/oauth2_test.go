package clients

import (
	"net/url"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// TestOAuth2 is golang.org/x/oauth2 over its grants. It tries how to authenticate
// unless it is told.
func TestOAuth2(t *testing.T) {
	s := newServer(t)
	config := func(id, secret, callback string, style oauth2.AuthStyle) *oauth2.Config {
		return &oauth2.Config{ClientID: id, ClientSecret: secret, RedirectURL: callback, Scopes: []string{"openid", "read"}, Endpoint: oauth2.Endpoint{
			AuthURL: s.issuer + "/oauth/authorize", TokenURL: s.issuer + "/oauth/token", AuthStyle: style,
		}}
	}
	for name, c := range map[string]*oauth2.Config{
		"a web client":               config("web", webSecret, webCB, oauth2.AuthStyleAutoDetect),
		"with the secret in a form":  config("web", webSecret, webCB, oauth2.AuthStyleInParams),
		"with the secret in Basic":   config("web", webSecret, webCB, oauth2.AuthStyleInHeader),
		"a client in a browser":      config("spa", "", spaCB, oauth2.AuthStyleAutoDetect),
		"a native one, at some port": config("spa", "", "http://127.0.0.1:54321/cb", oauth2.AuthStyleInParams),
	} {
		t.Run("code, PKCE and refresh by "+name, func(t *testing.T) {
			verifier := oauth2.GenerateVerifier()
			q := s.person(t).answer(c.AuthCodeURL("a state", oauth2.S256ChallengeOption(verifier)))
			if q.Get("state") != "a state" {
				t.Errorf("answered with %v", q)
			}
			first, err := c.Exchange(t.Context(), q.Get("code"), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatal(err)
			}
			if first.Extra("id_token") == nil || first.Expiry.IsZero() || first.Type() != "Bearer" {
				t.Errorf("got %v", first)
			}
			next, err := c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: first.RefreshToken}).Token()
			if err != nil {
				t.Fatal(err)
			}
			if !next.Valid() || next.RefreshToken == first.RefreshToken || next.AccessToken == first.AccessToken {
				t.Errorf("got %v after %v", next, first)
			}
		})
	}
	t.Run("password", func(t *testing.T) {
		token, err := config("web", webSecret, "", oauth2.AuthStyleAutoDetect).PasswordCredentialsToken(t.Context(), username, phrase)
		if err != nil || token.Extra("id_token") == nil || token.RefreshToken == "" {
			t.Errorf("got %v, %v", token, err)
		}
	})
	t.Run("client credentials", func(t *testing.T) {
		c := clientcredentials.Config{ClientID: "web", ClientSecret: webSecret, TokenURL: s.issuer + "/oauth/token", Scopes: []string{"read"},
			EndpointParams: url.Values{"resource": {audience}}}
		token, err := c.Token(t.Context())
		if err != nil || !token.Valid() || token.RefreshToken != "" {
			t.Errorf("got %v, %v", token, err)
		}
	})
}
