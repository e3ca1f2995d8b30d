package authserver

import (
	"context"
	"time"
)

// The contracts of the stores. storetest holds every implementation to them.
// All methods may be called concurrently. A store that cannot be asked, or that
// does not answer in time, returns an error that wraps ErrUnavailable.

// Ask names what one token request needs to know. Empty fields are not looked
// up. At most one of Login and Subject is set.
type Ask struct {
	ClientID  string
	Login     string // a user name or, if it has an @, an e-mail address
	Subject   string
	SessionID string
	ParentID  string // the browser session that opened it
	// ConsentOf asks for what the user lets the client do.
	ConsentOf bool
}

// Facts are what a FactStore knows of an Ask, all as of one moment. What is not
// there is nil or empty; that is no error.
type Facts struct {
	Client       *Client
	User         *User
	PasswordHash string
	// Ended is the session's tombstone.
	Ended *Tombstone
	// ParentEnded is the parent's tombstone.
	ParentEnded *Tombstone
	// Consent may be one that was taken back.
	Consent *Consent
	// Scopes have their descriptions only if consent was asked for.
	Scopes Scopes
}

// FactStore answers a token request's questions in one round trip.
type FactStore interface {
	Facts(ctx context.Context, a Ask) (Facts, error)
}

// SessionStore keeps sessions. Every method is atomic.
type SessionStore interface {
	// Open keeps a new session until its IdleDeadline, which Advance moves.
	// ErrConflict, and nothing has changed, if one of its ID is there. If the user
	// then has too many, it returns what Session.Excess names; they are still
	// there: the caller ends and drops them. perUser 0 is no bound.
	Open(ctx context.Context, s Session, perUser int) (excess []string, err error)
	// Advance does what Session.Judge says, in one step and one round trip for
	// a current token, and returns the session as it then is. ErrNotFound if
	// it is not there. After an error or Reused nothing has changed.
	Advance(ctx context.Context, id string, a Advance) (Session, Outcome, error)
	// Session returns ErrNotFound for one that is not there or past its deadlines.
	Session(ctx context.Context, id string) (Session, error)
	// Sessions lists a user's sessions that are not past their deadlines and not
	// of Counter 0, the last used first, and says how many there are in all.
	Sessions(ctx context.Context, subject string, p Page) ([]Session, int, error)
	// Drop forgets a session that the database has ended. One that is not
	// there is no error.
	Drop(ctx context.Context, id string) error
	// Ping says whether the store can be asked, and returns the store's clock.
	Ping(ctx context.Context) (time.Time, error)
}

// UserStore keeps users. Names and e-mail addresses are unique under Fold.
type UserStore interface {
	// AddUser makes a user and gives it the next ID. ErrEmailTaken,
	// ErrUsernameTaken (the e-mail address is looked at first).
	AddUser(ctx context.Context, u NewUser, e Event) (User, error)
	// User finds by subject, UserByLogin by name or e-mail address.
	User(ctx context.Context, subject string) (User, error)
	UserByLogin(ctx context.Context, login string) (User, error)
	// PasswordHash is the stored hash of a user's password.
	PasswordHash(ctx context.Context, subject string) (string, error)
	// PasswordHashes lists those of up to most users with IDs beyond after, by ID,
	// and says what the last ID was; 0 if there is none.
	PasswordHashes(ctx context.Context, after int64, most int) (hashes []string, last int64, err error)
	// Users lists by ID and says how many there are in all.
	Users(ctx context.Context, p Page) ([]User, int, error)
	// ChangeUser makes the change, its revocation entries, its tombstones and
	// its audit row in one transaction.
	ChangeUser(ctx context.Context, subject string, c UserChange, e Event) (User, error)
	// RemoveUser forgets a user: sessions and tokens end as with EndTokens.
	RemoveUser(ctx context.Context, subject string, e Event) error
	// UpgradePasswordHash replaces old by new if old is still what is stored;
	// nothing ends, and another's change in between is no error.
	UpgradePasswordHash(ctx context.Context, subject, old, new string) error
}

// ClientStore keeps clients, scopes and resources.
type ClientStore interface {
	// AddClient makes a client. ErrConflict if the id is taken, or was removed
	// and tokens of it may still be alive.
	AddClient(ctx context.Context, c Client, e Event) error
	// ReplaceClient overwrites all but ID, Incarnation and CreatedAt.
	ReplaceClient(ctx context.Context, c Client, e Event) error
	Client(ctx context.Context, id string) (Client, error)
	Clients(ctx context.Context) ([]Client, error)
	// UpgradeSecretHash replaces old by new if old is still what is stored;
	// nothing ends, and another's change in between is no error.
	UpgradeSecretHash(ctx context.Context, id string, old, new []byte) error
	// RemoveClient forgets a client; its tokens end in the same transaction.
	RemoveClient(ctx context.Context, id string, e Event) error

	Scopes(ctx context.Context) (Scopes, error)
	Resources(ctx context.Context) ([]Resource, error)
	// PutScope and PutResource make or overwrite; Remove… of what is not there
	// is no error. RemoveResource takes it from every client's Resources too.
	PutScope(ctx context.Context, name string, s Scope, e Event) error
	RemoveScope(ctx context.Context, name string, e Event) error
	PutResource(ctx context.Context, r Resource, e Event) error
	RemoveResource(ctx context.Context, identifier string, e Event) error
}

