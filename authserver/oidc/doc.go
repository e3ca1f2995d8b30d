// Package oidc owns what OpenID Connect says about people: which claims a scope or
// the parameter claims brings, and what an ID token holds. It knows no HTTP and no
// store; whose request it is, oauth decides, and keys signs.
package oidc
