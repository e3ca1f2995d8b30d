package oauth

import (
	"context"
	"errors"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/password"
)

// Recorder takes events of the audit log.
type Recorder interface {
	Record(ctx context.Context, e ...authserver.Event) error
}

// note records what became of a token request that was well-formed. Refreshes
// and redemptions that succeed are not: the session says when it was last used. Reuse is recorded
// with the ending that it brings.
func (ex *exchange) note(ctx context.Context, err error) {
	e := authserver.Event{ClientID: ex.client.ID, Result: "success"}
	if err != nil {
		e.Result, e.Reason = "failure", reason(err)
	}
	switch {
	case errors.Is(err, ErrReuse), err == nil && ex.presented != nil:
		return
	case err == nil && ex.grant == authserver.GrantPassword:
		e.Act, e.Subject, e.SessionID = "login.success", ex.user.Subject, ex.session.ID
		e.Actor = e.Subject
	case err == nil:
		e.Act, e.Actor = "token.issued", ex.client.ID
	case ex.grant == authserver.GrantClientCredentials, isClientFault(ex, err):
		ex.noteClient(ctx, ex.claimed, ex.facts.Client, err)
		return
	case ex.grant == authserver.GrantPassword && ex.user != nil && isRequestFault(err):
		e.Act, e.Actor, e.Subject = "login.refused", ex.user.Subject, ex.user.Subject
	case ex.grant == authserver.GrantPassword:
		e.Act, e.Subject = "login.failure", ex.loginSubject(ex.form.Get("username"), ex.facts)
	default:
		e.Act = "refresh.failure"
		if ex.grant == authserver.GrantAuthorizationCode {
			e.Act = "code.failure"
		}
		if ex.presented != nil {
			e.Subject, e.SessionID = ex.presented.Sub(), ex.presented.SID()
		}
	}
	if e.ClientID == "" {
		e.ClientID = ex.knownAs(ex.claimed, ex.facts.Client)
	}
	ex.write(ctx, e)
}

// NoteLogin records a login at a page, for an authorization request of a client's
// or as authserver.BrowserClientID for the account; f are the facts of the name
// that was typed.
func (s *Server) NoteLogin(ctx context.Context, login string, f authserver.Facts, clientID string, err error) {
	e := authserver.Event{Act: "login.success", Result: "success", ClientID: clientID, Subject: s.loginSubject(login, f)}
	if err != nil {
		e.Act, e.Result, e.Reason = "login.failure", "failure", reason(err)
	} else {
		e.Actor = e.Subject
	}
	s.write(ctx, e)
}

// isClientFault reports whether a request ended with the client's own
// authentication.
func isClientFault(ex *exchange, err error) bool {
	if ex.client.ID != "" {
		return false
	}
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Code == CodeInvalidClient || e.Code == CodeTooMany)
}

// isRequestFault reports whether a request ended with what it asked for, not with
// who asked.
func isRequestFault(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Code == CodeInvalidScope || e.Code == CodeInvalidTarget || e.Code == CodeInvalidRequest)
}

// noteClient records that a client was refused; known is what the store has under
// the id that it claimed.
func (s *Server) noteClient(ctx context.Context, claimed string, known *authserver.Client, err error) {
	e := authserver.Event{Act: "client.failure", Result: "failure", ClientID: s.knownAs(claimed, known), Reason: reason(err)}
	if known == nil && errors.Is(err, account.ErrWrongClientSecret) {
		e.Reason = "unknown_client"
	}
	s.write(ctx, e)
}

// notePassword records that a user's own change of password was refused, unless
// it was for the new one: then nothing was tried.
func (s *Server) notePassword(ctx context.Context, subject, clientID, sid string, err error) {
	if _, ok := errors.AsType[*account.InvalidError](err); ok {
		return
	}
	s.write(ctx, authserver.Event{
		Act: "user.change_password", Result: "failure", Actor: subject, Subject: subject, ClientID: clientID, SessionID: sid,
		Reason: reason(AsError(err)),
	})
}

// write hands an event on. The answer does not depend on it.
func (s *Server) write(ctx context.Context, e authserver.Event) {
	e = authserver.FromCaller(ctx, e)
	if err := s.Notes.Record(context.WithoutCancel(ctx), e); err != nil {
		s.Logger.ErrorContext(ctx, "audit event not written", "act", e.Act, "err", err)
	}
}

// knownAs is a client's id, or what stands for an id that is nobody's: anything
// may be in it.
func (s *Server) knownAs(claimed string, known *authserver.Client) string {
	switch {
	case claimed == "":
		return ""
	case known == nil:
		return s.audit.Pseudonym(claimed)
	}
	return known.ID
}

// loginSubject is the user whom a login named, or what stands for a login that is
// nobody's: people type passwords there.
func (s *Server) loginSubject(login string, f authserver.Facts) string {
	if f.User == nil {
		return s.audit.Pseudonym(login)
	}
	return f.User.Subject
}

// reason is the word for a refusal; package audit lists them.
func reason(err error) string {
	if _, ok := errors.AsType[*limit.ExceededError](err); ok {
		return "throttled"
	}
	if _, ok := errors.AsType[*password.BusyError](err); ok {
		return "busy"
	}
	for _, r := range []struct {
		err  error
		word string
	}{
		{account.ErrWrongCredentials, "wrong_credentials"},
		{account.ErrWrongPassword, "wrong_credentials"},
		{account.ErrWrongClientSecret, "wrong_secret"},
		{ErrUserInactive, "user_inactive"},
		{errEnded, "ended"},
		{authserver.ErrSessionExpired, "expired"},
		{authserver.ErrWrongClient, "wrong_client"},
		{authserver.ErrWrongSecret, "wrong_secret"},
		{authserver.ErrBadRefreshToken, "bad_token"},
		{errBadCode, "bad_code"},
		{errVerifier, "wrong_verifier"},
		{authserver.ErrNotFound, "unknown_session"},
		{authserver.ErrUnavailable, "unavailable"},
	} {
		if errors.Is(err, r.err) {
			return r.word
		}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return string(e.Code)
	}
	return string(CodeServerError)
}
