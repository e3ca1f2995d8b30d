package resource

import (
	"errors"
	"net/http"
	"strings"
)

// Guard lets requests with a good access token pass, under rules.
//
// It takes tokens from the Authorization header and from nowhere else: of the
// three methods of RFC 6750 §2, those with the token in a form or in the query
// are not implemented, and what stands there is ignored.
type Guard struct {
	verifier *Verifier
	metadata string // the challenge's parameter, quoted; may be empty
}

// NewGuard returns a guard whose challenges name metadataURL, the address of the
// API's RFC 9728 document, unless it is empty.
func NewGuard(v *Verifier, metadataURL string) *Guard {
	g := &Guard{verifier: v}
	if metadataURL != "" {
		g.metadata = `resource_metadata="` + quoted.Replace(metadataURL) + `"`
	}
	return g
}

// quoted escapes the inside of a quoted-string (RFC 9110 §5.6.4).
var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// Authenticate is the guard's decision, which every kind of middleware asks for:
// the claims of a request that may pass all rules, or the answer to one that
// may not. Exactly one of them is nil.
func (g *Guard) Authenticate(r *http.Request, rules ...Rule) (*Claims, *Challenge) {
	token, challenge := g.bearer(r)
	if challenge != nil {
		return nil, challenge
	}
	claims, err := g.verifier.Verify(r.Context(), token)
	if err != nil {
		return nil, g.refuse(err)
	}
	for _, rule := range rules {
		if !rule.allow(claims) {
			if rule.stepUp != "" && claims.OfUser() {
				return nil, g.stepUp(claims, rules)
			}
			return nil, g.forbid(rule)
		}
	}
	return claims, nil
}

// stepUp asks for a login that all of rules would let pass, as far as a login can.
func (g *Guard) stepUp(claims *Claims, rules []Rule) *Challenge {
	c := &Challenge{Status: http.StatusUnauthorized}
	params := []string{`error="` + codeInsufficientAuthentication + `"`}
	for _, rule := range rules {
		if rule.stepUp != "" && !rule.allow(claims) {
			params = append(params, rule.stepUp)
			c.Detail = rule.detail
		}
	}
	if g.metadata != "" {
		params = append(params, g.metadata)
	}
	c.WWWAuthenticate = "Bearer " + strings.Join(params, ", ")
	return c
}

// bearer takes the token out of the header (RFC 6750 §2.1).
func (g *Guard) bearer(r *http.Request) (string, *Challenge) {
	headers := r.Header["Authorization"]
	if len(headers) > 1 {
		return "", g.malformed("Authorization header sent more than once")
	}
	if len(headers) == 0 {
		return "", g.anonymous()
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(headers[0]), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", g.anonymous() // credentials, but none that count here
	}
	token = strings.TrimLeft(token, " ")
	if token == "" {
		return "", g.malformed("Authorization header has no token after Bearer")
	}
	if strings.IndexByte(token, ' ') >= 0 || strings.IndexByte(token, '\t') >= 0 {
		return "", g.malformed("Authorization header has more than one token after Bearer")
	}
	return token, nil
}

func (g *Guard) refuse(err error) *Challenge {
	refused, ok := errors.AsType[*TokenError](err)
	if !ok {
		return &Challenge{
			Status:     http.StatusServiceUnavailable,
			Detail:     "Credentials cannot be checked at the moment",
			RetryAfter: 1,
			Err:        err,
		}
	}
	return &Challenge{
		Status:          http.StatusUnauthorized,
		WWWAuthenticate: g.challenge(refused.Code, ""),
		Detail:          refused.Detail,
		Err:             err,
	}
}

// anonymous has no error code: RFC 6750 §3.1 keeps it from those who sent no
// token.
func (g *Guard) anonymous() *Challenge {
	return &Challenge{
		Status:          http.StatusUnauthorized,
		WWWAuthenticate: g.challenge("", ""),
		Detail:          "Not authenticated",
	}
}

func (g *Guard) malformed(detail string) *Challenge {
	return &Challenge{
		Status:          http.StatusBadRequest,
		WWWAuthenticate: g.challenge(codeInvalidRequest, ""),
		Detail:          detail,
	}
}

func (g *Guard) forbid(rule Rule) *Challenge {
	c := &Challenge{
		Status:          http.StatusForbidden,
		WWWAuthenticate: g.challenge(codeInsufficientScope, rule.scope),
		Detail:          rule.detail,
	}
	if c.Detail == "" { // the zero Rule
		c.Detail = insufficientPermissions
	}
	return c
}

// challenge writes the WWW-Authenticate value of RFC 6750 §3.
func (g *Guard) challenge(code, scope string) string {
	var params []string
	if code != "" {
		params = append(params, `error="`+code+`"`)
	}
	if scope != "" {
		params = append(params, `scope="`+quoted.Replace(scope)+`"`)
	}
	if g.metadata != "" {
		params = append(params, g.metadata)
	}
	return strings.TrimSpace("Bearer " + strings.Join(params, ", "))
}

// Require is the guard as net/http middleware. The handler finds the claims with
// ClaimsFrom. Answers are marked as not for caches; a handler may say otherwise.
func (g *Guard) Require(rules ...Rule) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			claims, challenge := g.Authenticate(r, rules...)
			if challenge != nil {
				challenge.Write(w)
				return
			}
			NoStore(w.Header())
			next.ServeHTTP(w, r.WithContext(WithClaims(r.Context(), claims)))
		})
	}
}
