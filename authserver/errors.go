package authserver

import "errors"

// What callers of a store branch on. Stores wrap them; match with errors.Is.
var (
	// ErrNotFound says that nothing is there under that name.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable says that a store could not be asked or did not answer in
	// time. The same request may succeed later: 503 with Retry-After.
	ErrUnavailable = errors.New("store unavailable")
	// ErrConflict says that another process was first, or that the thing exists.
	ErrConflict = errors.New("already exists")
	// ErrEmailTaken and ErrUsernameTaken say which of a user's names is another's.
	ErrEmailTaken    = errors.New("email already registered")
	ErrUsernameTaken = errors.New("username already taken")

	// ErrSessionEnded says that whoever asks does so with a token whose session
	// has ended: nothing has changed.
	ErrSessionEnded = errors.New("session has ended")

	// Why SessionStore.Advance refuses; the session is as it was.

	// ErrSessionExpired: idle or absolute deadline has passed.
	ErrSessionExpired = errors.New("session expired")
	// ErrWrongClient: the session belongs to another client, or to an earlier
	// one of the same id.
	ErrWrongClient = errors.New("session of another client")
	// ErrWrongSecret: the presented secret is not the session's.
	ErrWrongSecret = errors.New("wrong session secret")
	// ErrScopeTooWide: the scope asked for is not within the session's.
	ErrScopeTooWide = errors.New("scope wider than the session's")
	// ErrTargetTooWide: a resource asked for is not one of the session's.
	ErrTargetTooWide = errors.New("resource not of the session")
)
