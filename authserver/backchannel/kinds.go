package backchannel

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/outbox"
)

// Teller writes down that sessions which ended at once have ended, each once: what
// has a mark is told already, or needs not be.
type Teller interface {
	TellEnded(ctx context.Context, ended []authserver.Ending, at time.Time) error
}

// Deps are what clients are told with; all are required.
type Deps struct {
	Issuer string
	// Algorithm signs for clients that have none of their own.
	Algorithm string
	Sign      Sign
	Facts     authserver.FactStore
	Sessions  authserver.SessionStore
	Ended     Teller
	Caller    *outbox.Caller
}

// Kinds are those of this package.
func Kinds(d Deps) []outbox.Kind {
	return []outbox.Kind{
		{Name: KindLogout, Send: d.logout, Event: event},
		{Name: KindSessions, Send: d.find},
	}
}

// logout tells a session's client. Where it wants to be told it says by now: it
// may have been given another address.
func (d Deps) logout(ctx context.Context, facts []byte) error {
	var s Session
	if err := json.Unmarshal(facts, &s); err != nil {
		return fmt.Errorf("decode facts: %w", err)
	}
	f, err := d.Facts.Facts(ctx, authserver.Ask{ClientID: s.ClientID})
	switch {
	case err != nil:
		return fmt.Errorf("find client: %w", err)
	case f.Client == nil || f.Client.BackchannelLogoutURI == "":
		return &outbox.RefusedError{Reason: "the client wants to be told no more"}
	}
	payload, err := json.Marshal(newClaims(d.Issuer, s, time.Now()))
	if err != nil {
		return fmt.Errorf("encode claims: %w", err)
	}
	token, err := d.Sign(ctx, cmp.Or(f.Client.IDTokenAlgorithm, d.Algorithm), "logout+jwt", payload)
	if err != nil {
		return fmt.Errorf("sign logout token: %w", err)
	}
	return d.Caller.Post(ctx, f.Client.BackchannelLogoutURI, url.Values{"logout_token": {token}})
}

// event is for the audit log.
func event(facts []byte, o outbox.Outcome, reason string) authserver.Event {
	var s Session
	json.Unmarshal(facts, &s) // what cannot be read is empty
	e := authserver.Event{
		Act: "logout.sent", Result: "success", Actor: "server",
		Subject: s.Subject, ClientID: s.ClientID, SessionID: s.ID, Reason: reason,
	}
	switch o {
	case outbox.Refused:
		e.Act, e.Result = "logout.refused", "failure"
	case outbox.GivenUp:
		e.Act, e.Result = "logout.given_up", "failure"
	}
	return e
}

// find writes down which sessions have ended, of those that the session store
// knows. It is tried again while that cannot be asked.
func (d Deps) find(ctx context.Context, facts []byte) error {
	var ended Sessions
	if err := json.Unmarshal(facts, &ended); err != nil {
		return fmt.Errorf("decode facts: %w", err)
	}
	sessions, _, err := d.Sessions.Sessions(ctx, ended.Subject, authserver.Page{})
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	var told []authserver.Ending
	for _, s := range sessions {
		if ended.Has(s) {
			told = append(told, authserver.Ending{
				Kind: authserver.KindSession, ID: s.ID, Subject: s.Subject, ClientID: s.ClientID, Reason: ended.Reason,
			})
		}
	}
	if err := d.Ended.TellEnded(ctx, told, ended.EndedAt); err != nil {
		return fmt.Errorf("tell ended sessions: %w", err)
	}
	return nil
}
