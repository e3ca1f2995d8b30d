package authserver

import (
	"slices"
	"time"
)

// Consent is what a user lets a client do.
type Consent struct {
	Subject  string
	ClientID string
	// Scopes and Resources are empty once it was taken back.
	Scopes    []string
	Resources []string
	// Epoch is raised when it is taken back: codes and sessions that were
	// opened under a lower one have ended. It is never below the time of its first
	// giving in Unix seconds, nor after a raising below that time, so that a copy of
	// the database that was put back does not fall behind.
	Epoch     int64
	GrantedAt time.Time
}

// Covers reports whether nothing among scopes and resources has to be asked
// for. A nil Consent covers nothing.
func (c *Consent) Covers(scopes, resources []string) bool {
	if c == nil || c.Withdrawn() {
		return false
	}
	within := func(asked, given []string) bool {
		return !slices.ContainsFunc(asked, func(one string) bool { return !slices.Contains(given, one) })
	}
	return within(scopes, c.Scopes) && within(resources, c.Resources)
}

// Withdrawn reports whether it was taken back and not given again.
func (c *Consent) Withdrawn() bool { return len(c.Scopes) == 0 && len(c.Resources) == 0 }
