package oauth

import (
	"log/slog"
	"net/http"
	"net/url"
	"time"

	oauth2 "github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/manage"
	"github.com/go-oauth2/oauth2/v4/server"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/audit"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/seal"
	"github.com/tokenwright/tokenwright/authserver/sessions"
	"github.com/tokenwright/tokenwright/resource"
)

// Settings are the server's, as the operator set them.
type Settings struct {
	// Issuer and Audience are the issuer identifier (RFC 8414 §2) and the
	// default resource identifier, byte for byte as tokens carry them.
	Issuer, Audience string
	AccessLifetime   time.Duration
	// IdleLifetime and SessionLifetime bound a session from its last rotation
	// and from its opening.
	IdleLifetime, SessionLifetime time.Duration
	// RefreshGrace is for clients that have none of their own; 0 is single use.
	RefreshGrace time.Duration
	// SessionsPerUser is how many a user may have; beyond, the least recently
	// used ends. 0 is no bound.
	SessionsPerUser int
	// IDTokenAlgorithm is for clients that have none of their own.
	IDTokenAlgorithm string
	// Strict removes the password grant (RFC 9700 §2.4).
	Strict bool
	// Scopes are listed in the metadata.
	Scopes []string
}

// Deps are what a Server works with; all are required.
type Deps struct {
	Settings Settings

	Facts    authserver.FactStore
	Sessions authserver.SessionStore
	Endings  *sessions.Sessions
	Audit    authserver.AuditLog
	// Notes takes the events that no answer waits for: logins and refusals. Nil
	// means Audit, which the answer then does wait for.
	Notes Recorder

	Users   *account.Users
	Clients *account.Clients
	Ring    *keys.Ring
	Master  *keys.Master
	Roles   resource.Hierarchy
	// Verifier takes tokens for any resource of the issuer.
	Verifier *resource.Verifier

	// Answered hears what became of each token request: the grant is empty for
	// one that this server does not know, the code for tokens that were given.
	// Nil hears nothing.
	Answered func(grant string, code Code)
	Logger   *slog.Logger
}

// Server answers the OAuth endpoints. It is safe for concurrent use.
type Server struct {
	Deps
	lib      *server.Server
	refresh  []authserver.RefreshKey
	codes    seal.Box
	begun    seal.Box
	pushed   seal.Box
	audit    audit.Key // for pseudonyms
	metadata []byte
}

// New joins the library's halves with the hooks that close its holes.
func New(d Deps) (*Server, error) {
	codes, err := d.Master.Box("authorization code")
	if err != nil {
		return nil, err
	}
	begun, err := d.Master.Box("request begun")
	if err != nil {
		return nil, err
	}
	pushed, err := d.Master.Box("pushed request")
	if err != nil {
		return nil, err
	}
	s := &Server{Deps: d, codes: codes, begun: begun, pushed: pushed, refresh: d.Master.RefreshKeys(), audit: d.Master.AuditKeys()[0]}
	if s.Notes == nil {
		s.Notes = d.Audit
	}

	grants := []oauth2.GrantType{oauth2.AuthorizationCode, oauth2.Refreshing, oauth2.ClientCredentials}
	if !d.Settings.Strict {
		grants = append(grants, oauth2.PasswordCredentials)
	}
	s.metadata = marshalMetadata(d.Settings, grants)

	// Whether a refresh token is made is the exchange's to say, in mint; and
	// nothing is removed after a refresh: Advance has replaced it already.
	m := manage.NewManager()
	m.SetValidateURIHandler(func(string, string) error { return nil }) // a code opens for its own alone
	m.SetAuthorizeCodeTokenCfg(&manage.Config{IsGenerateRefresh: true})
	m.SetPasswordTokenCfg(&manage.Config{IsGenerateRefresh: true})
	m.SetClientTokenCfg(&manage.Config{})
	m.SetRefreshTokenCfg(&manage.RefreshingConfig{IsGenerateRefresh: true})
	b := bridge{s}
	m.MapClientStorage(b)
	m.MapTokenStorage(b)
	m.MapAccessGenerate(mint{s})

	s.lib = server.NewServer(&server.Config{AllowedGrantTypes: grants}, m)
	s.lib.ClientInfoHandler = clientInfo
	s.lib.PasswordAuthorizationHandler = authorizePassword
	s.lib.ClientScopeHandler = grantScope
	s.lib.RefreshTokenResolveHandler = func(r *http.Request) (string, error) {
		return exchangeFrom(r.Context()).form.Get("refresh_token"), nil
	}
	return s, nil
}

