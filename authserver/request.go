package authserver

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// Response modes of an authorization request.
const (
	ResponseQuery    = "query"     // RFC 6749 §4.1.2
	ResponseFormPost = "form_post" // OAuth 2.0 Form Post Response Mode
)

// Values of the parameter prompt (OpenID Connect Core §3.1.2.1; create is of
// Initiating User Registration via OpenID Connect).
const (
	PromptNone          = "none"
	PromptLogin         = "login"
	PromptConsent       = "consent"
	PromptSelectAccount = "select_account"
	PromptCreate        = "create"
)

// AuthorizationRequest is an authorization request (RFC 6749 §4.1.1) that was
// found to be well-formed and within what its client may ask for.
type AuthorizationRequest struct {
	ClientID string
	// RedirectURI is as it was sent; empty if it was left out.
	RedirectURI string
	// Target is where the answer goes: RedirectURI or the client's only one.
	Target       string
	ResponseMode string
	// State is of HasState: an answer has it exactly if the request had.
	State    string
	HasState bool
	// Scope and Resources are never empty: what was not asked for is the
	// client's and the server's default. Roles have not narrowed Scope yet.
	Scope     []string
	Resources []string
	// CodeChallenge is of the method S256 (RFC 7636 §4.2); empty without PKCE.
	CodeChallenge string
	Nonce         string
	Prompt        []string
	// MaxAge is nil if it was not given; 0 asks for a login of now.
	MaxAge    *time.Duration
	LoginHint string
	UILocales []string
	ACRValues []string
	Display   string
	// Claims are those about the person that are asked for by name, as package oidc
	// writes them.
	Claims []string
	// EssentialACR are classes of which the login has to be of one; nil if any will
	// do. ACRValues are wishes (OpenID Connect Core §5.5.1.1).
	EssentialACR []string
	// Subject is whose login it has to be, by a hint or by claims; empty if
	// anybody's will do.
	Subject string
	// Parameters are those that this server reads, as they were sent. Their
	// Encode is the same for every spelling and order of one request.
	Parameters url.Values
}

// Asks reports whether the request's prompt has value.
func (r *AuthorizationRequest) Asks(value string) bool { return slices.Contains(r.Prompt, value) }

// AuthorizationAnswer is what the user agent carries to the client: the code or
// an error.
type AuthorizationAnswer struct {
	// Target is the client's redirect URI.
	Target       string
	ResponseMode string
	// Fields are in the order in which they are written; none stands twice.
	Fields []AnswerField
}

// AnswerField is one parameter of an AuthorizationAnswer.
type AnswerField struct{ Name, Value string }

// Location is where ResponseQuery redirects to: the redirect URI, whose own
// query is kept (RFC 6749 §3.1.2), with the fields added.
func (a AuthorizationAnswer) Location() string {
	var b strings.Builder
	b.WriteString(a.Target)
	separator := byte('?')
	if strings.Contains(a.Target, "?") {
		separator = '&'
	}
	for _, f := range a.Fields {
		b.WriteByte(separator)
		b.WriteString(f.Name + "=" + url.QueryEscape(f.Value))
		separator = '&'
	}
	return b.String()
}

// Login is who answers an authorization request, and how they showed it.
type Login struct {
	Subject string
	// Parent is the id of the browser session.
	Parent string
	// AuthTime has milliseconds.
	AuthTime time.Time
	// AMR are the means (RFC 8176).
	AMR []string
}

// Classes of authentication, the values of acr.
const (
	ACROne = "aal1" // one factor
	ACRTwo = "aal2" // two, or a passkey with user verification
)

// AMRPassword is the means of authentication by password (RFC 8176 §2).
const AMRPassword = "pwd"

// ACR is the class of a login by the given means.
func ACR(amr []string) string {
	if slices.Contains(amr, "mfa") {
		return ACRTwo
	}
	return ACROne
}
