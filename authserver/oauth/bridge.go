package oauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	oauth2 "github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/models"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sessions"
)

// bridge is what the library takes for its stores of clients and tokens. Access
// tokens are not stored: those methods find nothing.
type bridge struct{ *Server }

// GetByID gives the library the exchange's client, which has authenticated, and
// none but it. It carries no secret, so that the library compares none.
func (bridge) GetByID(ctx context.Context, id string) (oauth2.ClientInfo, error) {
	c := exchangeFrom(ctx).client
	if id != c.ID {
		return nil, refuse(CodeInvalidClient, "")
	}
	return &models.Client{ID: c.ID, Public: c.Public}, nil
}

// GetByRefresh decides a refresh.
func (b bridge) GetByRefresh(ctx context.Context, token string) (oauth2.TokenInfo, error) {
	ex := exchangeFrom(ctx)
	if ex.presented == nil {
		return nil, authserver.ErrBadRefreshToken
	}
	if err := ex.goOn(ctx); err != nil {
		return nil, err
	}
	t := ex.forLibrary()
	t.Refresh = token
	return t, nil
}

// GetByCode decides the redemption of a code: as a refresh, once the code's own
// conditions are met. The library is given none to compare: it would take the
// code away before it looks at the challenge.
func (b bridge) GetByCode(ctx context.Context, text string) (oauth2.TokenInfo, error) {
	ex := exchangeFrom(ctx)
	if ex.presented == nil {
		return nil, because(CodeInvalidGrant, errBadCode)
	}
	if !ex.code.accepts(ex.form.Get("code_verifier")) {
		return nil, because(CodeInvalidGrant, errVerifier)
	}
	if ex.code.expired(time.Now()) {
		// What it once opened ends by its reuse all the same.
		if there, err := b.Sessions.Session(ctx, ex.presented.SID()); err != nil {
			return nil, err
		} else if there.Counter == 0 {
			return nil, authserver.ErrSessionExpired
		}
	}
	if err := ex.goOn(ctx); err != nil {
		return nil, err
	}
	t := ex.forLibrary()
	t.Code, t.CodeCreateAt, t.CodeExpiresIn = text, time.Now(), codeLifetime
	return t, nil
}

// forLibrary is what the library is told of the session that goes on.
func (ex *exchange) forLibrary() *models.Token {
	return &models.Token{ClientID: ex.client.ID, UserID: ex.user.Subject, Scope: ex.scopeText()}
}

// goOn takes the session of the presented token one step on. What has ended is the
// database's to say and is looked at first; then the session advances in one step,
// and with it the token is consumed.
func (ex *exchange) goOn(ctx context.Context) error {
	user := ex.facts.User
	switch {
	case user == nil || !user.Active:
		return because(CodeInvalidGrant, ErrUserInactive)
	case ex.facts.Ended != nil || !user.SessionLives(ex.presented.SID(), int64(ex.presented.SessionEpoch)):
		return because(CodeInvalidGrant, errEnded)
	case ex.facts.ParentEnded != nil && ex.facts.ParentEnded.Reason != authserver.ReasonEvicted:
		return because(CodeInvalidGrant, errEnded) // to be put out is no logout
	}
	ex.user = user
	if err := ex.advance(ctx); err != nil {
		return err
	}
	if !ex.consented() {
		ex.Endings.Drop(ctx, []authserver.Ending{sessions.Ending(ex.session, authserver.ReasonConsentWithdrawn)})
		return because(CodeInvalidGrant, errEnded)
	}
	ex.next = *ex.presented
	ex.next.Counter++
	return ex.narrow()
}

// consented reports whether the consent that the session was opened under, if it
// was under any, has not been taken back since.
func (ex *exchange) consented() bool {
	given := ex.facts.Consent
	return ex.session.ConsentEpoch == 0 || given != nil && !given.Withdrawn() && given.Epoch <= ex.session.ConsentEpoch
}

// Create keeps what a login opened. A refresh has advanced already; if signing
// failed after that, the client's repeat gets the same successor.
func (b bridge) Create(ctx context.Context, _ oauth2.TokenInfo) error {
	ex := exchangeFrom(ctx)
	if ex.grant != authserver.GrantPassword {
		return nil
	}
	excess, err := b.Sessions.Open(ctx, ex.session, b.Settings.SessionsPerUser)
	if err != nil {
		return err
	}
	if err := ex.confirm(ctx); err != nil {
		b.Endings.Drop(ctx, []authserver.Ending{sessions.Ending(ex.session, authserver.ReasonRevoked)})
		return err
	}
	b.evict(ctx, *ex.user, ex.session, excess)
	return nil
}

