package authserver

import "time"

// Kind says what a revocation entry names.
type Kind string

const (
	KindToken   Kind = "token"   // ID is a jti
	KindSession Kind = "session" // ID is a sid
	KindUser    Kind = "user"    // ID is a sub: every token of it with a lower epoch or session epoch
	KindClient  Kind = "client"  // ID is a client_id: every token of it
	KindKey     Kind = "key"     // ID is a kid
)

// Reason says why something ended; it is shown to operators and, for a disabled
// user, decides the words of the 401.
type Reason string

const (
	ReasonLogout          Reason = "logout"           // the user ended the session
	ReasonRevoked         Reason = "revoked"          // the client or an operator did
	ReasonReuse           Reason = "reuse"            // an older refresh token was presented
	ReasonEvicted         Reason = "evicted"          // SESSIONS_PER_USER was passed
	ReasonUserDisabled    Reason = "user_disabled"    //
	ReasonUserRemoved     Reason = "user_removed"     //
	ReasonUserRenamed     Reason = "user_renamed"     //
	ReasonPasswordChanged Reason = "password_changed" //
	ReasonRoleRemoved     Reason = "role_removed"     //
	ReasonClientRemoved   Reason = "client_removed"   //
	ReasonKeyBurnt        Reason = "key_burnt"        //
	// ReasonConsentWithdrawn: the user took back what the client may do.
	ReasonConsentWithdrawn Reason = "consent_withdrawn"
)

// Revocation is an entry of the table of what has ended. No entry compares clocks.
type Revocation struct {
	// Seq orders the entries as they were committed; it has no gaps.
	Seq  int64
	Kind Kind
	ID   string
	// Epoch is of KindUser only: tokens with a lower one have ended.
	Epoch int64
	// SessionEpoch is of KindUser only, 0 if it was not raised: tokens with a lower
	// one have ended too, but for those of sessions in Kept. What a later raising
	// keeps had outlived those before.
	SessionEpoch int64
	Kept         []string
	Reason       Reason
	// Resources are those that what ended can have been for; empty means any.
	// They choose who hears of it, and are not shown.
	Resources []string
	// Until is the largest exp that can have been issued under ID plus 60 s;
	// then the entry leaves.
	Until time.Time
}

// Ending asks a store to end a session or a token.
type Ending struct {
	Kind      Kind // KindSession or KindToken
	ID        string
	Subject   string // of the session's user; empty for a client's own token
	SessionID string // of KindToken only: the session that it is of, or empty
	ClientID  string
	// Keep is what goes on if all others of the user end by this one.
	Keep   Asker
	Reason Reason
	// Resources are the session's, or the token's aud; empty if unknown.
	Resources []string
}

// Tombstone is the mark of an ended session.
type Tombstone struct {
	SessionID string
	Subject   string
	ClientID  string
	Reason    Reason
	EndedAt   time.Time
}

// SessionEpoch is one raising of a user's session epoch: it ended every session
// that was opened under a lower one, but for Kept.
type SessionEpoch struct {
	Epoch   int64
	Kept    []string
	Reason  Reason
	EndedAt time.Time
}

// ActorCLI is the Actor of what a command did.
const ActorCLI = "cli"

// Event is a row of the audit log. No secret, token or password is in it.
type Event struct {
	// At is set by the store if it is zero.
	At        time.Time
	Act       string // what happened: "refresh.reuse_detected", "user.disable"
	Result    string // "success" or "failure"
	Actor     string // who did it: a subject, a client id, or ActorCLI
	Subject   string // the user it was done to
	ClientID  string
	SessionID string
	IP        string
	RequestID string
	Reason    string
	// Times is how many that are alike the event stands for, within a second; 0
	// is one.
	Times int64
}
