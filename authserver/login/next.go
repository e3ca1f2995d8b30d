package login

import (
	"slices"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// Step is what comes next for an authorization request.
type Step int

const (
	// Authenticate: the person logs in, again if there is a session.
	Authenticate Step = iota + 1
	// Register: the person makes an account, or logs in from that page.
	Register
	// Ask: the person says whether the client may have what it asks for.
	Ask
	// Done: the request is answered with a code.
	Done

	// What the client is told instead, without a page.

	// LoginRequired and ConsentRequired are of prompt=none (OpenID Connect Core
	// §3.1.2.6).
	LoginRequired
	ConsentRequired
	// UnmetAuthentication: nobody here can log in as the request wants it
	// (OpenID Connect Core Unmet Authentication Requirements 1.0).
	UnmetAuthentication
)

// Known is what a step is decided on.
type Known struct {
	Request *authserver.AuthorizationRequest
	// Begun is when the person came with the request. What has happened since
	// was for its sake: so one login answers prompt=login and max_age=0.
	Begun time.Time
	Now   time.Time
	// Login is the browser session's; nil without one, or if it has ended.
	Login *authserver.Login
	// Trusted clients are not asked for.
	Trusted bool
	// Scopes are those of the request that the person's roles allow.
	Scopes []string
	// Consent is what the person has let the client do; nil if nothing.
	Consent *authserver.Consent
}

// Next is the one step that comes next.
func Next(k Known) Step {
	silent := k.Request.Asks(authserver.PromptNone)
	switch {
	case k.Request.Asks(authserver.PromptCreate) && !k.loggedInForThis():
		return Register
	case k.needsLogin() && silent:
		return LoginRequired
	case k.needsLogin():
		return Authenticate
	case k.unmet():
		return UnmetAuthentication
	case k.needsConsent() && silent:
		return ConsentRequired
	case k.needsConsent():
		return Ask
	}
	return Done
}

// loggedInForThis reports whether the login was made since the request began.
// Sessions keep milliseconds.
func (k Known) loggedInForThis() bool {
	return k.Login != nil && !k.Login.AuthTime.Before(k.Begun.Truncate(time.Millisecond))
}

func (k Known) needsLogin() bool {
	switch {
	case k.Login == nil, k.Request.Subject != "" && k.Request.Subject != k.Login.Subject:
		return true
	case k.loggedInForThis():
		return false
	case k.Request.Asks(authserver.PromptLogin), k.Request.Asks(authserver.PromptSelectAccount):
		return true
	}
	return k.Request.MaxAge != nil && (*k.Request.MaxAge == 0 || k.Now.Sub(k.Login.AuthTime) > *k.Request.MaxAge)
}

// unmet reports whether the request wants two factors and the login has one. Any
// value that acr_values names will do, and what is no value of ours says nothing.
func (k Known) unmet() bool {
	acr := authserver.ACR(k.Login.AMR)
	if len(k.Request.EssentialACR) > 0 && !meets(acr, k.Request.EssentialACR) {
		return true
	}
	wanted := k.Request.ACRValues
	return slices.Contains(wanted, authserver.ACRTwo) && !meets(acr, wanted)
}

// meets reports whether a login of the class acr is one of those wanted: two
// factors are one as well.
func meets(acr string, wanted []string) bool {
	return slices.Contains(wanted, acr) || acr == authserver.ACRTwo && slices.Contains(wanted, authserver.ACROne)
}

func (k Known) needsConsent() bool {
	switch {
	case k.Trusted:
		return false
	case !k.Consent.Covers(k.Scopes, k.Request.Resources):
		return true
	}
	return k.Request.Asks(authserver.PromptConsent) && k.Consent.GrantedAt.Before(k.Begun.Truncate(time.Millisecond))
}