// Response is a successful answer of the token endpoint (RFC 6749 §5.1).
type Response struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	// ExpiresIn is in seconds.
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
	// IDToken is there if the scope has openid (OpenID Connect Core §3.1.3.3).
	IDToken string `json:"id_token,omitempty"`
}

// Token answers POST /oauth/token. Any error is an *Error.
func (s *Server) Token(r *http.Request) (Response, error) {
	form, err := ParseForm(r)
	if err != nil {
		return Response{}, s.answered("", err)
	}
	return s.exchange(r, &exchange{form: form, grant: form.Get("grant_type")})
}

// Login answers POST /auth/login with a form that CheckForm has passed: the
// password grant, whose client is the built-in one unless another is named. Any
// error is an *Error.
func (s *Server) Login(r *http.Request, form url.Values) (Response, error) {
	grant := form.Get("grant_type")
	if grant == "" {
		grant = authserver.GrantPassword
	}
	if grant != authserver.GrantPassword {
		return Response{}, s.answered(grant, refuse(CodeUnsupportedGrantType, ""))
	}
	res, err := s.exchange(r, &exchange{form: form, grant: grant, firstParty: true})
	res.TokenType = "bearer"
	return res, err
}

// Refresh answers POST /auth/refresh with a form that holds refresh_token. A
// session of a public client needs no client to be named; a confidential
// client's needs its authentication. Any error is an *Error.
func (s *Server) Refresh(r *http.Request, form url.Values) (Response, error) {
	ex := &exchange{form: form, grant: authserver.GrantRefreshToken, firstParty: true, anyPublic: true}
	res, err := s.exchange(r, ex)
	res.TokenType = "bearer"
	return res, err
}

// exchange runs one token request through the library. Any error is an *Error.
func (s *Server) exchange(r *http.Request, ex *exchange) (Response, error) {
	ex.Server = s
	if err := ex.checkShape(); err != nil {
		return Response{}, s.answered(ex.grant, err)
	}
	res, err := s.grant(r, ex)
	ex.note(r.Context(), err)
	return res, s.answered(ex.grant, err)
}

// answered tells Answered, and returns err.
func (s *Server) answered(grant string, err error) error {
	if s.Answered == nil {
		return err
	}
	var code Code
	if err != nil {
		code = AsError(err).Code
	}
	switch grant {
	case authserver.GrantAuthorizationCode, authserver.GrantPassword, authserver.GrantRefreshToken, authserver.GrantClientCredentials:
	default:
		grant = ""
	}
	s.Answered(grant, code)
	return err
}

// grant is exchange for a request that is well-formed. Any error is an *Error.
func (s *Server) grant(r *http.Request, ex *exchange) (Response, error) {
	r = r.WithContext(withExchange(r.Context(), ex))
	// The library reads r.Form: it sees what ParseForm let through, nothing else.
	form := ex.form
	if ex.grant == authserver.GrantAuthorizationCode {
		// It asks for a redirect URI, and would look at the verifier.
		form = url.Values{"code": ex.form["code"], "redirect_uri": {"-"}}
	}
	r.Form, r.PostForm = form, form
	r.Form.Set("grant_type", ex.grant)

	grant, request, err := s.lib.ValidationTokenRequest(r)
	if err != nil {
		return Response{}, AsError(err)
	}
	info, err := s.lib.GetAccessToken(r.Context(), grant, request)
	if err != nil {
		return Response{}, AsError(err)
	}
	idToken, err := ex.idToken(r.Context(), info.GetAccess())
	if err != nil {
		return Response{}, AsError(err)
	}
	return Response{
		IDToken:      idToken,
		AccessToken:  info.GetAccess(),
		TokenType:    "Bearer",
		ExpiresIn:    ex.expiresIn,
		RefreshToken: info.GetRefresh(),
		Scope:        ex.scopeText(),
	}, nil
}
