package authserver

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Grant types (RFC 6749 §4.3, §6, §4.4).
const (
	GrantPassword          = "password"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
	GrantAuthorizationCode = "authorization_code" // §4.1
)

// FirstPartyClientID is the id of the built-in public client that /auth/login
// uses when none is named. It is in no store and cannot be registered.
const FirstPartyClientID = "first-party"

// BrowserClientID is the id of the built-in client that browser sessions are of.
// It is in no store and cannot be registered.
const BrowserClientID = "browser"

// Client is a registered client (RFC 6749 §2).
type Client struct {
	ID string
	// Incarnation tells clients apart that had the same ID one after another:
	// random, never zero in a store. A session keeps its client's.
	Incarnation int64
	// Public clients have no secret (RFC 6749 §2.1).
	Public bool
	// SecretHash is what account made of the secret; empty for a public client.
	SecretHash []byte
	Grants     []string
	Scopes     []string
	// Resources are the resource identifiers (RFC 8707) that it may ask tokens
	// for, besides the bundled API's.
	Resources []string
	// Serves are the resource identifiers whose tokens it may introspect and
	// whose revocations it may follow, if Introspect is set.
	Serves     []string
	Introspect bool
	// RefreshGrace replaces the server's grace period; nil means the server's.
	RefreshGrace *time.Duration
	// Name is what people see; empty means the ID.
	Name string
	// RedirectURIs are where answers of the authorization endpoint may go.
	RedirectURIs []string
	// PostLogoutRedirectURIs are where people may go after logging out (OpenID
	// Connect RP-Initiated Logout §3.1).
	PostLogoutRedirectURIs []string
	// BackchannelLogoutURI is told of the ends of sessions; may be empty.
	BackchannelLogoutURI string
	// Trusted clients act without the user's consent.
	Trusted bool
	// PKCEOptional is of confidential clients: public ones always need it.
	PKCEOptional bool
	// RequirePushedRequests refuses requests that were not pushed (RFC 9126 §6).
	RequirePushedRequests bool
	// IDTokenAlgorithm is that of its ID tokens; empty means the server's.
	IDTokenAlgorithm string
	CreatedAt        time.Time
}

// MayUse reports whether grant is registered for c.
func (c Client) MayUse(grant string) bool { return slices.Contains(c.Grants, grant) }

// DisplayName is what people see of c.
func (c Client) DisplayName() string { return cmp.Or(c.Name, c.ID) }

// RedirectURI returns where an answer goes if asked is one of c's redirect URIs,
// byte for byte, except that with a loopback host the port is free (RFC 8252
// §7.3). Empty asks for the only one.
func (c Client) RedirectURI(asked string) (string, bool) {
	if asked == "" {
		if len(c.RedirectURIs) != 1 {
			return "", false
		}
		return c.RedirectURIs[0], true
	}
	if slices.Contains(c.RedirectURIs, asked) {
		return asked, true
	}
	without, ok := withoutLoopbackPort(asked)
	return asked, ok && slices.ContainsFunc(c.RedirectURIs, func(registered string) bool {
		r, ok := withoutLoopbackPort(registered)
		return ok && r == without
	})
}

// withoutLoopbackPort cuts the port out of an http URI whose host is a loopback
// one, and reports false for any other. It reads bytes: what is compared is what
// will be redirected to.
func withoutLoopbackPort(uri string) (string, bool) {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]", "http://localhost"} {
		rest, ok := strings.CutPrefix(uri, host)
		if !ok {
			continue
		}
		if port, ok := strings.CutPrefix(rest, ":"); ok {
			rest = strings.TrimLeft(port, "0123456789")
			digits := port[:len(port)-len(rest)]
			if n, err := strconv.ParseUint(digits, 10, 16); err != nil || n == 0 {
				return "", false
			}
		}
		if rest == "" || rest[0] == '/' || rest[0] == '?' {
			return host + rest, true
		}
	}
	return "", false
}
