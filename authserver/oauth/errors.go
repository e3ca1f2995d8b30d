package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	liberrors "github.com/go-oauth2/oauth2/v4/errors"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/password"
)

// Code is what kind of error a request ends with. Those of RFC 6749 §5.2 and
// RFC 8707 §2 are their own error codes on the wire.
type Code string

const (
	CodeInvalidRequest       Code = "invalid_request"
	CodeInvalidClient        Code = "invalid_client"
	CodeInvalidGrant         Code = "invalid_grant"
	CodeUnauthorizedClient   Code = "unauthorized_client"
	CodeUnsupportedGrantType Code = "unsupported_grant_type"
	CodeInvalidScope         Code = "invalid_scope"
	CodeInvalidTarget        Code = "invalid_target"
	CodeAccessDenied         Code = "access_denied"

	// Of the authorization endpoint alone (RFC 6749 §4.1.2.1, OpenID Connect
	// Core §3.1.2.6).
	CodeUnsupportedResponseType Code = "unsupported_response_type"
	CodeRequestNotSupported     Code = "request_not_supported"
	CodeRequestURINotSupported  Code = "request_uri_not_supported"
	CodeLoginRequired           Code = "login_required"
	CodeConsentRequired         Code = "consent_required"
	CodeUnmetAuthentication     Code = "unmet_authentication_requirements"

	// The codes of RFC 6749 §4.1.2.1 for what is no fault of the client.
	CodeUnavailable Code = "temporarily_unavailable"
	CodeServerError Code = "server_error"

	// Kinds that need a status of their own; their codes on the wire are
	// temporarily_unavailable and invalid_request.
	CodeTooMany  Code = "too_many_requests"
	CodeTooLarge Code = "request_too_large"
)

// answers is the one table from code to what a client is told.
var answers = map[Code]struct {
	status      int
	wire        string
	description string
}{
	CodeInvalidRequest:       {400, "invalid_request", "The request is malformed or lacks a required parameter."},
	CodeInvalidClient:        {401, "invalid_client", "Client authentication failed."},
	CodeInvalidGrant:         {400, "invalid_grant", "The credentials, the code or the refresh token are not valid."},
	CodeUnauthorizedClient:   {400, "unauthorized_client", "The client may not use this grant type."},
	CodeUnsupportedGrantType: {400, "unsupported_grant_type", "The grant type is not supported."},
	CodeInvalidScope:         {400, "invalid_scope", "The scope is malformed or wider than what may be granted."},
	CodeInvalidTarget:        {400, "invalid_target", "The resource is unknown or not registered for the client."},
	CodeAccessDenied:         {403, "access_denied", "The client may not do this."},

	CodeUnsupportedResponseType: {400, "unsupported_response_type", "The response type is not supported: use code."},
	CodeRequestNotSupported:     {400, "request_not_supported", "The parameter request is not supported."},
	CodeRequestURINotSupported:  {400, "request_uri_not_supported", "The parameter request_uri takes only what this server gave."},
	CodeLoginRequired:           {400, "login_required", "The user has to log in."},
	CodeConsentRequired:         {400, "consent_required", "The user has to consent."},
	CodeUnmetAuthentication:     {400, "unmet_authentication_requirements", "The user cannot be authenticated as was asked."},

	CodeUnavailable: {503, "temporarily_unavailable", "The server cannot answer now. Try again later."},
	CodeServerError: {500, "server_error", "The server met an unexpected condition."},
	CodeTooMany:     {429, "temporarily_unavailable", "Too many failed attempts. Try again later."},
	CodeTooLarge:    {413, "invalid_request", "The request body is too large."},
}

// Causes that callers tell apart behind one code.
var (
	// ErrUserInactive is behind the CodeInvalidGrant of a refresh whose user was
	// removed or disabled.
	ErrUserInactive = errors.New("user not found or inactive")
	// ErrReuse is behind the CodeInvalidGrant of a refresh token that was used
	// before; its session has been ended.
	ErrReuse = errors.New("refresh token reuse")

	errEnded = errors.New("session has ended")
)

