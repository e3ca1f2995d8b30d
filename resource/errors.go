package resource

import "errors"

var (
	// ErrUnknownKey says that a KeySource has no key of that kid.
	ErrUnknownKey = errors.New("unknown key")
	// ErrUnavailable says that nobody can tell now whether a token is good: the
	// keys or the news of what has ended are out of reach. It is answered with
	// 503, never as if the token were good or bad.
	ErrUnavailable = errors.New("token state unavailable")
)

// The error codes of RFC 6750 §3.1.
const (
	codeInvalidRequest             = "invalid_request"
	codeInvalidToken               = "invalid_token"
	codeInsufficientScope          = "insufficient_scope"
	codeInsufficientAuthentication = "insufficient_user_authentication" // RFC 9470 §3
)

// TokenError says that a token is refused. Match it with errors.AsType.
type TokenError struct {
	// Code is of RFC 6750 §3.1: "invalid_token", "invalid_request" or
	// "insufficient_scope".
	Code string
	// Detail may be shown to whoever presented the token.
	Detail string

	cause error
}

// Error is for the log. It says more than Detail and has nothing of the token's
// signature in it.
func (e *TokenError) Error() string {
	if e.cause == nil {
		return e.Code + ": " + e.Detail
	}
	return e.Code + ": " + e.cause.Error()
}

// Unwrap returns why the token is refused, which is not for its bearer.
func (e *TokenError) Unwrap() error { return e.cause }

func invalidToken(cause error) *TokenError {
	return &TokenError{Code: codeInvalidToken, Detail: "Could not validate credentials", cause: cause}
}
