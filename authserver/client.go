package authserver

import (
	"slices"
	"time"
)

// Grant types (RFC 6749 §4.3, §6, §4.4).
const (
	GrantPassword          = "password"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
)

// FirstPartyClientID is the id of the built-in public client that /auth/login
// uses when none is named. It is in no store and cannot be registered.
const FirstPartyClientID = "first-party"

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
	CreatedAt    time.Time
}

// MayUse reports whether grant is registered for c.
func (c Client) MayUse(grant string) bool { return slices.Contains(c.Grants, grant) }
