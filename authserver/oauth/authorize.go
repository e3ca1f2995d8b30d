package oauth

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tokenwright/tokenwright/authserver"
)

// MaxAuthorizationRequest is how many bytes the names and values of an
// authorization request may have: they stand in an address.
const MaxAuthorizationRequest = 4 << 10

// Refusal is why an authorization request is not answered with a code. The
// client hears of it by Answer; without one the person is shown a page of status
// 400, since nobody is known to whom it may be told (RFC 6749 §4.1.2.1).
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
}

// Authorize judges the parameters of a request to the authorization endpoint, by
// GET or by POST. who names what else to ask for in the same statement: the
// Subject and the SessionID of the browser's session. A *Refusal says what was
// wrong with the request; any other error is an *Error of ours.
func (s *Server) Authorize(ctx context.Context, form url.Values, who authserver.Ask) (Authorization, error) {
	id, uri, err := addressee(form)
	if err != nil {
		return Authorization{}, err
	}
	who.ClientID = id
	facts, err := s.Facts.Facts(ctx, who)
	if err != nil {
		return Authorization{}, asError(err)
	}
	if facts.Client == nil {
		return Authorization{}, page("The application is not known here.")
	}
	target, ok := facts.Client.RedirectURI(uri)
	if !ok {
		return Authorization{}, page("The address to return to is missing or not registered for the application.")
	}
	r := newRequest(form, *facts.Client, uri, target)
	if err := s.checkRequest(&r, form, *facts.Client); err != nil {
		return Authorization{}, s.Refuse(r, asError(err))
	}
	return Authorization{Request: r, Client: *facts.Client, Facts: facts}, nil
}

// addressee says for whom a request is, or refuses without asking a store.
func addressee(form url.Values) (id, uri string, err error) {
	size := 0
	for name, values := range form {
		for _, v := range values {
			size += len(name) + len(v)
		}
	}
	if size > MaxAuthorizationRequest {
		return "", "", page("The request is too long. The application can push it (RFC 9126) instead.")
	}
	if len(form["client_id"]) > 1 || len(form["redirect_uri"]) > 1 {
		return "", "", page("The application or the address to return to is given twice.")
	}
	id, uri = form.Get("client_id"), form.Get("redirect_uri")
	if id == "" || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' }) { // RFC 6749 appendix A.1
		return "", "", page("The application is not known here.")
	}
	return id, uri, nil
}

func page(detail string) *Refusal {
	return &Refusal{Cause: refuse(CodeInvalidRequest, detail)}
}

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

// newRequest has what a refusal needs too: where it goes, and how.
func newRequest(form url.Values, c authserver.Client, uri, target string) authserver.AuthorizationRequest {
	r := authserver.AuthorizationRequest{
		ClientID: c.ID, RedirectURI: uri, Target: target, ResponseMode: authserver.ResponseQuery, Parameters: url.Values{},
	}
	for _, name := range requestParameters {
		values := slices.DeleteFunc(slices.Clone(form[name]), func(v string) bool { return v == "" })
		if len(values) > 0 {
			r.Parameters[name] = values
		}
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
