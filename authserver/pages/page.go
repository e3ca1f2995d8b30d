package pages

import "time"

// Page is what Render shows: one of the structs of this package.
type Page interface {
	common() Common
	view() view
}

// view is how a page is shown.
type view struct {
	name       string // of its template
	script     string // in static, or empty
	data       any    // what its template gets
	retryAfter time.Duration
}

// Common is what every page has.
type Common struct {
	// UILocales are the languages that the application asked for (OIDC Core
	// §3.1.2.1), as sent. Without them those of the address count, and then the
	// browser's.
	UILocales string
	// InRequest is set on a page inside an authorization request, and wherever
	// else a form may lead to a client. It has no form-action: browsers hold
	// every redirect that follows to it, and where a client's callback goes on to
	// is not known (CSP3 §6.4).
	InRequest bool
}

func (c Common) common() Common { return c }

// Field is a hidden field of a form.
type Field struct{ Name, Value string }

// Menu is what the pages of an account have in common: who is logged in, where
// the pages are, and what the form to log out posts to.
type Menu struct {
	Username    string
	AccountURL  string
	SessionsURL string
	AppsURL     string
	LogoutURL   string
}

// Scope is one of those that an application asks for or has.
type Scope struct {
	Name string
	// Description is for people, by whoever runs the server. Without one the
	// scopes of OpenID Connect have ours, and others show their name.
	Description string
	// Known is set if the application has it already.
	Known bool
}
