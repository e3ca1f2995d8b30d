package oauth

import (
	"encoding/json"
	"slices"

	oauth2 "github.com/go-oauth2/oauth2/v4"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/oidc"
)

// Paths of the endpoints, below the issuer.
const (
	PathAuthorize   = "/oauth/authorize"
	PathPushed      = "/oauth/par"
	PathToken       = "/oauth/token"
	PathIntrospect  = "/oauth/introspect"
	PathRevoke      = "/oauth/revoke"
	PathRevocations = "/oauth/revocations"
	PathUserInfo    = "/oauth/userinfo"
	PathEndSession  = "/oauth/logout"
	PathJWKS        = "/.well-known/jwks.json"
	PathMetadata    = "/.well-known/oauth-authorization-server"
	PathOpenID      = "/.well-known/openid-configuration"
)

// metadata is the document of RFC 8414 §2, with the members that OpenID Connect
// adds (Discovery §3, RP-Initiated Logout §2.1, Initiating User Registration §4).
type metadata struct {
	Issuer              string             `json:"issuer"`
	TokenEndpoint       string             `json:"token_endpoint"`
	Authorization       string             `json:"authorization_endpoint"`
	Pushed              string             `json:"pushed_authorization_request_endpoint"` // RFC 9126 §5
	JWKSURI             string             `json:"jwks_uri"`
	Scopes              []string           `json:"scopes_supported,omitempty"`
	ResponseTypes       []string           `json:"response_types_supported"`
	ResponseModes       []string           `json:"response_modes_supported"`
	ChallengeMethods    []string           `json:"code_challenge_methods_supported"`
	ResponseIssuer      bool               `json:"authorization_response_iss_parameter_supported"` // RFC 9207 §3
	RequestURI          bool               `json:"request_uri_parameter_supported"`                // true if left out
	Request             bool               `json:"request_parameter_supported"`
	Grants              []oauth2.GrantType `json:"grant_types_supported"`
	TokenAuthentication []string           `json:"token_endpoint_auth_methods_supported"`
	ProtectedResources  []string           `json:"protected_resources"` // RFC 9728 §4

	UserInfo       string   `json:"userinfo_endpoint"`
	EndSession     string   `json:"end_session_endpoint"`
	Logout         bool     `json:"backchannel_logout_supported"`         // Back-Channel Logout §2.1
	LogoutSession  bool     `json:"backchannel_logout_session_supported"` // with sid
	Subjects       []string `json:"subject_types_supported"`
	IDTokens       []string `json:"id_token_signing_alg_values_supported"`
	Claims         []string `json:"claims_supported"`
	ClaimsRequests bool     `json:"claims_parameter_supported"`
	ACRs           []string `json:"acr_values_supported"`
	Prompts        []string `json:"prompt_values_supported"`
	Displays       []string `json:"display_values_supported"`
	UILocales      []string `json:"ui_locales_supported"`

	IntrospectionEndpoint       string   `json:"introspection_endpoint"`
	IntrospectionAuthentication []string `json:"introspection_endpoint_auth_methods_supported"`
	RevocationEndpoint          string   `json:"revocation_endpoint"`
	RevocationAuthentication    []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationFeedEndpoint      string   `json:"revocation_feed_endpoint"` // a member of our own
}

func marshalMetadata(s Settings, grants []oauth2.GrantType) []byte {
	confidential := []string{"client_secret_basic", "client_secret_post"}
	any := append(confidential[:2:2], "none")
	b, _ := json.Marshal(metadata{
		Issuer:              s.Issuer,
		TokenEndpoint:       s.Issuer + PathToken,
		JWKSURI:             s.Issuer + PathJWKS,
		Scopes:              distinct(oidc.Scopes, s.Scopes),
		Authorization:       s.Issuer + PathAuthorize,
		Pushed:              s.Issuer + PathPushed,
		ResponseTypes:       []string{"code"},
		ResponseModes:       []string{authserver.ResponseQuery, authserver.ResponseFormPost},
		ChallengeMethods:    []string{"S256"},
		ResponseIssuer:      true,
		Grants:              grants,
		TokenAuthentication: any,
		ProtectedResources:  []string{s.Audience},

		UserInfo:       s.Issuer + PathUserInfo,
		EndSession:     s.Issuer + PathEndSession,
		Logout:         true,
		LogoutSession:  true,
		Subjects:       []string{"public"},
		IDTokens:       []string{"RS256", "ES256", "EdDSA"},
		Claims:         append([]string{"iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"}, oidc.Names...),
		ClaimsRequests: true,
		ACRs:           []string{authserver.ACROne},
		Prompts: []string{
			authserver.PromptNone, authserver.PromptLogin, authserver.PromptConsent, authserver.PromptSelectAccount, authserver.PromptCreate,
		},
		Displays:  []string{"page"},
		UILocales: []string{"en", "de"},

		IntrospectionEndpoint:       s.Issuer + PathIntrospect,
		IntrospectionAuthentication: confidential,
		RevocationEndpoint:          s.Issuer + PathRevoke,
		RevocationAuthentication:    any,
		RevocationFeedEndpoint:      s.Issuer + PathRevocations,
	})
	return b
}

// distinct joins lists without repetitions.
func distinct(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}

// Metadata is the authorization server metadata document (RFC 8414), which is
// OpenID Connect's as well.
func (s *Server) Metadata() []byte { return s.metadata }
