package oauth

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tokenwright/tokenwright/authserver"
)

// MaxAuthorizationRequest is how many bytes the names and values of an
// authorization request may have: they stand in an address.
const MaxAuthorizationRequest = 4 << 10

// What is wrong with a request whose client is not told of it.
var (
	ErrRequestTooLong = errors.New("authorization request too long")
	ErrUnknownClient  = errors.New("unknown client")
	ErrRedirectURI    = errors.New("redirect URI missing or not registered")
	ErrRequestURI     = errors.New("pushed request unknown, too old or answered")
)

// Refusal is why an authorization request is not answered with a code. The
// client hears of it by Answer; without one the person is shown a page of status
// 400, since nobody is known to whom it may be told (RFC 6749 §4.1.2.1): it then
// wraps one of the errors above.
type Refusal struct {
	Cause  *Error
	Answer *authserver.AuthorizationAnswer
}

func (r *Refusal) Error() string { return r.Cause.Error() }

func (r *Refusal) Unwrap() error { return r.Cause }

// Authorization is a request that was found good, with what the database knows
// of it.
type Authorization struct {
	Request authserver.AuthorizationRequest
	Client  authserver.Client
	Facts   authserver.Facts
	// Scope is what of the request's the user's roles allow; all while there is
	// no user.
	Scope []string
	// Address are the parameters by which the request comes again: its own, or
	// the request_uri that it was pushed under.
	Address url.Values
	// Begun is of the tw that came with the request or, without a good one, of
	// now.
	Begun Begun
	// once forbids a second answer (RFC 9126 §4).
	once bool
}

// Authorize judges the parameters of a request to the authorization endpoint, by
// GET or by POST, and the tw that came beside them. who names what else to ask
// for in the same statement: the user, and as ParentID the browser session. A
// *Refusal says what was wrong with the request; any other error is an *Error of
// ours.
func (s *Server) Authorize(ctx context.Context, form url.Values, tw string, who authserver.Ask) (Authorization, error) {
	a := Authorization{Address: parameters(form, requestParameters)}
	var err error
	if isPushed(form) {
		a.once = true
		if form, a.Begun, err = s.openPushed(a.Address, tw); err != nil {
			return Authorization{}, err
		}
	} else if a.Begun, err = openBegun(s.begun, tw, a.Address); err != nil {
		a.Begun = Begin()
	}
	id, uri, err := addressee(form, a.once)
	if err != nil {
		return Authorization{}, err
	}
	who.ClientID, who.SessionID, who.ConsentOf = id, authserver.SessionIDText(a.Begun.SessionID), true
	if a.Facts, err = s.Facts.Facts(ctx, who); err != nil {
		return Authorization{}, AsError(err)
	}
	if a.Request, err = s.request(form, a.Facts.Client, uri, a.once); err != nil {
		return Authorization{}, err
	}
	a.Client = *a.Facts.Client
	if a.Facts.Ended != nil { // what the way was to open has been, and ended
		if a.once {
			return Authorization{}, page(ErrRequestURI)
		}
		a.Begun = Begin()
	}
	a.Scope = s.grantable(a)
	return a, nil
}

// request reads the request that form holds, for the client that it names; nil if
// there is none.
func (s *Server) request(form url.Values, c *authserver.Client, uri string, pushed bool) (authserver.AuthorizationRequest, error) {
	if c == nil {
		return authserver.AuthorizationRequest{}, page(ErrUnknownClient)
	}
	target, ok := c.RedirectURI(uri)
	if !ok {
		return authserver.AuthorizationRequest{}, page(ErrRedirectURI)
	}
	r := newRequest(form, *c, uri, target)
	if err := s.checkRequest(&r, form, *c, pushed); err != nil {
		return r, s.Refuse(r, AsError(err))
	}
	return r, nil
}

