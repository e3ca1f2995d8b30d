package oidc

import (
	"slices"
	"strings"

	"github.com/tokenwright/tokenwright/authserver"
)

// Scopes that bring claims (OpenID Connect Core §5.4); roles and groups are our
// own: most applications read roles under the second name.
const (
	ScopeProfile = authserver.ScopeProfile
	ScopeEmail   = "email"
	ScopeRoles   = "roles"
	ScopeGroups  = "groups"
)

// Scopes are those that this server understands beside the registered ones.
var Scopes = []string{
	authserver.ScopeOpenID, ScopeProfile, ScopeEmail, ScopeRoles, ScopeGroups, authserver.ScopeOfflineAccess,
}

// scoped are the claims of each scope.
var scoped = map[string][]string{
	ScopeProfile: {"name", "preferred_username", "updated_at"},
	ScopeEmail:   {"email", "email_verified"},
	ScopeRoles:   {"roles"},
	ScopeGroups:  {"groups"},
}

// Names are the claims about people that there are.
var Names = []string{"sub", "name", "preferred_username", "updated_at", "email", "email_verified", "roles", "groups"}

// About are the claims about u that the scopes bring, and those that are asked for
// by name. What is not known of u is left out; sub is always there.
func About(u authserver.User, scopes, names []string) map[string]any {
	wanted := slices.Clone(names)
	for _, scope := range scopes {
		wanted = append(wanted, scoped[scope]...)
	}
	all := map[string]any{
		"preferred_username": u.Username,
		"updated_at":         u.UpdatedAt.Unix(),
		"email":              u.Email,
		"email_verified":     false,
		"roles":              roles(u),
		"groups":             roles(u),
	}
	if u.FullName != "" {
		all["name"] = u.FullName
	}
	about := map[string]any{"sub": u.Subject}
	for _, name := range wanted {
		if value, ok := all[name]; ok {
			about[name] = value
		}
	}
	return about
}

func roles(u authserver.User) []string { return append([]string{}, u.Roles...) }

// Where a claim is asked for.
const (
	inUserInfo = "userinfo."
	inIDToken  = "id_token."
)

// UserInfo and IDToken are those of wanted, as Wanted returns it, that belong there.
func UserInfo(wanted []string) []string { return withPrefix(wanted, inUserInfo) }

// IDToken is like UserInfo.
func IDToken(wanted []string) []string { return withPrefix(wanted, inIDToken) }

func withPrefix(wanted []string, prefix string) []string {
	var names []string
	for _, w := range wanted {
		if name, ok := strings.CutPrefix(w, prefix); ok {
			names = append(names, name)
		}
	}
	return names
}
