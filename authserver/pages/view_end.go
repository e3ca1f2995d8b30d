package pages

import "time"

// LogoutAsk asks whether to log out. It posts Hidden and act: logout or stay.
// InRequest is to be set if a redirect to a client follows.
type LogoutAsk struct {
	Common
	Action   string
	Hidden   []Field
	Username string
	Apps     []string // names of the applications that end with it
}

func (p LogoutAsk) view() view { return view{name: "logout", data: p} }

// SignedOut says that it is done.
type SignedOut struct {
	Common
	LoginURL string
}

func (p SignedOut) view() view { return view{name: "signedout", data: p} }

// Kind is what went wrong; it chooses the title, what happened and what to do.
type Kind string

// What can go wrong.
const (
	KindRequest     Kind = "request"     // a faulty authorization request, 400
	KindClient      Kind = "client"      // a client that is not known, 400
	KindRedirect    Kind = "redirect"    // a redirect URI that is not the client's, 400
	KindLong        Kind = "long"        // a request over 4 KiB: it is to be pushed
	KindInvalid     Kind = "invalid"     // a form that cannot be read, 400
	KindForm        Kind = "form"        // a form of another site, 403
	KindNavigation  Kind = "navigation"  // asked for by something else than a person, 403
	KindForbidden   Kind = "forbidden"   // 403
	KindNotFound    Kind = "not_found"   // 404
	KindMethod      Kind = "method"      // 405
	KindClosed      Kind = "closed"      // registration is closed
	KindThrottled   Kind = "throttled"   // 429
	KindBusy        Kind = "busy"        // 503, too many at once
	KindUnavailable Kind = "unavailable" // 503, a store is away
	KindInternal    Kind = "internal"    // 500
)

// Kinds are all there are.
var Kinds = []Kind{
	KindRequest, KindClient, KindRedirect, KindLong, KindInvalid, KindForm, KindNavigation, KindForbidden,
	KindNotFound, KindMethod, KindClosed, KindThrottled, KindBusy, KindUnavailable, KindInternal,
}

// Error says what went wrong and what to do.
type Error struct {
	Common
	Kind Kind
	// Details are for whoever looks after the application: sentences of ours,
	// shown as they are.
	Details    []string
	RequestID  string
	RetryAfter time.Duration
	// BackURL and BackName lead out: to the application's registered home page,
	// never to a redirect URI. Without BackName it reads "Back to your account".
	BackURL, BackName string
}

func (p Error) view() view { return view{name: "error", data: p, retryAfter: p.RetryAfter} }
