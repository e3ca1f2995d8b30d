package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/password"
	"github.com/tokenwright/tokenwright/authserver/web"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/api"
)

func unauthorized(detail string) *web.Problem {
	return web.NewProblem(http.StatusUnauthorized, detail).With("WWW-Authenticate", "Bearer")
}

func forbidden() *web.Problem {
	return web.NewProblem(http.StatusForbidden, "Insufficient permissions")
}

func unavailable(d time.Duration) *web.Problem {
	return web.NewProblem(http.StatusServiceUnavailable, "The server cannot answer now. Try again later.").With("Retry-After", oauth.RetryAfterSeconds(d))
}

func tooMany(d time.Duration) *web.Problem {
	return web.NewProblem(http.StatusTooManyRequests, "Too many attempts. Try again later.").With("Retry-After", oauth.RetryAfterSeconds(d))
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
		return web.NewProblem(http.StatusBadRequest, "Email already registered")
	case errors.Is(err, authserver.ErrUsernameTaken):
		return web.NewProblem(http.StatusBadRequest, "Username already taken")
	case errors.Is(err, account.ErrWrongPassword):
		return web.NewProblem(http.StatusBadRequest, "Incorrect password")
	case errors.Is(err, authserver.ErrNotFound):
		return web.NewProblem(http.StatusNotFound, "Not Found")
	case errors.Is(err, authserver.ErrSessionEnded):
		return web.NewProblem(http.StatusUnauthorized, "Could not validate credentials").
			With("WWW-Authenticate", `Bearer error="invalid_token"`) // RFC 6750 §3.1
	case errors.Is(err, api.ErrUnauthenticated):
		return unauthorized("Could not validate credentials")
	case errors.Is(err, context.Canceled):
		return unavailable(time.Second) // the caller has hung up
	}
	s.log(ctx, slog.LevelError, "request failed", err)
	if errors.Is(err, authserver.ErrUnavailable) || errors.Is(err, resource.ErrUnavailable) {
		return unavailable(2 * time.Second)
	}
	return web.InternalError()
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
		return web.NewProblem(http.StatusBadRequest, "Invalid scope")
	case oauth.CodeInvalidTarget:
		return web.NewProblem(http.StatusBadRequest, "Invalid resource")
	case oauth.CodeTooMany:
		return tooMany(e.RetryAfter)
	case oauth.CodeUnavailable:
		return unavailable(max(e.RetryAfter, time.Second))
	case oauth.CodeTooLarge:
		return web.TooLarge()
	case oauth.CodeServerError:
		return web.InternalError()
	}
	return newInvalid(fault{Loc: []any{"body"}, Msg: e.Detail, Type: "value_error"})
}

func (s *server) log(ctx context.Context, level slog.Level, msg string, err error) {
	s.Logger.Log(ctx, level, msg, "err", err, "request_id", authserver.CallerFrom(ctx).RequestID)
}
