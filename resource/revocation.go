package resource

import (
	"slices"
	"time"
)

// The kinds of Revocation.
const (
	KindToken   = "token"   // ID is a jti
	KindSession = "session" // ID is a sid, or that of the browser session that opened it
	KindUser    = "user"    // ID is a sub: every token of it with a lower epoch or session epoch
	KindClient  = "client"  // ID is a client_id: every token of it
	KindKey     = "key"     // ID is a kid: every token that it signed
)

// ReasonUserDisabled is the one Reason that the bearer is told.
const ReasonUserDisabled = "user_disabled"

// Revocation is an entry of the issuer's feed of what has ended.
type Revocation struct {
	Seq  int64 // the feed's order
	Kind string
	ID   string
	// Epoch and SessionEpoch are of KindUser only. Tokens with a lower Epoch have
	// ended; those with a lower SessionEpoch too, unless Kept has their session or
	// the browser session that opened it.
	Epoch        int64
	SessionEpoch int64
	Kept         []string
	Reason       string
	// Until is when no token that it ends can be alive any more; the entry then
	// ends nothing and is forgotten.
	Until time.Time
}

// kindSessions is what a raising of a user's session epoch is held as: it stands
// beside what raised the epoch, so that two entries of one user add up.
const kindSessions = "user's sessions"

// parts are what r ends, each by itself.
func (r Revocation) parts() []Revocation {
	if r.Kind != KindUser || r.SessionEpoch == 0 {
		return []Revocation{r}
	}
	sessions, tokens := r, r
	sessions.Kind, sessions.Epoch = kindSessions, 0
	tokens.SessionEpoch, tokens.Kept = 0, nil
	if tokens.Epoch == 0 {
		return []Revocation{sessions}
	}
	return []Revocation{tokens, sessions}
}

// covers says whether r, of the same name, adds nothing.
func (have *Revocation) covers(r Revocation) bool {
	switch {
	case have.Until.Before(r.Until):
		return false
	case have.Epoch != r.Epoch:
		return have.Epoch > r.Epoch
	case have.SessionEpoch != r.SessionEpoch:
		return have.SessionEpoch > r.SessionEpoch
	}
	return !slices.ContainsFunc(have.Kept, func(sid string) bool { return !slices.Contains(r.Kept, sid) })
}

// and ends what have or r, of the same name, ends. The higher epoch ends more.
// So does the higher session epoch: it keeps only what the lower ones had kept
// or what was opened since. Of one session epoch that two copies of a database
// raised, each for another session, none is kept.
func (have *Revocation) and(r Revocation) Revocation {
	more, less := r, *have
	if have.Epoch > r.Epoch || have.SessionEpoch > r.SessionEpoch {
		more, less = *have, r
	}
	if less.SessionEpoch == more.SessionEpoch && len(more.Kept) > 0 {
		more.Kept = slices.DeleteFunc(slices.Clone(more.Kept), func(sid string) bool { return !slices.Contains(less.Kept, sid) })
	}
	if more.Until.Before(less.Until) {
		more.Until = less.Until
	}
	return more
}

// keeps says whether r, a raising of the session epoch, lets c live.
func (r *Revocation) keeps(c *Claims) bool {
	return c.SessionEpoch >= r.SessionEpoch || slices.Contains(r.Kept, c.SessionID)
}
