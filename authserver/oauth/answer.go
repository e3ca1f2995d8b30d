package oauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// Answer opens the session that a asks for, for who is logged in, and gives the
// client its code. Who asks a second time gets the same while it is unused, and
// then a session of its own. a.Facts are of that user, and say that consent was
// given where it is asked for. An error is a *Refusal, or an *Error of ours.
func (s *Server) Answer(ctx context.Context, a Authorization, who authserver.Login) (authserver.AuthorizationAnswer, error) {
	if len(a.Scope) == 0 {
		return authserver.AuthorizationAnswer{}, s.Refuse(a.Request, refuse(CodeInvalidScope, "The user may have nothing of the scope."))
	}
	// A session of before then may have been forgotten, and its tokens must not
	// find another of its id.
	if time.Since(a.Begun.At) >= s.Settings.IdleLifetime {
		if a.once {
			return authserver.AuthorizationAnswer{}, page(ErrRequestURI)
		}
		a.Begun = Begin()
	}
	c, session, err := s.begin(a, who, authserver.CallerFrom(ctx))
	if err != nil {
		return authserver.AuthorizationAnswer{}, AsError(err)
	}
	excess, err := s.Sessions.Open(ctx, session, s.Settings.SessionsPerUser)
	if errors.Is(err, authserver.ErrConflict) {
		return s.again(ctx, a, who, c)
	}
	if err != nil {
		return authserver.AuthorizationAnswer{}, AsError(err)
	}
	s.evict(ctx, *a.Facts.User, session, excess)
	s.write(ctx, authserver.Event{
		Act: "authorization.granted", Result: "success", Actor: session.Subject, Subject: session.Subject,
		ClientID: session.ClientID, SessionID: session.ID,
	})
	return s.codeAnswer(a, c), nil
}

// again is Answer where the session is there already.
func (s *Server) again(ctx context.Context, a Authorization, who authserver.Login, c code) (authserver.AuthorizationAnswer, error) {
	there, err := s.Sessions.Session(ctx, c.token.SID())
	switch {
	case err != nil && !errors.Is(err, authserver.ErrNotFound):
		return authserver.AuthorizationAnswer{}, AsError(err)
	case err == nil && there.Counter == 0 && there.Subject == who.Subject && there.Parent == who.Parent:
		return s.codeAnswer(a, c), nil
	case a.once:
		return authserver.AuthorizationAnswer{}, page(ErrRequestURI)
	}
	a.Begun = Begin()
	return s.Answer(ctx, a, who)
}

// begin makes the session of a's answer and its code. Nothing is opened.
func (s *Server) begin(a Authorization, who authserver.Login, caller authserver.Caller) (code, authserver.Session, error) {
	user := a.Facts.User
	subject, ok := authserver.ParseSubject(user.Subject)
	if !ok || user.Subject != who.Subject {
		return code{}, authserver.Session{}, fmt.Errorf("user %d: not who is logged in", user.ID)
	}
	now := time.Now()
	c := code{at: now, token: authserver.RefreshToken{
		SessionID: a.Begun.SessionID, Subject: subject, Secret: a.Begun.Secret, SessionEpoch: uint32(user.SessionEpoch),
	}}
	if !slices.Contains(a.Scope, authserver.ScopeOfflineAccess) {
		if c.token.Parent, ok = authserver.ParseSessionID(who.Parent); !ok {
			return code{}, authserver.Session{}, errors.New("browser session without an id")
		}
	}
	if a.Request.CodeChallenge != "" {
		var err error
		if c.challenge, err = strictBase64.DecodeString(a.Request.CodeChallenge); err != nil {
			return code{}, authserver.Session{}, fmt.Errorf("read challenge: %w", err)
		}
	}
	c.nonce = a.Request.Nonce
	lifetime := s.Settings.SessionLifetime
	if !a.Client.MayUse(authserver.GrantRefreshToken) {
		lifetime = codeLifetime + s.Settings.AccessLifetime
	}
	session := authserver.Session{
		ID: c.token.SID(), Subject: user.Subject, ClientID: a.Client.ID, ClientIncarnation: a.Client.Incarnation,
		Scope: a.Scope, Resources: a.Request.Resources, SessionEpoch: user.SessionEpoch,
		SecretHash: sha256.Sum256(c.token.Secret[:]),
		RotatedAt:  now, CreatedAt: now, LastUsedAt: now,
		IdleDeadline: now.Add(codeLifetime), Deadline: now.Add(lifetime),
		Parent: who.Parent, AuthTime: who.AuthTime, AMR: who.AMR, Claims: a.Request.Claims, IP: caller.IP, UserAgent: caller.UserAgent,
	}
	if !a.Client.Trusted && a.Facts.Consent != nil {
		session.ConsentEpoch = a.Facts.Consent.Epoch
	}
	return c, session, nil
}

func (s *Server) codeAnswer(a Authorization, c code) authserver.AuthorizationAnswer {
	text := c.seal(s.codes, a.Client.ID, a.Request.RedirectURI)
	return s.answer(a.Request, authserver.AnswerField{Name: "code", Value: text})
}

// Deny tells the client that the person does not want it (RFC 6749 §4.1.2.1).
func (s *Server) Deny(ctx context.Context, a Authorization, subject string) *Refusal {
	s.write(ctx, authserver.Event{
		Act: "authorization.denied", Result: "failure", Actor: subject, Subject: subject, ClientID: a.Client.ID, Reason: string(CodeAccessDenied),
	})
	return s.Refuse(a.Request, refuse(CodeAccessDenied, "The user does not want it."))
}

// RefuseFor tells the client that it gets no code for the reason that code is.
func (s *Server) RefuseFor(a Authorization, code Code) *Refusal {
	return s.Refuse(a.Request, refuse(code, ""))
}
