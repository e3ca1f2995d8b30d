package authserver

import (
	"slices"
	"strings"
)

// ScopeProfile lets a user's access token carry the claim name.
const ScopeProfile = "profile"

// Scopes of OpenID Connect Core.
const (
	ScopeOpenID        = "openid"         // §3.1.2.1
	ScopeOfflineAccess = "offline_access" // §11
)

// MaxScopeLength is how many bytes of scope a request may ask for, and a token
// has.
const MaxScopeLength = 1024

// Scopes are the registered scopes by name.
type Scopes map[string]Scope

// Scope is what is registered of a scope.
type Scope struct {
	// RequiresRole is the least role that may hold it; empty means anyone.
	RequiresRole string
	// Description tells people what they allow; it may be empty.
	Description string
}

// Resource is a registered resource server (RFC 8707): its identifier is what
// aud and the parameter resource carry.
type Resource struct {
	Identifier string
	Name       string
	Scopes     []string
}

// ParseScope splits a scope value (RFC 6749 §3.3) and drops repetitions. It
// reports false for a value that is too long or has a byte outside the grammar.
func ParseScope(s string) ([]string, bool) {
	if len(s) > MaxScopeLength {
		return nil, false
	}
	var out []string
	for name := range strings.SplitSeq(s, " ") {
		if name == "" {
			continue
		}
		if !ValidScope(name) {
			return nil, false
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out, true
}

// DefaultScope are those of a client's scopes that it gets without asking for any:
// an ID token and a session that outlives a logout are asked for by name.
func DefaultScope(scopes []string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(name string) bool {
		return name == ScopeOpenID || name == ScopeOfflineAccess
	})
}

// FittingScope is the beginning of scopes that is within MaxScopeLength.
func FittingScope(scopes []string) []string {
	length := -1 // no space before the first
	for i, name := range scopes {
		if length += 1 + len(name); length > MaxScopeLength {
			return scopes[:i]
		}
	}
	return scopes
}

// ValidScope reports whether name is a scope-token (RFC 6749 §3.3).
func ValidScope(name string) bool {
	if name == "" {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if c < 0x21 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
