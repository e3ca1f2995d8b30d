package authserver

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"time"
)

// MaxUserAgent is how many bytes of a user agent a session keeps.
const MaxUserAgent = 60

// Session is one authorization of one client for one user. It is one record of
// constant size, however often it is refreshed. Times have milliseconds.
type Session struct {
	// ID is the claim sid: 16 random bytes in unpadded base64url.
	ID      string
	Subject string
	// ClientID and ClientIncarnation name the client that it belongs to.
	ClientID          string
	ClientIncarnation int64
	Scope             []string
	Resources         []string
	// SessionEpoch is the user's, as it was when the session was opened.
	SessionEpoch int64
	// SecretHash is SHA-256 of the secret that every refresh token of the
	// session carries.
	SecretHash [sha256.Size]byte
	// Counter is the n of the refresh token that is current. 0 is a code that
	// was not redeemed: such a session counts nowhere.
	Counter uint32
	// RotatedAt is when Counter last changed; at first, CreatedAt.
	RotatedAt time.Time
	CreatedAt time.Time
	// LastUsedAt is when the session last gave an access token.
	LastUsedAt time.Time
	// IdleDeadline moves at each rotation and never passes Deadline.
	IdleDeadline time.Time
	// Deadline is absolute and never moves.
	Deadline time.Time
	// Parent is the browser session that opened it, or empty. Then IP and
	// UserAgent are the person's and stay.
	Parent    string
	IP        string
	UserAgent string // at most MaxUserAgent bytes
	// AuthTime is when the person showed who they are, and AMR by which means
	// (RFC 8176). Zero and nil for sessions of a version that did not keep them.
	AuthTime time.Time
	AMR      []string
	// Claims are those about the person that were asked for by name, as package
	// oidc writes them.
	Claims []string
	// ConsentEpoch is of the consent that it was opened under; 0 without one.
	ConsentEpoch int64
}

// OfBrowser reports whether s is a browser session.
func (s Session) OfBrowser() bool { return s.ClientID == BrowserClientID }

// EndsWith reports whether s ends by a logout from the browser session of the
// given id: it opened s, and s is not for offline access (OpenID Connect Core §11).
func (s Session) EndsWith(browser string) bool {
	return s.Parent == browser && browser != "" && !slices.Contains(s.Scope, ScopeOfflineAccess)
}

// Excess are the ids of those of others, the last used first, that are too many
// beside s if perUser are enough. Browser sessions count by themselves. Sessions
// of the same browser session and client as s go first: a page that renews its
// session in silence is no reason to end another's.
func (s Session) Excess(others []Session, perUser int) []string {
	var apart, alike []string
	for _, o := range others {
		switch {
		case o.ID == s.ID, o.Counter == 0, o.OfBrowser() != s.OfBrowser():
		case s.Parent != "" && o.Parent == s.Parent && o.ClientID == s.ClientID:
			alike = append(alike, o.ID)
		default:
			apart = append(apart, o.ID)
		}
	}
	all := append(apart, alike...)
	return all[min(len(all), perUser-1):]
}

// BelongsTo reports whether c is the session's client, and not a later one of
// the same id.
func (s Session) BelongsTo(c Client) bool {
	return s.ClientID == c.ID && s.ClientIncarnation == c.Incarnation
}

// Advance is a refresh token's presentation: everything that decides is in it,
// so that a store needs nothing else, no clock either.
type Advance struct {
	Counter           uint32
	Secret            [16]byte
	ClientID          string
	ClientIncarnation int64
	// Scope is what was asked for; empty asks for the session's.
	Scope []string
	// Resources are those asked for; empty asks for the session's.
	Resources []string
	Now       time.Time
	// Grace is how long after a rotation the token before may be presented
	// again; 0 is strict single use.
	Grace time.Duration
	// IdleLifetime is added to Now for the next idle deadline.
	IdleLifetime time.Duration
	// Keep moves only the idle deadline and LastUsedAt: the token is current and
	// stays so. One that is not current is ErrWrongSecret.
	Keep bool
	// AuthTime and AMR replace the session's if AuthTime is not zero.
	AuthTime  time.Time
	AMR       []string
	IP        string
	UserAgent string
}

// Outcome says what became of a presentation that was not refused.
type Outcome int

const (
	// Rotated: the token was current; the session's counter is one higher.
	Rotated Outcome = iota + 1
	// Repeated: the token was the one before, within the grace period. Nothing
	// has changed; the answer is the same refresh token as before.
	Repeated
	// Reused: an older token. The store has changed nothing: the caller ends
	// the session in the database and then drops it.
	Reused
	// Recovered: the token was ahead of the store, which has lost writes. The
	// counter is one higher than the token's.
	Recovered
	// Kept: the token was current and still is.
	Kept
)

// String returns the word that logs and the audit log use.
func (o Outcome) String() string {
	switch o {
	case Rotated:
		return "rotated"
	case Repeated:
		return "repeated"
	case Reused:
		return "reused"
	case Recovered:
		return "recovered"
	case Kept:
		return "kept"
	}
	return "invalid"
}

// Judge says what becomes of s when a is presented, and s as it then is. It is
// the rule that every SessionStore follows, whatever it is written in. An error
// is one of ErrSessionExpired, ErrWrongClient, ErrWrongSecret, ErrScopeTooWide,
// ErrTargetTooWide.
func (s Session) Judge(a Advance) (Session, Outcome, error) {
	if !a.Now.Before(s.IdleDeadline) || !a.Now.Before(s.Deadline) {
		return s, 0, ErrSessionExpired
	}
	if a.ClientID != s.ClientID || a.ClientIncarnation != s.ClientIncarnation {
		return s, 0, ErrWrongClient
	}
	hash := sha256.Sum256(a.Secret[:])
	if subtle.ConstantTimeCompare(hash[:], s.SecretHash[:]) != 1 {
		return s, 0, ErrWrongSecret
	}
	for _, name := range a.Scope {
		if !slices.Contains(s.Scope, name) {
			return s, 0, ErrScopeTooWide
		}
	}
	for _, resource := range a.Resources {
		if !slices.Contains(s.Resources, resource) {
			return s, 0, ErrTargetTooWide
		}
	}
	switch {
	case a.Keep && a.Counter != s.Counter:
		return s, 0, ErrWrongSecret
	case a.Keep:
		s.use(a)
		return s, Kept, nil
	case a.Counter+1 == s.Counter && a.Grace > 0 && a.Now.Sub(s.RotatedAt) <= a.Grace:
		return s, Repeated, nil
	case a.Counter < s.Counter:
		return s, Reused, nil
	}
	outcome := Rotated
	if a.Counter > s.Counter {
		outcome = Recovered
	}
	s.Counter = a.Counter + 1
	s.RotatedAt = a.Now
	s.use(a)
	if s.Parent == "" {
		s.IP, s.UserAgent = a.IP, a.UserAgent
	}
	if !a.AuthTime.IsZero() {
		s.AuthTime, s.AMR = a.AuthTime, a.AMR
	}
	return s, outcome, nil
}

func (s *Session) use(a Advance) {
	s.LastUsedAt = a.Now
	s.IdleDeadline = a.Now.Add(a.IdleLifetime)
	if s.IdleDeadline.After(s.Deadline) {
		s.IdleDeadline = s.Deadline
	}
}
