package oauth

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/oidc"
)

const (
	maxNonce = 512 // bytes: the code carries it
	// maxMaxAge keeps max_age within what a duration holds; no session is as old.
	maxMaxAge = 10 * 365 * 24 * 60 * 60
)

var strictBase64 = base64.RawURLEncoding.Strict()

// checkRequest reads all of r but where its answer goes, from the form that it
// came by; pushed is how. Its errors may be told to the client.
func (s *Server) checkRequest(r *authserver.AuthorizationRequest, form url.Values, c authserver.Client, pushed bool) error {
	p := r.Parameters
	for name, values := range form {
		if !utf8.ValidString(name) || slices.ContainsFunc(values, func(v string) bool { return !utf8.ValidString(v) }) {
			return refuse(CodeInvalidRequest, "A parameter is not valid UTF-8.")
		}
		if len(values) > 1 && name != "resource" {
			return refuse(CodeInvalidRequest, "A parameter is given twice.")
		}
	}
	switch {
	case p.Has("request"):
		return refuse(CodeRequestNotSupported, "")
	case p.Has("request_uri"):
		return refuse(CodeRequestURINotSupported, "")
	case c.RequirePushedRequests && !pushed: // RFC 9126 §6
		return refuse(CodeInvalidRequest, "The client has to push its requests.")
	case !c.MayUse(authserver.GrantAuthorizationCode):
		return refuse(CodeUnauthorizedClient, "")
	case !p.Has("response_type"):
		return refuse(CodeInvalidRequest, "response_type is missing.")
	case p.Get("response_type") != "code":
		return refuse(CodeUnsupportedResponseType, "")
	case p.Has("response_mode") && p.Get("response_mode") != r.ResponseMode:
		return refuse(CodeInvalidRequest, "The response_mode is not supported: use query or form_post.")
	case len(p.Get("nonce")) > maxNonce:
		return refuse(CodeInvalidRequest, "The nonce is too long.")
	}
	for _, check := range []func(*authserver.AuthorizationRequest, authserver.Client) error{
		checkChallenge, s.checkScope, s.checkTarget, checkLogin,
	} {
		if err := check(r, c); err != nil {
			return err
		}
	}
	r.Nonce, r.LoginHint = p.Get("nonce"), p.Get("login_hint")
	r.UILocales, r.ACRValues = strings.Fields(p.Get("ui_locales")), strings.Fields(p.Get("acr_values"))
	r.Display = p.Get("display")
	return s.checkIdentity(r)
}

// checkChallenge takes S256 alone, also where the method is left out and plain is
// meant (RFC 7636 §4.3, RFC 9700 §2.1.1).
func checkChallenge(r *authserver.AuthorizationRequest, c authserver.Client) error {
	challenge, method := r.Parameters.Get("code_challenge"), r.Parameters.Get("code_challenge_method")
	switch {
	case challenge == "" && method == "" && !c.Public && c.PKCEOptional:
		return nil
	case challenge == "":
		return refuse(CodeInvalidRequest, "code_challenge is missing.")
	case method != "S256":
		return refuse(CodeInvalidRequest, "The code_challenge_method must be S256.")
	}
	// The SHA-256 of a verifier, in the one spelling that it has.
	if sum, err := strictBase64.DecodeString(challenge); err != nil || len(sum) != 32 || len(challenge) != 43 {
		return refuse(CodeInvalidRequest, "The code_challenge is no S256 challenge.")
	}
	r.CodeChallenge = challenge
	return nil
}

// checkScope leaves out what the client does not have from an authentication
// request (OpenID Connect Core §3.1.2.1), and refuses another one for it.
func (s *Server) checkScope(r *authserver.AuthorizationRequest, c authserver.Client) error {
	scope, ok := authserver.ParseScope(r.Parameters.Get("scope"))
	if !ok {
		return refuse(CodeInvalidScope, "")
	}
	if len(scope) == 0 {
		scope = authserver.DefaultScope(c.Scopes)
	}
	foreign := func(name string) bool { return !slices.Contains(c.Scopes, name) }
	if slices.Contains(scope, authserver.ScopeOpenID) {
		scope = slices.DeleteFunc(scope, foreign)
	}
	if len(scope) == 0 || slices.ContainsFunc(scope, foreign) {
		return refuse(CodeInvalidScope, "")
	}
	r.Scope = scope
	return nil
}

func (s *Server) checkTarget(r *authserver.AuthorizationRequest, c authserver.Client) (err error) {
	if r.Resources, err = parseResources(r.Parameters["resource"]); err != nil {
		return err
	}
	for _, resource := range r.Resources {
		if resource != s.Settings.Audience && !slices.Contains(c.Resources, resource) {
			return refuse(CodeInvalidTarget, "")
		}
	}
	if len(r.Resources) == 0 {
		r.Resources = []string{s.Settings.Audience}
	}
	return nil
}

// checkIdentity reads whose login it has to be, and what is to be told of them.
func (s *Server) checkIdentity(r *authserver.AuthorizationRequest) error {
	claims, err := oidc.ParseClaims(r.Parameters.Get("claims"))
	if err != nil {
		return refuse(CodeInvalidRequest, "The claims are not well-formed.")
	}
	r.Claims, r.EssentialACR, r.Subject = claims.Wanted, claims.ACR, claims.Subject
	if text := r.Parameters.Get("id_token_hint"); text != "" {
		hint, err := s.readHint(text)
		if err != nil {
			return refuse(CodeInvalidRequest, "The id_token_hint is no ID token of this server's.")
		}
		if r.Subject != "" && r.Subject != hint.Subject {
			return refuse(CodeInvalidRequest, "The id_token_hint and the claims are of two users.")
		}
		r.Subject = hint.Subject
	}
	return nil
}

// checkLogin reads how the person is to be met.
func checkLogin(r *authserver.AuthorizationRequest, _ authserver.Client) error {
	for _, value := range strings.Fields(r.Parameters.Get("prompt")) {
		switch value {
		case authserver.PromptNone, authserver.PromptLogin, authserver.PromptConsent,
			authserver.PromptSelectAccount, authserver.PromptCreate:
			r.Prompt = append(r.Prompt, value)
		default:
			return refuse(CodeInvalidRequest, "The prompt is not supported.")
		}
	}
	if r.Asks(authserver.PromptNone) && len(r.Prompt) > 1 {
		return refuse(CodeInvalidRequest, "The prompt none stands alone.")
	}
	if text := r.Parameters.Get("max_age"); text != "" {
		seconds, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return refuse(CodeInvalidRequest, "The max_age must be a number of seconds.")
		}
		age := time.Duration(min(seconds, maxMaxAge)) * time.Second
		r.MaxAge = &age
	}
	return nil
}
