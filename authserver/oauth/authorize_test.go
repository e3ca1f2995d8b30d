package oauth

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// webFacts knows the clients that log people in by redirect.
type webFacts struct {
	authserver.FactStore
	asked int
}

func (w *webFacts) Facts(_ context.Context, a authserver.Ask) (authserver.Facts, error) {
	w.asked++
	code := []string{authserver.GrantAuthorizationCode}
	scopes := []string{"read", "write", "openid", "profile"}
	for _, c := range []authserver.Client{
		{ID: "web", Grants: code, Scopes: scopes, Resources: []string{testResource},
			RedirectURIs: []string{"https://web.test/cb?a=b", "https://web.test/other"}},
		{ID: "lax", PKCEOptional: true, Grants: code, Scopes: scopes, RedirectURIs: []string{"https://lax.test/cb"}},
		{ID: "native", Public: true, Grants: code, Scopes: scopes, RedirectURIs: []string{"http://127.0.0.1/cb"}},
		{ID: "pushed", RequirePushedRequests: true, Grants: code, Scopes: scopes, RedirectURIs: []string{"https://web.test/cb?a=b"}},
		{ID: "nocode", Scopes: scopes, RedirectURIs: []string{"https://web.test/cb?a=b"}},
	} {
		if c.ID == a.ClientID {
			return authserver.Facts{Client: &c}, nil
		}
	}
	return authserver.Facts{}, nil
}

const goodRequest = "client_id=web&redirect_uri=https%3A%2F%2Fweb.test%2Fcb%3Fa%3Db&response_type=code&scope=read+write&state=s+%25%C3%A9%22" +
	"&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"

// edited is the good request with parameters set, or with + in front, added. One
// without a value is taken out.
func edited(t *testing.T, edits ...string) url.Values {
	t.Helper()
	form, err := url.ParseQuery(goodRequest)
	if err != nil {
		t.Fatal(err)
	}
	for _, edit := range edits {
		name, value, given := strings.Cut(edit, "=")
		added, add := strings.CutPrefix(name, "+")
		switch {
		case add:
			form.Add(added, value)
		case given:
			form.Set(name, value)
		default:
			form.Del(name)
		}
	}
	return form
}

func authorizer() (*Server, *webFacts) {
	facts := &webFacts{}
	return &Server{Deps: Deps{Facts: facts, Settings: Settings{Issuer: testIssuer, Audience: testAudience}}}, facts
}

func TestAuthorizeRefuses(t *testing.T) {
	t.Parallel()
	const shown = Code("page")
	for _, tc := range []struct {
		name  string
		edits []string
		want  Code // shown: on a page, of which the client hears nothing
	}{
		{"no client", []string{"client_id"}, shown},
		{"an unknown client", []string{"client_id=nobody"}, shown},
		{"a client id that is none", []string{"client_id=we\x00b"}, shown},
		{"AUT-013 client_id twice", []string{"+client_id=web"}, shown},
		{"AUT-013 redirect_uri twice", []string{"+redirect_uri=https://web.test/other"}, shown},
		{"no redirect URI where two are registered", []string{"redirect_uri"}, shown},
		{"AUT-001 a redirect URI of nobody", []string{"redirect_uri=https://evil.test/cb"}, shown},
		{"AUT-001 a longer host", []string{"redirect_uri=https://web.test.evil.test/cb?a=b"}, shown},
		{"AUT-001 a longer path", []string{"redirect_uri=https://web.test/other/x"}, shown},
		{"AUT-001 userinfo", []string{"redirect_uri=https://web.test@evil.test/other"}, shown},
		{"AUT-001 a fragment", []string{"redirect_uri=https://web.test/other#x"}, shown},
		{"AUT-002 another loopback host", []string{"client_id=native", "redirect_uri=http://127.0.0.1.evil.test/cb"}, shown},
		{"AUT-002 userinfo for a port", []string{"client_id=native", "redirect_uri=http://127.0.0.1:1@evil.test/cb"}, shown},
		{"more than 4 KiB", []string{"state=" + strings.Repeat("x", 4<<10)}, shown},

		{"AUT-013 state twice", []string{"+state=t"}, CodeInvalidRequest},
		{"AUT-013 scope twice", []string{"+scope=read"}, CodeInvalidRequest},
		{"AUT-013 an unknown parameter twice", []string{"x=1", "+x=2"}, CodeInvalidRequest},
		{"bytes that are no text", []string{"login_hint=\xff"}, CodeInvalidRequest},
		{"a request object", []string{"request=eyJ"}, CodeRequestNotSupported},
		{"a foreign request_uri", []string{"request_uri=https://web.test/r"}, CodeRequestURINotSupported},
		{"PAR-004 not pushed", []string{"client_id=pushed"}, CodeInvalidRequest},
		{"a client without the grant", []string{"client_id=nocode"}, CodeUnauthorizedClient},
		{"no response_type", []string{"response_type"}, CodeInvalidRequest},
		{"AUT-011 the implicit grant", []string{"response_type=token"}, CodeUnsupportedResponseType},
		{"AUT-011 the hybrid flow", []string{"response_type=id_token token"}, CodeUnsupportedResponseType},
		{"AUT-022 response_mode fragment", []string{"response_mode=fragment"}, CodeInvalidRequest},
		{"AUT-003 no challenge", []string{"code_challenge", "code_challenge_method"}, CodeInvalidRequest},
		{"AUT-003 no challenge of a public client", []string{"client_id=native", "redirect_uri=http://127.0.0.1/cb", "code_challenge", "code_challenge_method"}, CodeInvalidRequest},
		{"AUT-003 plain", []string{"code_challenge_method=plain"}, CodeInvalidRequest},
		{"AUT-003 plain by default", []string{"code_challenge_method"}, CodeInvalidRequest},
		{"AUT-003 a challenge of 42", []string{"code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c"}, CodeInvalidRequest},
		{"a challenge in another spelling", []string{"code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN"}, CodeInvalidRequest},
		{"a method without a challenge, not required", []string{"client_id=lax", "redirect_uri", "code_challenge"}, CodeInvalidRequest},
		{"AUT-028 an unknown scope", []string{"scope=read nothing"}, CodeInvalidScope},
		{"a malformed scope", []string{"scope=re\"ad"}, CodeInvalidScope},
		{"AUT-027 a resource of others", []string{"resource=https://others.test"}, CodeInvalidTarget},
		{"a relative resource", []string{"resource=/api"}, CodeInvalidTarget},
		{"17 resources", slices.Repeat([]string{"+resource=" + testResource}, 17), CodeInvalidTarget},
		{"AUT-022 prompt none and more", []string{"prompt=none login"}, CodeInvalidRequest},
		{"an unknown prompt", []string{"prompt=maybe"}, CodeInvalidRequest},
		{"a negative max_age", []string{"max_age=-1"}, CodeInvalidRequest},
		{"a nonce of 513 bytes", []string{"nonce=" + strings.Repeat("n", 513)}, CodeInvalidRequest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, _ := authorizer()
			_, err := s.Authorize(t.Context(), edited(t, tc.edits...), "", authserver.Ask{})
			r, ok := errors.AsType[*Refusal](err)
			if !ok {
				t.Fatalf("got %v, want a refusal", err)
			}
			if tc.want == shown {
				if r.Answer != nil {
					t.Errorf("the client is told: %+v", r.Answer)
				}
				return
			}
			if r.Answer == nil {
				t.Fatalf("shown on a page: %v", err)
			}
			if r.Cause.Code != tc.want {
				t.Errorf("got %v, want %v", r.Cause, tc.want)
			}
			checkTold(t, r, tc.name != "AUT-013 state twice")
		})
	}
}