// ConsentStore keeps what users let clients do. Removing either takes it along.
type ConsentStore interface {
	// Grant adds c's scopes and resources to what is there and returns all of
	// it. ErrNotFound without such a user or client.
	Grant(ctx context.Context, c Consent, e Event) (Consent, error)
	// Consent also finds one that was taken back: its epoch still counts.
	Consent(ctx context.Context, subject, clientID string) (Consent, error)
	// Consents lists those of a user that are not taken back, the last given
	// first.
	Consents(ctx context.Context, subject string) ([]Consent, error)
	// Withdraw raises the epoch, empties the rest and ends the client's sessions
	// of that user that are given, in one transaction. ErrNotFound if there is
	// nothing to take back.
	Withdraw(ctx context.Context, subject, clientID string, end []Ending, e Event) error
}

// KeyStore keeps sealed signing keys.
type KeyStore interface {
	// Keys lists all, in order of algorithm and generation.
	Keys(ctx context.Context) ([]SealedKey, error)
	// AddKey returns ErrConflict if its generation is taken: another server
	// was first, and Keys has its key.
	AddKey(ctx context.Context, k SealedKey, e Event) error
	// ActivateKey lets a key that waits for its ActiveAt sign from now on, also
	// on servers whose clocks are behind. One that signs already, or no more, is
	// no error and makes no row; ErrNotFound.
	ActivateKey(ctx context.Context, kid string, e Event) error
	// RetireKey sets the RemoveAt of a key that signed its last token at last or
	// before, to when no token of it can be alive, by the lifetimes of all
	// servers. One that has a RemoveAt is no error and makes no row; ErrNotFound.
	RetireKey(ctx context.Context, kid string, last time.Time, e Event) error
	// BurnKey destroys what is sealed of a key and ends its tokens, in one
	// transaction. One that is burnt is no error and makes no row; ErrNotFound.
	BurnKey(ctx context.Context, kid string, e Event) error
	// ResealKeys replaces what is sealed of keys, and what meta keeps under
	// checkName by check, in one transaction. Burnt keys stay so.
	ResealKeys(ctx context.Context, keys []SealedKey, checkName, check string, e Event) error
}

// RevocationsAtOnce is how many entries a RevocationLog lists at most: the table
// may have more than can be read in the time that a statement has.
const RevocationsAtOnce = 10_000

// RevocationLog is the table of what has ended.
type RevocationLog interface {
	// End writes the entry, for a session its tombstone, and the audit row in
	// one transaction. What has ended already is no error and makes no row. Past
	// some dozens of live entries of a session's tokens the session ends instead
	// of a token, and past some hundreds of a user's all the user's sessions.
	End(ctx context.Context, what []Ending, e Event) error
	// Revocations lists the live entries with a Seq above after, in sequence,
	// but no more than RevocationsAtOnce: as many say that there may be more. It
	// also returns the highest Seq that was ever given.
	Revocations(ctx context.Context, after int64) (live []Revocation, head int64, err error)
	// Tombstones lists a user's ended sessions, the last ended first, and says
	// how many there are in all. They are kept for at least 30 days.
	Tombstones(ctx context.Context, subject string, p Page) ([]Tombstone, int, error)
	// Marks finds the tombstones of sessions, by their ids.
	Marks(ctx context.Context, sids []string) (map[string]Tombstone, error)
	// SessionEpochs lists the raisings of a user's session epoch, the first
	// first, for as long as a session that one of them ended may be asked for.
	SessionEpochs(ctx context.Context, subject string) ([]SessionEpoch, error)
}

// AuditLog keeps events.
type AuditLog interface {
	Record(ctx context.Context, e ...Event) error
	// Events lists the newest first.
	Events(ctx context.Context, p Page) ([]Event, error)
}

// MetaStore keeps facts about the database itself.
type MetaStore interface {
	// Meta returns what is kept under name, or ErrNotFound.
	Meta(ctx context.Context, name string) (string, error)
	// KeepMeta stores value unless something is there, and returns what is.
	KeepMeta(ctx context.Context, name, value string) (string, error)
	// RaiseLifetimes makes the longest access token and session lives that any
	// server on this database has used at least these. Entries and tombstones
	// last by them.
	RaiseLifetimes(ctx context.Context, access, session time.Duration) error
	// AccessLifetime is the longest that an access token can live.
	AccessLifetime(ctx context.Context) (time.Duration, error)
}
