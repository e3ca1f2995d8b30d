package browser

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sessions"
)

const (
	// mostPerUser is how many browser sessions a user may have.
	mostPerUser = 20
	// touch is how often at most a session that is used is kept alive.
	touch = 5 * time.Minute
)

// Deps are what browser sessions are kept with; all are required.
type Deps struct {
	Store   authserver.SessionStore
	Endings *sessions.Sessions
	// IdleLifetime and Lifetime bound a session from its last use and from the
	// first login.
	IdleLifetime, Lifetime time.Duration
	Logger                 *slog.Logger
}

// Sessions are the logins of browsers. A session is one of the built-in client
// authserver.BrowserClientID: its cookie is its refresh token, which changes at
// each login alone. It is safe for concurrent use.
type Sessions struct {
	*Cookies
	d Deps
}

// NewSessions returns the sessions whose cookies are c's.
func NewSessions(c *Cookies, d Deps) *Sessions { return &Sessions{c, d} }

// Session is a browser's that lives, with the user whose it is.
type Session struct {
	authserver.Session
	User  authserver.User
	token authserver.RefreshToken
}

// Login is what an authorization request has to know of s.
func (s *Session) Login() *authserver.Login {
	if s == nil {
		return nil
	}
	return &authserver.Login{Subject: s.Subject, Parent: s.ID, AuthTime: s.AuthTime, AMR: s.AMR}
}

// Asker is s as the session that asks for others to end.
func (s *Session) Asker() authserver.Asker {
	return authserver.Asker{
		Subject: s.Subject, ClientID: s.ClientID, SessionID: s.ID, SessionEpoch: s.User.SessionEpoch,
	}
}

// Ask is what has to be known of the session that a cookie names; nil names none.
func Ask(t *authserver.RefreshToken) authserver.Ask {
	if t == nil {
		return authserver.Ask{}
	}
	return authserver.Ask{Subject: t.Sub(), ParentID: t.SID()}
}

// Find returns the session that the cookie t names, by the facts of Ask; nil if it
// has ended, or t is not the cookie of its last login.
func (s *Sessions) Find(ctx context.Context, t *authserver.RefreshToken, f authserver.Facts) (*Session, error) {
	if t == nil || f.User == nil || f.User.Subject != t.Sub() || !f.User.Active || f.ParentEnded != nil ||
		!f.User.SessionLives(t.SID(), int64(t.SessionEpoch)) {
		return nil, nil
	}
	session, err := s.d.Store.Session(ctx, t.SID())
	if errors.Is(err, authserver.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find browser session: %w", err)
	}
	if !session.OfBrowser() || session.Subject != t.Sub() || session.Counter != t.Counter ||
		session.SecretHash != sha256.Sum256(t.Secret[:]) {
		return nil, nil
	}
	found := &Session{Session: session, User: *f.User, token: *t}
	if time.Since(session.LastUsedAt) > touch {
		a := s.advance(ctx, *t)
		a.Keep = true
		if _, _, err := s.d.Store.Advance(ctx, session.ID, a); err != nil {
			s.d.Logger.WarnContext(ctx, "browser session not kept alive", "session", session.ID, "err", err)
		}
	}
	return found, nil
}

// Open begins a session for u, who has just logged in by the means amr, and
// returns its cookie. before is the browser's session until now; nil for none. If
// it is of the same user it goes on, with a new cookie.
func (s *Sessions) Open(ctx context.Context, u authserver.User, amr []string, before *Session) (*http.Cookie, error) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	if before != nil && before.Subject == u.Subject {
		if cookie, err := s.renew(ctx, *before, amr, now); err == nil || errors.Is(err, authserver.ErrUnavailable) {
			return cookie, err
		}
	}
	subject, ok := authserver.ParseSubject(u.Subject)
	if !ok {
		return nil, fmt.Errorf("user %d: subject is no UUID", u.ID)
	}
	t := authserver.RefreshToken{Subject: subject, SessionEpoch: uint32(u.SessionEpoch), Counter: 1}
	rand.Read(t.SessionID[:])
	rand.Read(t.Secret[:])
	caller := authserver.CallerFrom(ctx)
	session := authserver.Session{
		ID: t.SID(), Subject: u.Subject, ClientID: authserver.BrowserClientID, SessionEpoch: u.SessionEpoch,
		SecretHash: sha256.Sum256(t.Secret[:]), Counter: t.Counter,
		RotatedAt: now, CreatedAt: now, LastUsedAt: now,
		IdleDeadline: now.Add(min(s.d.IdleLifetime, s.d.Lifetime)), Deadline: now.Add(s.d.Lifetime),
		AuthTime: now, AMR: amr, IP: caller.IP, UserAgent: caller.UserAgent,
	}
	excess, err := s.d.Store.Open(ctx, session, mostPerUser)
	if err != nil {
		return nil, fmt.Errorf("open browser session: %w", err)
	}
	if len(excess) > 0 {
		if err := s.d.Endings.Evict(ctx, u, session, excess); err != nil {
			s.d.Logger.WarnContext(ctx, "browser sessions too many not ended", "user", u.Subject, "err", err)
		}
	}
	return s.Write(t), nil
}

// renew notes another login in a session that goes on.
func (s *Sessions) renew(ctx context.Context, before Session, amr []string, now time.Time) (*http.Cookie, error) {
	a := s.advance(ctx, before.token)
	a.AuthTime, a.AMR, a.Now = now, amr, now
	after, _, err := s.d.Store.Advance(ctx, before.ID, a)
	if err != nil {
		return nil, fmt.Errorf("renew browser session: %w", err)
	}
	if after.AuthTime != now { // another tab was first: its cookie counts
		return nil, authserver.ErrConflict
	}
	t := before.token
	t.Counter = after.Counter
	return s.Write(t), nil
}

func (s *Sessions) advance(ctx context.Context, t authserver.RefreshToken) authserver.Advance {
	caller := authserver.CallerFrom(ctx)
	return authserver.Advance{
		Counter: t.Counter, Secret: t.Secret, ClientID: authserver.BrowserClientID, Now: time.Now(),
		IdleLifetime: s.d.IdleLifetime, IP: caller.IP, UserAgent: caller.UserAgent,
	}
}
