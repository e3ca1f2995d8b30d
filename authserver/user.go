package authserver

import (
	"math"
	"slices"
	"time"
	"unicode"
)

// User is a resource owner. Its password hash travels beside it, never in it.
type User struct {
	// ID is the small number that the tutorial's routes show: 1, 2, 3 …
	ID int64
	// Subject is a UUID in canonical text form: the claim sub, immutable and
	// never given again.
	Subject  string
	Username string
	Email    string
	FullName string // may be empty
	Roles    []string
	Active   bool
	// Epoch is carried by access tokens; those with a lower one have ended. Both
	// epochs are raised to the time in Unix seconds, or by one if they are as high:
	// a copy of the database that was put back does not fall behind what was issued.
	Epoch int64
	// SessionEpoch is carried by refresh tokens; sessions opened under a lower
	// one have ended, but for Kept.
	SessionEpoch int64
	// Kept are the sessions that survived the last raising of SessionEpoch: the
	// one that asked for it and its browser session.
	Kept      []string
	CreatedAt time.Time
	// UpdatedAt is when the names or the address last changed; at first, CreatedAt.
	UpdatedAt time.Time
}

// SessionLives reports whether a session that was opened under the given
// session epoch has outlived every raising of u's.
func (u User) SessionLives(sid string, epoch int64) bool {
	return epoch >= u.SessionEpoch || slices.Contains(u.Kept, sid)
}

// NewUser is a user to be made: the store gives it its ID.
type NewUser struct {
	User
	PasswordHash string
}

// UserChange says what is to become of a user; nil fields stay.
type UserChange struct {
	Username *string
	Email    *string
	FullName *string
	// Roles replaces the user's. If one of those that the user has by then is
	// taken away, tokens end as with EndTokens.
	Roles        *[]string
	Active       *bool
	PasswordHash *string
	// IfPasswordHash makes the change depend on what is stored; with another
	// hash there the user counts as not found. Empty asks for nothing.
	IfPasswordHash string
	// EndTokens raises Epoch and writes the user's revocation entry.
	EndTokens bool
	// EndSessions raises SessionEpoch, but Keep outlives it. If that session has
	// ended already, the change is refused with ErrSessionEnded.
	EndSessions bool
	Keep        Asker
	// End lists sessions that end one by one in the same transaction, each
	// with a tombstone and a revocation entry: the user's others when one is kept.
	End []Ending
	// Reason is written into every entry that the change makes.
	Reason Reason
}

// Asker is the session in whose name something is asked for. What ends the
// others of its user keeps it.
type Asker struct {
	Subject   string
	ClientID  string
	SessionID string
	// ParentID is the browser session that opened it, or empty. It lives as long:
	// whatever keeps the one keeps the other.
	ParentID string
	// SessionEpoch is what SessionID was opened under, or a later one of its user
	// under which it lived.
	SessionEpoch int64
}

// IDs are the sessions that are kept for a.
func (a Asker) IDs() []string {
	return slices.DeleteFunc([]string{a.SessionID, a.ParentID}, func(id string) bool { return id == "" })
}

// Page is a part of a listing. Limit 0 means none.
type Page struct {
	Limit, Offset int
}

// Of is where the page begins and ends in a list of n.
func (p Page) Of(n int) (first, last int) {
	first, last = min(p.Offset, n), n
	if p.Limit > 0 {
		last = min(first+p.Limit, n)
	}
	return first, last
}

// Through is the page from the start to where p ends.
func (p Page) Through() Page {
	if p.Limit == 0 || p.Limit > math.MaxInt-p.Offset {
		return Page{}
	}
	return Page{Limit: p.Offset + p.Limit}
}

// Fold is the form in which names and e-mail addresses are compared: each rune
// is replaced by the least of those that differ from it by case alone (Unicode
// simple case folding).
func Fold(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		out = append(out, least)
	}
	return string(out)
}
