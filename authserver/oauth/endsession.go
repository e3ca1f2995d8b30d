package oauth

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenwright/tokenwright/authserver"
)

// What is wrong with a request to log out; nobody is redirected then.
var (
	ErrLogoutHint        = errors.New("bad id_token_hint")
	ErrLogoutClient      = errors.New("unknown client, or not that of the hint")
	ErrPostLogoutAddress = errors.New("address to go to after the logout is not registered")
	ErrLogoutTwice       = errors.New("parameter given twice")
)

// Logout is a request to log out that was found good (OpenID Connect RP-Initiated
// Logout §2).
type Logout struct {
	// SessionID and Subject are of the hint; empty without one.
	SessionID string
	Subject   string
	// Client is who asks; nil if it is not known.
	Client *authserver.Client
	// Target is where the person goes afterwards; empty stays here.
	Target    string
	UILocales []string
	// Parameters are those that are read.
	Parameters url.Values
}

var logoutParameters = []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales", "logout_hint"}

// EndSession judges the parameters of a request to log out. The error is one of
// those above, or an *Error of ours.
func (s *Server) EndSession(ctx context.Context, form url.Values) (Logout, error) {
	l := Logout{Parameters: parameters(form, logoutParameters)}
	p := l.Parameters
	for _, values := range p {
		if len(values) > 1 {
			return l, ErrLogoutTwice
		}
	}
	l.UILocales = strings.Fields(p.Get("ui_locales"))
	clientID := p.Get("client_id")
	if text := p.Get("id_token_hint"); text != "" {
		h, err := s.readHint(text)
		if err != nil {
			return l, ErrLogoutHint
		}
		if clientID != "" && clientID != h.ClientID {
			return l, ErrLogoutClient
		}
		clientID, l.SessionID, l.Subject = h.ClientID, h.SessionID, h.Subject
	}
	if clientID != "" {
		facts, err := s.Facts.Facts(ctx, authserver.Ask{ClientID: clientID})
		if err != nil {
			return l, AsError(err)
		}
		if facts.Client == nil {
			return l, ErrLogoutClient
		}
		l.Client = facts.Client
	}
	uri := p.Get("post_logout_redirect_uri")
	if uri == "" {
		return l, nil
	}
	if l.Client == nil || !slices.Contains(l.Client.PostLogoutRedirectURIs, uri) {
		return l, ErrPostLogoutAddress
	}
	l.Target = authserver.AuthorizationAnswer{Target: uri, Fields: stateField(p)}.Location()
	return l, nil
}

func stateField(p url.Values) []authserver.AnswerField {
	if !p.Has("state") {
		return nil
	}
	return []authserver.AnswerField{{Name: "state", Value: p.Get("state")}}
}
