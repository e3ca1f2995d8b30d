package clients

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/client/rs"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// TestZitadel is zitadel/oidc's relying party with its handlers, and its resource
// server. It verifies RS256 only unless it is told to read discovery.
func TestZitadel(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct{ id, secret, callback, bye string }{
		{"web", webSecret, webCB, webBye}, {"spa", "", spaCB, spaBye}, {"es256", "", spaCB, spaBye},
	} {
		t.Run(c.id, func(t *testing.T) {
			key := []byte("0123456789abcdef")
			cookies := httphelper.NewCookieHandler(key, key)
			party, err := rp.NewRelyingPartyOIDC(t.Context(), s.issuer, c.id, c.secret, c.callback, []string{"openid", "profile", "email"},
				rp.WithPKCEFromDiscovery(cookies), rp.WithCookieHandler(cookies), rp.WithSigningAlgsFromDiscovery())
			if err != nil {
				t.Fatal(err)
			}
			if !party.IsPKCE() {
				t.Error("PKCE is not found by discovery")
			}
			p := s.person(t)
			asked := httptest.NewRecorder()
			rp.AuthURLHandler(func() string { return "s" }, party)(asked, httptest.NewRequest("GET", "https://web.test/login", nil))
			back := httptest.NewRequest("GET", c.callback+"?"+p.answer(asked.Header().Get("Location")).Encode(), nil)
			for _, cookie := range asked.Result().Cookies() {
				back.AddCookie(cookie)
			}

			var tokens *oidc.Tokens[*oidc.IDTokenClaims]
			answered := httptest.NewRecorder()
			rp.CodeExchangeHandler(rp.UserinfoCallback(func(w http.ResponseWriter, r *http.Request,
				got *oidc.Tokens[*oidc.IDTokenClaims], state string, _ rp.RelyingParty, info *oidc.UserInfo) {
				tokens = got
				if info.Email != "alice@example.com" || info.PreferredUsername != username || state != "s" {
					t.Errorf("userinfo %+v, state %s", info, state)
				}
			}), party)(answered, back)
			if tokens == nil {
				t.Fatalf("callback: %d %s", answered.Code, answered.Body)
			}

			next, err := rp.RefreshTokens[*oidc.IDTokenClaims](t.Context(), party, tokens.RefreshToken, "", "")
			if err != nil {
				t.Fatal(err)
			}
			if next.IDTokenClaims.GetSubject() != tokens.IDTokenClaims.GetSubject() || next.IDToken == "" {
				t.Errorf("refreshed: %+v", next.IDTokenClaims)
			}
			if c.secret != "" {
				s.introspected(t, next.AccessToken, true)
			}

			// It asks without the person's browser, which is what has to go there.
			if _, err := rp.EndSession(t.Context(), party, next.IDToken, c.bye, "bye", "", nil); err != nil {
				t.Error(err)
			}
			to := p.sentTo(party.GetEndSessionEndpoint() + "?id_token_hint=" + next.IDToken + "&post_logout_redirect_uri=" + c.bye + "&state=bye")
			if !strings.HasPrefix(to, c.bye+"?") || !strings.Contains(to, "state=bye") {
				t.Errorf("the logout leads to %s", to)
			}
			if _, err := rp.RefreshTokens[*oidc.IDTokenClaims](t.Context(), party, next.RefreshToken, "", ""); err == nil {
				t.Error("the session goes on after the logout")
			}
			if err := rp.RevokeToken(t.Context(), party, next.RefreshToken, "refresh_token"); err != nil {
				t.Errorf("revoke: %v", err)
			}
			if c.secret != "" {
				s.introspected(t, next.AccessToken, false)
			}
		})
	}
	t.Run("client credentials", func(t *testing.T) {
		party, err := rp.NewRelyingPartyOIDC(t.Context(), s.issuer, "web", webSecret, "", []string{"read"})
		if err != nil {
			t.Fatal(err)
		}
		if token, err := rp.ClientCredentials(t.Context(), party, nil); err != nil || !token.Valid() {
			t.Errorf("got %v, %v", token, err)
		}
	})
}

// introspected asks with zitadel/oidc's resource server.
func (s *server) introspected(t *testing.T, token string, active bool) {
	t.Helper()
	api, err := rs.NewResourceServerClientCredentials(t.Context(), s.issuer, "web", webSecret)
	if err != nil {
		t.Fatal(err)
	}
	got, err := rs.Introspect[*oidc.IntrospectionResponse](t.Context(), api, token)
	if err != nil {
		t.Fatal(err)
	}
	if got.Active != active || active && got.Username != username {
		t.Errorf("introspection: %+v, want active %v", got, active)
	}
}
