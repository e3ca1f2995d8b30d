package doctor

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// identity is what a relying party hears of a login: a session, and who opened it.
type identity struct {
	session
	token  string // the ID token
	claims map[string]any
}

// identify is a whole login for the client that asks who people are, in b. Pairs
// change the request as in ask.
func (s *subject) identify(ctx context.Context, b *browser, pairs ...string) (identity, error) {
	pairs = slices.Concat([]string{"scope", "openid", "nonce", "doctor-nonce"}, pairs)
	l := b.through(ctx, b.open(ctx, s.ask(s.rp, pairs...)))
	if err := l.granted(); err != nil {
		return identity{}, err
	}
	return s.identityOf(s.redeem(ctx, l))
}

// identityOf reads a token response to that client.
func (s *subject) identityOf(a answer) (identity, error) {
	id := identity{session: brought(s.rp, a), token: a.text("id_token")}
	if err := a.is("200"); err != nil {
		return id, err
	}
	if id.claims = decode(id.token, 1); id.claims == nil {
		return id, a.wrong("id_token is missing or no JWT")
	}
	return id, nil
}

// identifyKnown is identify in the browser in which the user has logged in.
func (s *subject) identifyKnown(ctx context.Context, pairs ...string) (identity, error) {
	b, err := s.known(ctx)
	if err != nil {
		return identity{}, err
	}
	return s.identify(ctx, b, pairs...)
}

// signed wants an ID token's signature to be by a key of the set.
func (s *subject) signed(ctx context.Context, token string) error {
	keys := keysOf(s.get(ctx, s.metadata.jwks, nil))
	_, err := jwt.Parse(token, func(t *jwt.Token) (any, error) {
		for _, k := range keys {
			if text(k, "kid") == t.Header["kid"] {
				return publicKey(k)
			}
		}
		return nil, fmt.Errorf("kid %q is not in the key set", t.Header["kid"])
	}, jwt.WithValidMethods([]string{"RS256", "ES256", "EdDSA"}))
	if err != nil {
		return fmt.Errorf("the ID token: %w", err)
	}
	return nil
}

// named wants the ID token to say what the issuer knows (OpenID Connect Core §2).
func (id identity) named(s *subject) error {
	if iss := text(id.claims, "iss"); iss != s.Issuer {
		return fmt.Errorf("iss is %q, want %q", iss, s.Issuer)
	}
	if aud := audience(id.token); !slices.Equal(aud, []string{s.rp.ID}) {
		return fmt.Errorf("aud is %q, want %q", aud, s.rp.ID)
	}
	if sub := text(decode(id.access, 1), "sub"); text(id.claims, "sub") == "" || sub != "" && sub != id.claims["sub"] {
		return fmt.Errorf("sub is %q, and %q in the access token", id.claims["sub"], sub)
	}
	for _, name := range []string{"exp", "iat", "auth_time"} {
		if _, ok := id.claims[name].(float64); !ok {
			return fmt.Errorf("%s is missing or no number", name)
		}
	}
	if kind := text(decode(id.token, 0), "typ"); strings.HasSuffix(strings.ToLower(kind), "at+jwt") {
		return fmt.Errorf("typ is %q, an access token's", kind)
	}
	return nil
}

// hashed wants at_hash to be of the access token (§3.1.3.6).
func (id identity) hashed() error {
	half := func(sum []byte) string { return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]) }
	short, long := sha256.Sum256([]byte(id.access)), sha512.Sum512([]byte(id.access))
	want, alg := half(short[:]), text(decode(id.token, 0), "alg")
	if alg == "EdDSA" {
		want = half(long[:])
	}
	if got := text(id.claims, "at_hash"); got != want {
		return fmt.Errorf("at_hash of %s is %q, want %q", alg, got, want)
	}
	return nil
}

// about are the claims at userinfo.
func (s *subject) about(ctx context.Context, access string) answer {
	return s.get(ctx, s.metadata.userinfo, bearer(access))
}

// only wants an object to have no claims but these, and all of must.
func (a answer) only(must []string, may ...string) error {
	if err := first(a.is("200"), a.isJSON()); err != nil {
		return err
	}
	for name := range a.object() {
		if !slices.Contains(must, name) && !slices.Contains(may, name) {
			return a.wrong("%s is told, which no scope asked for", name)
		}
	}
	for _, name := range must {
		if a.object()[name] == nil {
			return a.wrong("%s is not told", name)
		}
	}
	return nil
}

// gone wants tokens to be refused at userinfo within a second.
func (s *subject) gone(ctx context.Context, tokens ...string) error {
	if err := wait(ctx, pushed); err != nil {
		return err
	}
	for _, token := range tokens {
		if err := s.about(ctx, token).is("401"); err != nil {
			return err
		}
	}
	return nil
}

// there wants a token to be taken at userinfo.
func (s *subject) there(ctx context.Context, token string) error {
	return s.about(ctx, token).is("200")
}

// leaving asks for a logout by a link.
func (b *browser) leaving(ctx context.Context, pairs ...string) answer {
	separator := "?"
	if strings.Contains(b.metadata.logout, "?") {
		separator = "&"
	}
	return b.visit(ctx, http.MethodGet, b.metadata.logout+separator+form(pairs...), "")
}
