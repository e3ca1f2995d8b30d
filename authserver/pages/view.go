package pages

import (
	"net"
	"net/url"
	"time"
)

// Problem is why a form is shown again.
type Problem string

// What can be wrong with a form as a whole.
const (
	Wrong       Problem = "wrong"       // user name or password; never which
	Throttled   Problem = "throttled"   // too many tries
	Busy        Problem = "busy"        // too many at once
	Unavailable Problem = "unavailable" // a store is away
)

// Notice is what a login page says before anything was tried.
type Notice string

// What a login page can say.
const (
	Again      Notice = "again"      // the application wants a fresh login
	Registered Notice = "registered" // the account is made
	Ended      Notice = "ended"      // the login that was there is over
)

// Login asks for name and password. It posts username and password, Hidden, and
// act: login or cancel.
type Login struct {
	Common
	Action     string // what the form posts to; empty: the page's own address
	Hidden     []Field
	ClientName string // empty for a login to the account pages
	Username   string // what was typed, or expected
	SignedInAs string // who is logged in already
	Notice     Notice
	Problem    Problem
	RetryAfter time.Duration
	Cancel     bool // whether there is a client to be told
	// RegisterURL is empty where registration is closed.
	RegisterURL string
}

func (p Login) view() view {
	return view{name: "login", script: "password.js", data: p, retryAfter: p.RetryAfter}
}

// Consent asks whether a client may have what it asks for. It posts Hidden and
// act: allow, deny, or switch for another account.
type Consent struct {
	Common
	Action      string
	Hidden      []Field
	ClientName  string
	ClientID    string
	RedirectURI string // its host is shown
	Username    string
	Scopes      []Scope
	Resources   []string
}

func (p Consent) view() view {
	p.InRequest = true
	return view{name: "consent", data: struct {
		Consent
		Host string
	}{p, webHost(p.RedirectURI)}}
}

func (p Consent) common() Common { p.InRequest = true; return p.Common }

// webHost is the host that an address leads to, or empty if that is an
// application on the person's own device (RFC 8252 §7).
func webHost(redirectURI string) string {
	u, err := url.Parse(redirectURI)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "localhost" {
		return ""
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsLoopback() {
		return ""
	}
	return u.Host
}

// FormPost hands an answer to the client by a form that posts itself, with a
// button for those without script (OAuth 2.0 Form Post Response Mode §2).
type FormPost struct {
	Common
	Action     string // the redirect URI
	ClientName string
	Fields     []Field
}

func (p FormPost) view() view {
	return view{name: "formpost", script: "formpost.js", data: p}
}

func (p FormPost) common() Common { p.InRequest = true; return p.Common }
