package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/password"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/api"
)

// problem is an answer that refuses. Its words are written here, never taken
// from an error's text.
type problem struct {
	Detail string `json:"detail" example:"Not authenticated"`
	status int
	header http.Header
}

func newProblem(status int, detail string) *problem {
	return &problem{Detail: detail, status: status, header: http.Header{}}
}

func (p *problem) Error() string           { return p.Detail }
func (p *problem) GetStatus() int          { return p.status }
func (p *problem) GetHeaders() http.Header { return p.header }

// with adds a header and returns p.
func (p *problem) with(name, value string) *problem {
	p.header.Set(name, value)
	return p
}

func (p *problem) after(d time.Duration) *problem {
	return p.with("Retry-After", oauth.RetryAfterSeconds(d))
}

func (p *problem) write(w http.ResponseWriter) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	writeJSON(w, p.status, p)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// What cannot be written has nobody to read it.
	_ = json.NewEncoder(w).Encode(v)
}

func unauthorized(detail string) *problem {
	return newProblem(http.StatusUnauthorized, detail).with("WWW-Authenticate", "Bearer")
}

func forbidden() *problem { return newProblem(http.StatusForbidden, "Insufficient permissions") }

func tooLarge() *problem {
	return newProblem(http.StatusRequestEntityTooLarge, "Request body too large")
}

func internalError() *problem {
	return newProblem(http.StatusInternalServerError, "Internal Server Error")
}

func unavailable(d time.Duration) *problem {
	return newProblem(http.StatusServiceUnavailable, "The server cannot answer now. Try again later.").after(d)
}

func tooMany(d time.Duration) *problem {
	return newProblem(http.StatusTooManyRequests, "Too many attempts. Try again later.").after(d)
}

// statusError is a problem or a list of faults: what huma and gin can answer with.
type statusError interface {
	error
	GetStatus() int
}

// refusal is the one place where an error becomes what a caller of a route
// outside /oauth is told. What an operator must know of is logged here.
func (s *server) refusal(ctx context.Context, err error) error {
	if e, ok := errors.AsType[statusError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*account.InvalidError](err); ok {
		return newInvalid(fault{Loc: []any{"body", e.Field}, Msg: e.Message, Type: e.Type})
	}
	if e, ok := errors.AsType[*limit.ExceededError](err); ok {
		return tooMany(e.RetryAfter)
	}
	if e, ok := errors.AsType[*password.BusyError](err); ok {
		return unavailable(e.RetryAfter)
	}
	switch {
	case errors.Is(err, authserver.ErrEmailTaken):
		return newProblem(http.StatusBadRequest, "Email already registered")
	case errors.Is(err, authserver.ErrUsernameTaken):
		return newProblem(http.StatusBadRequest, "Username already taken")
	case errors.Is(err, account.ErrWrongPassword):
		return newProblem(http.StatusBadRequest, "Incorrect password")
	case errors.Is(err, authserver.ErrNotFound):
		return newProblem(http.StatusNotFound, "Not Found")
	case errors.Is(err, authserver.ErrSessionEnded):
		return newProblem(http.StatusUnauthorized, "Could not validate credentials").
			with("WWW-Authenticate", `Bearer error="invalid_token"`) // RFC 6750 §3.1
	case errors.Is(err, api.ErrUnauthenticated):
		return unauthorized("Could not validate credentials")
	case errors.Is(err, context.Canceled):
		return unavailable(time.Second) // the caller has hung up
	}
	s.log(ctx, slog.LevelError, "request failed", err)
	if errors.Is(err, authserver.ErrUnavailable) || errors.Is(err, resource.ErrUnavailable) {
		return unavailable(2 * time.Second)
	}
	return internalError()
}

// loginRefusal says in the tutorial's words why a login was refused.
func (s *server) loginRefusal(ctx context.Context, err error) error {
	return s.grantRefusal(ctx, err, func(e *oauth.Error) error {
		if e.Code == oauth.CodeInvalidGrant {
			return unauthorized("Incorrect username or password")
		}
		return unauthorized("Invalid client")
	})
}

// refreshRefusal says in the tutorial's words why a refresh was refused. Who may
// not use a session is told no more than who made its token up.
func (s *server) refreshRefusal(ctx context.Context, err error) error {
	return s.grantRefusal(ctx, err, func(e *oauth.Error) error {
		if errors.Is(e, oauth.ErrUserInactive) {
			return unauthorized("User not found or inactive")
		}
		return unauthorized("Invalid refresh token")
	})
}

// grantRefusal answers what the routes that give tokens have in common; those
// not authenticated are the route's to answer.
func (s *server) grantRefusal(ctx context.Context, err error, unauthenticated func(*oauth.Error) error) error {
	e, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		return s.refusal(ctx, err)
	}
	s.log(ctx, e.Level(), "grant refused", e)
	switch e.Code {
	case oauth.CodeInvalidGrant, oauth.CodeInvalidClient, oauth.CodeUnauthorizedClient:
		return unauthenticated(e)
	case oauth.CodeUnsupportedGrantType:
		return newInvalid(fault{Loc: []any{"body", "grant_type"}, Msg: "Must be password, or left out", Type: "value_error"})
	case oauth.CodeInvalidScope:
		return newProblem(http.StatusBadRequest, "Invalid scope")
	case oauth.CodeInvalidTarget:
		return newProblem(http.StatusBadRequest, "Invalid resource")
	case oauth.CodeTooMany:
		return tooMany(e.RetryAfter)
	case oauth.CodeUnavailable:
		return unavailable(max(e.RetryAfter, time.Second))
	case oauth.CodeTooLarge:
		return tooLarge()
	case oauth.CodeServerError:
		return internalError()
	}
	return newInvalid(fault{Loc: []any{"body"}, Msg: e.Detail, Type: "value_error"})
}

func (s *server) log(ctx context.Context, level slog.Level, msg string, err error) {
	s.Logger.Log(ctx, level, msg, "err", err, "request_id", authserver.CallerFrom(ctx).RequestID)
}
