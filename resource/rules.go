package resource

import (
	"fmt"
	"slices"
)

// Rule says which tokens, of those that are good, may pass. The zero Rule lets
// none through.
type Rule struct {
	allows func(*Claims) bool
	detail string // of the 403
	scope  string // what would help, for the challenge
	// stepUp is the challenge's parameter where another login would help; the answer
	// is then 401 (RFC 9470 §3).
	stepUp string
}

const insufficientPermissions = "Insufficient permissions"

// Scope lets tokens with the scope of that name through.
func Scope(name string) Rule {
	return Rule{
		allows: func(c *Claims) bool { return c.HasScope(name) },
		detail: insufficientPermissions,
		scope:  name,
	}
}

// AnyRole lets tokens through that have one of the roles, by name: a higher role
// does not stand in for a lower one.
func AnyRole(names ...string) Rule {
	return Rule{
		allows: func(c *Claims) bool {
			return slices.ContainsFunc(c.Roles, func(role string) bool { return slices.Contains(names, role) })
		},
		detail: insufficientPermissions,
	}
}

// AnyRole is the gate of that name for roles of this hierarchy only: a name
// that it does not know lets no one through.
func (h Hierarchy) AnyRole(names ...string) Rule {
	return AnyRole(slices.DeleteFunc(slices.Clone(names), func(role string) bool { return !h.Known(role) })...)
}

// AtLeast lets tokens through that have the role or one above it. A role that
// the hierarchy does not know lets no one through.
func (h Hierarchy) AtLeast(role string) Rule {
	return Rule{
		allows: func(c *Claims) bool { return h.Holds(c.Roles, role) },
		detail: fmt.Sprintf("Requires %s permission or higher", role),
	}
}

// AnyUser lets users' tokens through and refuses clients' own.
func AnyUser() Rule {
	return Rule{allows: (*Claims).OfUser, detail: insufficientPermissions}
}

func (r Rule) allow(c *Claims) bool { return r.allows != nil && r.allows(c) }