// evict ends sessions that u has too many of, beside the one that was opened. What
// cannot be ended now, the next login names again.
func (s *Server) evict(ctx context.Context, u authserver.User, opened authserver.Session, excess []string) {
	if len(excess) == 0 {
		return
	}
	if err := s.Endings.Evict(ctx, u, opened, excess); err != nil {
		s.Logger.WarnContext(ctx, "sessions too many not ended", "user", u.Subject, "err", err)
	}
}

// confirm looks once more at what a login was decided on, now that its session is
// open: the password's hash may have waited for long. What ends the user's
// sessions from here on ends this one too.
func (ex *exchange) confirm(ctx context.Context) error {
	f, err := ex.Facts.Facts(ctx, authserver.Ask{ClientID: ex.client.ID, Subject: ex.user.Subject})
	if err != nil {
		return err
	}
	u, before := f.User, ex.user
	if u == nil || !u.Active || u.Epoch != before.Epoch || u.SessionEpoch != before.SessionEpoch {
		return because(CodeInvalidGrant, ErrUserInactive)
	}
	if ex.client.ID == authserver.FirstPartyClientID {
		return nil
	}
	now := f.Client
	if now == nil || now.Incarnation != ex.client.Incarnation || !now.MayUse(ex.grant) ||
		!now.Public && !ex.Master.ClientSecretMatches(now.SecretHash, ex.secret) {
		return refuse(CodeInvalidClient, "")
	}
	ex.client = *now
	if slices.ContainsFunc(ex.scope, func(name string) bool { return !slices.Contains(now.Scopes, name) }) {
		return refuse(CodeInvalidScope, "")
	}
	if slices.ContainsFunc(ex.audience, func(resource string) bool { return !ex.mayTarget(resource) }) {
		return refuse(CodeInvalidTarget, "")
	}
	return nil
}

func (bridge) GetByAccess(context.Context, string) (oauth2.TokenInfo, error) { return nil, nil }
func (bridge) RemoveByCode(context.Context, string) error                    { return nil }
func (bridge) RemoveByAccess(context.Context, string) error                  { return nil }
func (bridge) RemoveByRefresh(context.Context, string) error                 { return nil }

// advance presents the token to the session, once for the client that is known
// or, where any public client will do, for the session's own.
func (ex *exchange) advance(ctx context.Context) error {
	session, outcome, err := ex.present(ctx)
	if ex.anyPublic && ex.client.ID == authserver.FirstPartyClientID && errors.Is(err, authserver.ErrWrongClient) {
		if err := ex.adoptClient(ctx); err != nil {
			return err
		}
		session, outcome, err = ex.present(ctx)
	}
	if err != nil {
		return err
	}
	switch outcome {
	case authserver.Reused:
		return ex.reused(ctx, session)
	case authserver.Recovered:
		ex.recovered(ctx, session)
	}
	ex.session = session
	return nil
}

func (ex *exchange) present(ctx context.Context) (authserver.Session, authserver.Outcome, error) {
	caller := authserver.CallerFrom(ctx)
	grace := ex.grace()
	if ex.grant == authserver.GrantAuthorizationCode {
		grace = 0
	}
	return ex.Sessions.Advance(ctx, ex.presented.SID(), authserver.Advance{
		Counter:           ex.presented.Counter,
		Secret:            ex.presented.Secret,
		ClientID:          ex.client.ID,
		ClientIncarnation: ex.client.Incarnation,
		Scope:             ex.requested,
		Resources:         ex.resources,
		Now:               time.Now(),
		Grace:             grace,
		IdleLifetime:      ex.Settings.IdleLifetime,
		IP:                caller.IP,
		UserAgent:         caller.UserAgent,
	})
}

// adoptClient makes the session's client the exchange's. It must be public: a
// confidential client's session needs its authentication.
func (ex *exchange) adoptClient(ctx context.Context) error {
	session, err := ex.Sessions.Session(ctx, ex.presented.SID())
	if err != nil {
		return fmt.Errorf("find session: %w", err)
	}
	facts, err := ex.Facts.Facts(ctx, authserver.Ask{ClientID: session.ClientID, Subject: session.Subject, ConsentOf: true})
	if err != nil {
		return fmt.Errorf("find client: %w", err)
	}
	if facts.Client == nil || !facts.Client.Public || !facts.Client.MayUse(ex.grant) {
		return authserver.ErrWrongClient
	}
	ex.client, ex.facts.Consent = *facts.Client, facts.Consent
	return nil
}
