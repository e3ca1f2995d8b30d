// Package backchannel tells clients that sessions of theirs have ended (OpenID
// Connect Back-Channel Logout 1.0): what is known of an ended session, the logout
// token that is made of it at each try, and which sessions ended where many ended
// at once. When it is sent belongs to outbox, and what ends to the database.
package backchannel

import (
	"slices"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/outbox"
)

// Kinds of items in the outbox.
const (
	// KindLogout is one ended session, whose client is to be told.
	KindLogout = "logout"
	// KindSessions is what ended many sessions at once, which are to be found.
	KindSessions = "sessions"
)

// Session is an ended session, as the outbox keeps it.
type Session struct {
	ID       string `json:"sid"`
	Subject  string `json:"sub"`
	ClientID string `json:"client_id"`
}

// Item is that of an ended session. What receives it is the client.
func (s Session) Item() outbox.Item {
	return outbox.Item{Kind: KindLogout, ID: s.ID, Receiver: s.ClientID}
}

// Sessions are those sessions of a user that one ending has ended: the ones that a
// browser session opened, if Parent is set; those of a client that were opened
// under a lower ConsentEpoch, if ClientID is; else those opened under a lower
// SessionEpoch but for Kept.
type Sessions struct {
	Subject      string            `json:"sub"`
	Parent       string            `json:"parent,omitempty"`
	ClientID     string            `json:"client_id,omitempty"`
	ConsentEpoch int64             `json:"consent_epoch,omitempty"`
	SessionEpoch int64             `json:"session_epoch,omitempty"`
	Kept         []string          `json:"kept,omitempty"`
	Reason       authserver.Reason `json:"reason"`
	EndedAt      time.Time         `json:"ended_at"`
}

// Item is that of what ended them, which id names.
func (s Sessions) Item(id string) outbox.Item {
	return outbox.Item{Kind: KindSessions, ID: id, Receiver: s.Subject}
}

// Has reports whether one is among those that ended.
func (s Sessions) Has(one authserver.Session) bool {
	switch {
	case one.Subject != s.Subject || one.OfBrowser():
		return false
	case s.Parent != "":
		return one.EndsWith(s.Parent)
	case s.ClientID != "":
		return one.ClientID == s.ClientID && 0 < one.ConsentEpoch && one.ConsentEpoch < s.ConsentEpoch
	}
	return one.SessionEpoch < s.SessionEpoch && !slices.Contains(s.Kept, one.ID)
}
