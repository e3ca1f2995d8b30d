package login

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tokenwright/tokenwright/e2e/program"
)

const (
	rpCB  = "https://rp.test/cb"
	rpBye = "https://rp.test/bye"
)

// rp is an authentication request of the client rp, which sends no challenge.
func rp(edits ...string) []string {
	return append([]string{"client_id=rp", "redirect_uri=" + rpCB, "scope=openid", "nonce=n-0S6", "code_challenge", "code_challenge_method"}, edits...)
}

// signedIn is what a token response tells a relying party.
type signedIn struct {
	program.Answer
	id     string         // the ID token
	header map[string]any // of it
	claims map[string]any // its own
}

func (s signedIn) sid() string { sid, _ := s.claims["sid"].(string); return sid }

// signIn is a whole login for the client rp.
func (p *person) signIn(edits ...string) signedIn {
	p.Helper()
	return p.signedIn(p.redeemRP(p.code(p.through(p.ask(rp(edits...)...)))))
}

// redeemRP sends a code of the client rp's to the token endpoint.
func (p *person) redeemRP(code string, edits ...string) program.Answer {
	p.Helper()
	return p.redeem(code, append([]string{"client_id=rp", "redirect_uri=" + rpCB, "code_verifier"}, edits...)...)
}

// signedIn checks a token response and its ID token by what is published, as
// OpenID Connect Core §3.1.3.7 has a client do it.
func (p *person) signedIn(a program.Answer) signedIn {
	p.Helper()
	s := signedIn{Answer: program.Must(p.T, 200, a, nil)}
	var body struct {
		ID string `json:"id_token"`
	}
	if err := json.Unmarshal([]byte(a.Body), &body); err != nil {
		p.Fatal(err)
	}
	var claims jwt.MapClaims
	token, err := jwt.ParseWithClaims(body.ID, &claims, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		return p.rsaKey(kid), nil
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(p.issuer), jwt.WithAudience("rp"), jwt.WithIssuedAt(), jwt.WithExpirationRequired())
	if err != nil {
		p.Fatalf("ID token: %v in %s", err, a.Body)
	}
	s.id, s.header, s.claims = body.ID, token.Header, claims
	return s
}

// rsaKey is a published one.
func (p *person) rsaKey(kid string) *rsa.PublicKey {
	p.Helper()
	a, err := program.Get(http.DefaultClient, p.issuer+"/.well-known/jwks.json", "")
	program.Must(p.T, 200, a, err)
	var set struct {
		Keys []struct{ Kid, Kty, N, E string }
	}
	if err := json.Unmarshal([]byte(a.Body), &set); err != nil {
		p.Fatal(err)
	}
	for _, k := range set.Keys {
		n, err1 := base64.RawURLEncoding.DecodeString(k.N)
		e, err2 := base64.RawURLEncoding.DecodeString(k.E)
		if k.Kid == kid && k.Kty == "RSA" && err1 == nil && err2 == nil {
			return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
		}
	}
	p.Fatalf("no RSA key %q in %s", kid, a.Body)
	return nil
}

// userInfo are the claims at userinfo.
func (p *person) userInfo(access string) map[string]any {
	p.Helper()
	a, err := program.Get(http.DefaultClient, p.issuer+"/oauth/userinfo", access)
	program.Must(p.T, 200, a, err)
	return object(p.T, a.Body)
}

func object(t testing.TB, text string) (o map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return o
}

// discovery is the document of OpenID Connect Discovery.
func (p *person) discovery() map[string]any {
	p.Helper()
	a, err := program.Get(http.DefaultClient, p.issuer+"/.well-known/openid-configuration", "")
	program.Must(p.T, 200, a, err)
	return object(p.T, a.Body)
}

// lists reports whether a member of a document is a list that has a value.
func lists(document map[string]any, member, value string) bool {
	list, _ := document[member].([]any)
	return slices.Contains(list, any(value))
}

// here reports whether somebody is logged in in the browser.
func (p *person) here() bool {
	p.Helper()
	a := p.ask(rp("prompt=none")...)
	if a.Query().Get("error") != "login_required" && !a.Query().Has("code") {
		p.Fatalf("prompt=none: %d %s", a.Status, a.URL)
	}
	return a.Query().Has("code")
}

// leave asks for a logout by a link. Pairs are as those of a query.
func (p *person) leave(pairs ...string) program.Page {
	p.Helper()
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return p.Open("/oauth/logout?" + q.Encode())
}