// checkTold holds a refusal to what is in every one that the client is told.
func checkTold(t *testing.T, r *Refusal, stateKnown bool) {
	t.Helper()
	location := r.Answer.Location()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("error") != string(r.Cause.Code) || q.Get("error_description") == "" || q.Get("iss") != testIssuer {
		t.Errorf("AUT-014: the client is told %s", location)
	}
	if stateKnown && q.Get("state") != "s %é\"" || q.Has("state") != stateKnown {
		t.Errorf("AUT-014: state %q in %s", q.Get("state"), location)
	}
	if strings.HasPrefix(location, "https://web.test/cb") && q.Get("a") != "b" {
		t.Errorf("the redirect URI's own query is lost: %s", location)
	}
}

func TestAuthorizeTakes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		edits []string
		check func(authserver.AuthorizationRequest) bool
	}{
		{"the good request", nil, func(r authserver.AuthorizationRequest) bool {
			return r.Target == "https://web.test/cb?a=b" && slices.Equal(r.Scope, []string{"read", "write"}) &&
				slices.Equal(r.Resources, []string{testAudience}) && r.HasState && r.MaxAge == nil
		}},
		{"AUT-014 no state", []string{"state"}, func(r authserver.AuthorizationRequest) bool { return !r.HasState }},
		{"AUT-013 empty is absent", []string{"state=", "max_age=", "response_mode=", "nonce="}, func(r authserver.AuthorizationRequest) bool {
			return !r.HasState && r.MaxAge == nil && r.ResponseMode == authserver.ResponseQuery
		}},
		{"AUT-013 an unknown parameter", []string{"x=1"}, func(r authserver.AuthorizationRequest) bool { return !r.Parameters.Has("x") }},
		{"AUT-033 form_post", []string{"response_mode=form_post"}, func(r authserver.AuthorizationRequest) bool {
			return r.ResponseMode == authserver.ResponseFormPost
		}},
		{"AUT-002 another port", []string{"client_id=native", "redirect_uri=http://127.0.0.1:51234/cb"}, func(r authserver.AuthorizationRequest) bool {
			return r.Target == "http://127.0.0.1:51234/cb"
		}},
		{"the only redirect URI", []string{"client_id=lax", "redirect_uri", "code_challenge", "code_challenge_method"}, func(r authserver.AuthorizationRequest) bool {
			return r.RedirectURI == "" && r.Target == "https://lax.test/cb" && r.CodeChallenge == ""
		}},
		{"AUT-028 with openid", []string{"scope=openid nothing read"}, func(r authserver.AuthorizationRequest) bool {
			return slices.Equal(r.Scope, []string{"openid", "read"})
		}},
		{"AUT-027 two resources", []string{"+resource=" + testResource, "+resource=" + testAudience, "+resource=" + testResource}, func(r authserver.AuthorizationRequest) bool {
			return slices.Equal(r.Resources, []string{testResource, testAudience})
		}},
		{"max_age=0", []string{"max_age=0"}, func(r authserver.AuthorizationRequest) bool { return r.MaxAge != nil && *r.MaxAge == 0 }},
		{"an age that no duration holds", []string{"max_age=9223372036854775807"}, func(r authserver.AuthorizationRequest) bool { return *r.MaxAge > 24*time.Hour }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, facts := authorizer()
			a, err := s.Authorize(t.Context(), edited(t, tc.edits...), "", authserver.Ask{})
			if err != nil {
				t.Fatal(err)
			}
			if !tc.check(a.Request) {
				t.Errorf("got %+v", a.Request)
			}
			if facts.asked != 1 {
				t.Errorf("the database was asked %d times", facts.asked)
			}
		})
	}
}
