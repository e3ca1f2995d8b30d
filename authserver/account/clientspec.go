package account

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/keys"
)

const (
	minSecret = 16   // characters
	maxSecret = 1024 // bytes
	// maxIdentifier is how many bytes of a resource identifier tokens carry.
	maxIdentifier = 1024
	maxClientID   = 255
	maxClientName = 200 // characters
	// maxGrace is the most that REFRESH_GRACE_SECONDS takes.
	maxGrace = 300 * time.Second
)

// ClientSpec is a client as it is asked for.
type ClientSpec struct {
	ID string
	// Secret is for confidential clients only.
	Secret       string
	Public       bool
	Grants       []string
	Scopes       []string
	Resources    []string
	Serves       []string
	Introspect   bool
	RefreshGrace *time.Duration // nil is the server's

	// For login by redirect.

	Name         string
	RedirectURIs []string
	// AllowSchemes are private-use schemes without a dot that the redirect URIs
	// may have. They are not kept.
	AllowSchemes           []string
	PostLogoutRedirectURIs []string
	BackchannelLogoutURI   string
	Trusted                bool
	PKCEOptional           bool
	RequirePushedRequests  bool
	IDTokenAlgorithm       string
}

// MayUse reports whether grant is asked for.
func (s ClientSpec) MayUse(grant string) bool { return slices.Contains(s.Grants, grant) }

// client is what is kept of s, without Incarnation and CreatedAt.
func (s ClientSpec) client(m *keys.Master) authserver.Client {
	c := authserver.Client{
		ID: s.ID, Public: s.Public,
		Grants: distinct(s.Grants), Scopes: distinct(s.Scopes),
		Resources: distinct(s.Resources), Serves: distinct(s.Serves),
		Introspect: s.Introspect, RefreshGrace: s.RefreshGrace,
		Name: s.Name, RedirectURIs: distinct(s.RedirectURIs), PostLogoutRedirectURIs: distinct(s.PostLogoutRedirectURIs),
		BackchannelLogoutURI: s.BackchannelLogoutURI, Trusted: s.Trusted, PKCEOptional: s.PKCEOptional,
		RequirePushedRequests: s.RequirePushedRequests, IDTokenAlgorithm: s.IDTokenAlgorithm,
	}
	if !s.Public {
		c.SecretHash = m.HashClientSecret(s.Secret)
	}
	return c
}

// faults are all that is wrong with s, as *InvalidError; known are the resources
// that there are.
func (s ClientSpec) faults(known []string) []error {
	var all []error
	bad := func(field, kind, format string, args ...any) {
		all = append(all, &InvalidError{field, kind, fmt.Sprintf(format, args...)})
	}
	if err := checkClientID(s.ID); err != nil {
		all = append(all, err)
	}
	switch {
	case s.Public && s.Secret != "":
		bad("secret", "value_error", "a public client has none: leave it out, or make the client confidential")
	case !s.Public && utf8.RuneCountInString(s.Secret) < minSecret:
		bad("secret", "string_too_short", "use at least %d characters", minSecret)
	case len(s.Secret) > maxSecret:
		bad("secret", "string_too_long", "use at most %d bytes", maxSecret)
	case !utf8.ValidString(s.Secret) || strings.ContainsFunc(s.Secret, unicode.IsControl):
		bad("secret", "value_error", "use UTF-8 text without control characters")
	}
	if len(s.Grants) == 0 && !s.Introspect {
		bad("grants", "missing", "give at least one of %s", strings.Join(grants(), ", "))
	}
	for _, grant := range s.Grants {
		switch {
		case !slices.Contains(grants(), grant):
			bad("grants", "value_error", "%q is not one of %s", grant, strings.Join(grants(), ", "))
		case grant == authserver.GrantClientCredentials && s.Public: // RFC 6749 §4.4
			bad("grants", "value_error", "a public client may not use %s: leave it out, or make the client confidential", grant)
		}
	}
	for _, scope := range s.Scopes {
		if err := checkScope(scope); err != nil {
			all = append(all, err)
		}
	}
	if len(strings.Join(s.Scopes, " ")) > authserver.MaxScopeLength {
		bad("scopes", "too_long", "use at most %d bytes of scope in all", authserver.MaxScopeLength)
	}
	for _, id := range s.Resources {
		if !slices.Contains(known, id) {
			bad("resources", "value_error", "no resource %q is registered: add it under resources of a file and apply that", id)
		}
	}
	for _, id := range s.Serves {
		if !slices.Contains(known, id) {
			bad("serves", "value_error", "no resource %q is registered: add it under resources of a file and apply that", id)
		}
	}
	if s.Introspect && s.Public {
		bad("introspect", "value_error", "a public client may not introspect: make it confidential")
	}
	if g := s.RefreshGrace; g != nil && (*g < 0 || *g > maxGrace) {
		bad("refresh_grace_seconds", "value_error", "use 0 to %d", int(maxGrace.Seconds()))
	}
	switch {
	case !showable(s.Name):
		bad("name", "value_error", "use UTF-8 text without control and formatting characters")
	case utf8.RuneCountInString(s.Name) > maxClientName:
		bad("name", "string_too_long", "use at most %d characters", maxClientName)
	}
	if s.PKCEOptional && s.Public { // RFC 9700 §2.1.1
		bad("require_pkce", "value_error", "a public client always needs PKCE: leave it out, or make the client confidential")
	}
	if s.IDTokenAlgorithm != "" && !slices.Contains(idTokenAlgorithms, s.IDTokenAlgorithm) {
		bad("id_token_signed_response_alg", "value_error", "%q is not one of %s", s.IDTokenAlgorithm, strings.Join(idTokenAlgorithms, ", "))
	}
	return append(all, s.uriFaults()...)
}

// checkClientID takes what RFC 6749 appendix A.1 takes.
func checkClientID(id string) error {
	switch {
	case id == "":
		return &InvalidError{"id", "missing", "give a client id"}
	case len(id) > maxClientID:
		return &InvalidError{"id", "string_too_long", fmt.Sprintf("use at most %d characters", maxClientID)}
	case strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' }):
		return &InvalidError{"id", "string_pattern_mismatch", "use printable ASCII characters"}
	case id == authserver.FirstPartyClientID, id == authserver.BrowserClientID:
		return &InvalidError{"id", "value_error", fmt.Sprintf("%s is a built-in client: use another client id", id)}
	}
	return nil
}

func checkScope(name string) error {
	if !authserver.ValidScope(name) {
		return &InvalidError{"scopes", "value_error", "a scope is printable ASCII without space, quote and backslash"}
	}
	return nil
}

// checkIdentifier takes what RFC 8707 §2 takes: an absolute URI without fragment.
func checkIdentifier(id string) error {
	u, err := url.Parse(id)
	if err != nil || !u.IsAbs() || u.Host == "" && u.Opaque == "" ||
		len(id) > maxIdentifier || strings.Contains(id, "#") || strings.ContainsFunc(id, unprintable) {
		return &InvalidError{"identifier", "value_error", "give an absolute URI without fragment, such as https://api.example.com"}
	}
	return nil
}

// idTokenAlgorithms are what id_token_signed_response_alg may say.
var idTokenAlgorithms = []string{"RS256", "ES256", "EdDSA"}

func grants() []string {
	return []string{
		authserver.GrantAuthorizationCode, authserver.GrantPassword, authserver.GrantRefreshToken, authserver.GrantClientCredentials,
	}
}