// grantable are the scopes of a's request that may be granted: what the user's
// roles do not allow is left out, and offline access that nobody is asked for
// (OpenID Connect Core §11).
func (s *Server) grantable(a Authorization) []string {
	return slices.DeleteFunc(slices.Clone(a.Request.Scope), func(name string) bool {
		if name == authserver.ScopeOfflineAccess && !a.Client.Trusted && !a.Request.Asks(authserver.PromptConsent) {
			return true
		}
		role := a.Facts.Scopes[name].RequiresRole
		return role != "" && a.Facts.User != nil && !s.Roles.Holds(a.Facts.User.Roles, role)
	})
}

// addressee says for whom a request is, or refuses without asking a store.
func addressee(form url.Values, pushed bool) (id, uri string, err error) {
	if !pushed && size(form) > MaxAuthorizationRequest {
		return "", "", page(ErrRequestTooLong)
	}
	id, uri = form.Get("client_id"), form.Get("redirect_uri")
	switch {
	case len(form["client_id"]) > 1, id == "",
		strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' }): // RFC 6749 appendix A.1
		return "", "", page(ErrUnknownClient)
	case len(form["redirect_uri"]) > 1:
		return "", "", page(ErrRedirectURI)
	}
	return id, uri, nil
}

func size(form url.Values) (n int) {
	for name, values := range form {
		for _, v := range values {
			n += len(name) + len(v)
		}
	}
	return n
}

func page(cause error) *Refusal { return &Refusal{Cause: because(CodeInvalidRequest, cause)} }

// Refuse says to the client of r why it gets no code.
func (s *Server) Refuse(r authserver.AuthorizationRequest, e *Error) *Refusal {
	wire, description := e.Words()
	a := s.answer(r, authserver.AnswerField{Name: "error", Value: wire},
		authserver.AnswerField{Name: "error_description", Value: description})
	return &Refusal{Cause: e, Answer: &a}
}

// answer adds to fields what every answer has (RFC 6749 §4.1.2, RFC 9207 §2).
func (s *Server) answer(r authserver.AuthorizationRequest, fields ...authserver.AnswerField) authserver.AuthorizationAnswer {
	if r.HasState {
		fields = append(fields, authserver.AnswerField{Name: "state", Value: r.State})
	}
	fields = append(fields, authserver.AnswerField{Name: "iss", Value: s.Settings.Issuer})
	return authserver.AuthorizationAnswer{Target: r.Target, ResponseMode: r.ResponseMode, Fields: fields}
}

// requestParameters are those that the authorization endpoint reads; others are
// passed over (RFC 6749 §3.1).
var requestParameters = []string{
	"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "resource",
	"code_challenge", "code_challenge_method", "nonce", "prompt", "max_age", "login_hint", "id_token_hint",
	"ui_locales", "acr_values", "display", "claims", "request", "request_uri",
}

// parameters are those of form that are read; one without a value is absent
// (§3.1).
func parameters(form url.Values, read []string) url.Values {
	p := url.Values{}
	for _, name := range read {
		values := slices.DeleteFunc(slices.Clone(form[name]), func(v string) bool { return v == "" })
		if len(values) > 0 {
			p[name] = values
		}
	}
	return p
}

// newRequest has what a refusal needs too: where it goes, and how.
func newRequest(form url.Values, c authserver.Client, uri, target string) authserver.AuthorizationRequest {
	r := authserver.AuthorizationRequest{
		ClientID: c.ID, RedirectURI: uri, Target: target, ResponseMode: authserver.ResponseQuery, Parameters: parameters(form, requestParameters),
	}
	if mode := r.Parameters["response_mode"]; len(mode) == 1 && mode[0] == authserver.ResponseFormPost {
		r.ResponseMode = authserver.ResponseFormPost
	}
	// Of two states neither is known to be the client's.
	if state := r.Parameters["state"]; len(state) == 1 && utf8.ValidString(state[0]) {
		r.State, r.HasState = state[0], true
	}
	return r
}