// Error is why a request was refused. Its text is for the log; what a client
// is told comes from the code alone.
type Error struct {
	Code Code
	// Detail replaces the code's general description; it is written by us and
	// never holds anything that was submitted.
	Detail string
	// RetryAfter is when to try again; zero where that would not help.
	RetryAfter time.Duration
	cause      error
}

func (e *Error) Error() string {
	s := string(e.Code)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.cause }

// Status is the HTTP status that belongs to the error's code.
func (e *Error) Status() int { return answers[e.Code].status }

// Level is how loudly the error is logged: a fault of the caller is no error of
// ours, but reuse of a token smells of an attack.
func (e *Error) Level() slog.Level {
	switch {
	case errors.Is(e.cause, context.Canceled): // the caller has hung up
	case e.Code == CodeServerError || e.Code == CodeUnavailable && errors.Is(e.cause, authserver.ErrUnavailable):
		return slog.LevelError
	case errors.Is(e.cause, ErrReuse), errors.Is(e.cause, authserver.ErrWrongClient):
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// Words are the error code on the wire and its description.
func (e *Error) Words() (wire, description string) {
	a := answers[e.Code]
	if e.Detail != "" {
		return a.wire, e.Detail
	}
	return a.wire, a.description
}

// WriteTo answers a request as RFC 6749 §5.2 says.
func (e *Error) WriteTo(w http.ResponseWriter) {
	a := answers[e.Code]
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	if e.Code == CodeInvalidClient {
		h.Set("WWW-Authenticate", `Basic realm="tokenwright"`)
	}
	if e.RetryAfter > 0 {
		h.Set("Retry-After", RetryAfterSeconds(e.RetryAfter))
	}
	_, description := e.Words()
	body, _ := json.Marshal(struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{a.wire, description})
	w.WriteHeader(a.status)
	w.Write(body)
}

// RetryAfterSeconds is d as the header Retry-After has it: whole seconds, never
// too few (RFC 9110 §10.2.3).
func RetryAfterSeconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

func refuse(code Code, detail string) *Error { return &Error{Code: code, Detail: detail} }

func because(code Code, cause error) *Error { return &Error{Code: code, cause: cause} }

// retryStore is when to ask again after a store could not be asked.
const retryStore = 2 * time.Second

// AsError is the one place where an error becomes what a client is told.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*limit.ExceededError](err); ok {
		return &Error{Code: CodeTooMany, RetryAfter: e.RetryAfter, cause: err}
	}
	if e, ok := errors.AsType[*password.BusyError](err); ok {
		return &Error{Code: CodeUnavailable, RetryAfter: e.RetryAfter, cause: err}
	}
	switch {
	case errors.Is(err, account.ErrWrongCredentials):
		return because(CodeInvalidGrant, err)
	case errors.Is(err, account.ErrWrongClientSecret):
		return because(CodeInvalidClient, err)
	case errors.Is(err, authserver.ErrUnavailable):
		return &Error{Code: CodeUnavailable, RetryAfter: retryStore, cause: err}
	case errors.Is(err, keys.ErrTokenTooLong):
		return &Error{Code: CodeInvalidRequest, Detail: "The token would be too long. Ask for fewer scopes or resources.", cause: err}
	case errors.Is(err, authserver.ErrScopeTooWide):
		return because(CodeInvalidScope, err)
	case errors.Is(err, authserver.ErrTargetTooWide):
		return because(CodeInvalidTarget, err)
	case errors.Is(err, authserver.ErrNotFound),
		errors.Is(err, authserver.ErrSessionExpired),
		errors.Is(err, authserver.ErrWrongClient),
		errors.Is(err, authserver.ErrWrongSecret),
		errors.Is(err, authserver.ErrBadRefreshToken):
		return because(CodeInvalidGrant, err)
	// What the library still decides by itself, after our own checks.
	case errors.Is(err, liberrors.ErrInvalidRequest):
		return because(CodeInvalidRequest, err)
	case errors.Is(err, liberrors.ErrInvalidGrant), errors.Is(err, liberrors.ErrInvalidRefreshToken):
		return because(CodeInvalidGrant, err)
	}
	return because(CodeServerError, err)
}
