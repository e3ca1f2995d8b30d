package oauth

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	oauth2 "github.com/go-oauth2/oauth2/v4"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
)

// exchange is one token request, from its form to its tokens. The library's
// hooks find it in their context.
type exchange struct {
	*Server
	form  url.Values
	grant string
	// firstParty: without a named client the client is the built-in one.
	firstParty bool
	// anyPublic: the session of any public client will do if none is named.
	anyPublic bool

	requested []string // the scope asked for; nil asks for the default
	resources []string // the resources asked for; nil asks for the default
	// presented is the refresh token of the request, or number zero of its code;
	// nil if there is none, or none of ours.
	presented *authserver.RefreshToken
	code      code
	// next is the refresh token of the answer.
	next authserver.RefreshToken

	claimed string // the client id, as the request has it
	secret  string // the client's, as the request has it
	client  authserver.Client
	facts   authserver.Facts
	user    *authserver.User
	session authserver.Session

	scope     []string // what the access token gets
	audience  []string
	expiresIn int64
}

// maxResources is how many a request may name (RFC 8707 §2 sets no bound).
const maxResources = 16

type exchangeKey struct{}

func withExchange(ctx context.Context, ex *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, ex)
}

func exchangeFrom(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// checkShape refuses what can be seen to be wrong without asking anyone.
func (ex *exchange) checkShape() error {
	switch ex.grant {
	case "":
		return refuse(CodeInvalidRequest, "grant_type is missing.")
	case authserver.GrantPassword:
		if ex.Settings.Strict {
			return refuse(CodeUnsupportedGrantType, "")
		}
		if !ex.form.Has("username") || !ex.form.Has("password") {
			return refuse(CodeInvalidRequest, "username or password is missing.")
		}
	case authserver.GrantRefreshToken:
		if !ex.form.Has("refresh_token") {
			return refuse(CodeInvalidRequest, "refresh_token is missing.")
		}
		// Garbage is known as such before a store is asked, but answered after
		// the client has authenticated.
		if t, err := authserver.ParseRefreshToken(ex.form.Get("refresh_token"), ex.refresh); err == nil {
			ex.presented = &t
		}
	case authserver.GrantAuthorizationCode:
		if !ex.form.Has("code") {
			return refuse(CodeInvalidRequest, "code is missing.")
		}
	case authserver.GrantClientCredentials:
	default:
		return refuse(CodeUnsupportedGrantType, "")
	}
	var ok bool
	if ex.requested, ok = authserver.ParseScope(ex.form.Get("scope")); !ok {
		return refuse(CodeInvalidScope, "")
	}
	var err error
	ex.resources, err = parseResources(ex.form["resource"])
	return err
}

// parseResources drops repetitions among the values of the parameter resource.
func parseResources(values []string) (resources []string, err error) {
	if len(values) > maxResources {
		return nil, tooMany(len(values))
	}
	for _, r := range values {
		u, err := url.Parse(r)
		if err != nil || !u.IsAbs() || strings.Contains(r, "#") { // RFC 8707 §2
			return nil, refuse(CodeInvalidTarget, "A resource must be an absolute URI without a fragment.")
		}
		if !slices.Contains(resources, r) {
			resources = append(resources, r)
		}
	}
	return resources, nil
}

// clientInfo is the library's first call: who is the client, and may it do this?
// Everything that the database knows of the request is asked for here, at once.
func clientInfo(r *http.Request) (string, string, error) {
	ex := exchangeFrom(r.Context())
	cred, err := clientCredentials(r, ex.form)
	if err != nil {
		return "", "", err
	}
	if cred.id == "" && (cred.secret != "" || !ex.firstParty) {
		return "", "", refuse(CodeInvalidClient, "")
	}
	if err := ex.identify(r.Context(), cred); err != nil {
		return "", "", err
	}
	if !ex.client.MayUse(ex.grant) {
		return "", "", refuse(CodeUnauthorizedClient, "")
	}
	for _, resource := range ex.resources {
		if !ex.mayTarget(resource) {
			return "", "", refuse(CodeInvalidTarget, "")
		}
	}
	return ex.client.ID, "", nil
}

// identify asks for the facts and authenticates the client.
func (ex *exchange) identify(ctx context.Context, cred credentials) error {
	ex.claimed, ex.secret = cred.id, cred.secret
	ask := authserver.Ask{ClientID: cred.id}
	switch ex.grant {
	case authserver.GrantPassword:
		if login := ex.form.Get("username"); len(login) <= account.MaxLogin {
			ask.Login = login
		}
	case authserver.GrantAuthorizationCode:
		if c, err := openCode(ex.codes, ex.form.Get("code"), cred.id, ex.form.Get("redirect_uri")); err == nil {
			ex.code, ex.presented = c, &c.token
		}
	}
	if t := ex.presented; t != nil {
		ask.Subject, ask.SessionID, ask.ParentID, ask.ConsentOf = t.Sub(), t.SID(), t.ParentSID(), true
	}
	facts, err := ex.Facts.Facts(ctx, ask)
	if err != nil {
		return err
	}
	ex.facts = facts
	if cred.id == "" {
		ex.client = firstParty(facts.Scopes)
		return nil
	}
	if err := ex.Clients.Authenticate(ctx, facts.Client, cred.id, cred.secret); err != nil {
		return err
	}
	ex.client = *facts.Client
	return nil
}

// firstParty is the built-in client: it may ask for every scope, and a user
// holds of them what the roles allow.
func firstParty(registered authserver.Scopes) authserver.Client {
	scopes := []string{authserver.ScopeProfile}
	for name := range registered {
		if name != authserver.ScopeProfile {
			scopes = append(scopes, name)
		}
	}
	slices.Sort(scopes[1:])
	return authserver.Client{
		ID:     authserver.FirstPartyClientID,
		Public: true,
		Grants: []string{authserver.GrantPassword, authserver.GrantRefreshToken},
		Scopes: scopes,
	}
}

// authorizePassword is the library's second call at a login. The client is known
// by then, so that a stranger's request computes no hash.
func authorizePassword(ctx context.Context, _, login, password string) (string, error) {
	ex := exchangeFrom(ctx)
	user, err := ex.Users.Authenticate(ctx, login, password, ex.facts)
	if err != nil {
		return "", err
	}
	ex.user = &user
	return user.Subject, nil
}

// grantScope is the library's call before a grant that is no refresh: the scope
// is all that may be had and fits, or what was asked for within that (RFC 6749 §3.3).
func grantScope(t *oauth2.TokenGenerateRequest) (bool, error) {
	ex := exchangeFrom(t.Request.Context())
	allowed := ex.allowed(ex.client.Scopes)
	ex.scope = authserver.FittingScope(authserver.DefaultScope(allowed))
	if len(ex.requested) > 0 {
		for _, name := range ex.requested {
			if !slices.Contains(allowed, name) {
				return false, refuse(CodeInvalidScope, "")
			}
		}
		ex.scope = ex.requested
	}
	ex.audience = ex.resources
	if len(ex.audience) == 0 {
		ex.audience = []string{ex.Settings.Audience}
	}
	if ex.user != nil {
		if err := ex.newSession(t.Request.Context()); err != nil {
			return false, err
		}
	}
	t.Scope = ex.scopeText()
	return true, nil
}

// allowed are those of scopes that the user's roles may hold. A client that acts
// for itself holds what the operator registered for it.
func (ex *exchange) allowed(scopes []string) []string {
	out := make([]string, 0, len(scopes))
	for _, name := range scopes {
		role := ex.facts.Scopes[name].RequiresRole
		if ex.user == nil || role == "" || ex.Roles.Holds(ex.user.Roles, role) {
			out = append(out, name)
		}
	}
	return out
}

func (ex *exchange) scopeText() string { return strings.Join(ex.scope, " ") }

// grace is how long the token before the current one may be presented again.
func (ex *exchange) grace() time.Duration {
	if ex.client.RefreshGrace != nil {
		return *ex.client.RefreshGrace
	}
	return ex.Settings.RefreshGrace
}
