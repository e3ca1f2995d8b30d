package resource

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// MaxTokenLength is the length of the longest token that is looked at, in bytes.
// An issuer must make none that is longer.
const MaxTokenLength = 16 << 10

// maxLeeway is how long an entry of what has ended outlives the last token that it
// ends: beyond it a token would be taken again.
const maxLeeway = time.Minute

// VerifierConfig says whose tokens are good and for what.
type VerifierConfig struct {
	// Issuer is compared with iss byte by byte.
	Issuer string
	// Audience is the identifier of this resource; it has to be among aud.
	Audience string
	// AnyAudience takes tokens for every resource: an issuer looks at its own so.
	// A resource server that sets it takes tokens that were meant for others.
	AnyAudience bool
	Keys        KeySource
	Ended       *Ended
	// Leeway is how far the clocks may differ when exp and nbf are looked at;
	// 0 is 30 s, and a minute is the most.
	Leeway time.Duration
	// Verified hears of each token, if it is not nil; see Hooks.
	Verified func(err error, cached bool)
}

// Verifier decides whether an access token is good here and now (RFC 9068 §4).
// It may be used concurrently.
type Verifier struct {
	keys     KeySource
	ended    *Ended
	parser   *jwt.Parser
	verified func(err error, cached bool)
	cache    cache
}

// NewVerifier returns an error that names what c lacks.
func NewVerifier(c VerifierConfig) (*Verifier, error) {
	switch {
	case c.Issuer == "":
		return nil, errors.New("verifier needs an Issuer")
	case (c.Audience == "") != c.AnyAudience:
		return nil, errors.New("verifier needs an Audience, or AnyAudience instead")
	case c.Keys == nil:
		return nil, errors.New("verifier needs Keys")
	case c.Ended == nil:
		return nil, errors.New("verifier needs Ended; without a feed, give it a NewEnded that is Ready")
	case c.Leeway < 0 || c.Leeway > maxLeeway:
		return nil, fmt.Errorf("verifier needs a Leeway from 0 to %v", maxLeeway)
	case c.Leeway == 0:
		c.Leeway = 30 * time.Second
	}
	options := []jwt.ParserOption{
		jwt.WithValidMethods([]string{"ES256", "EdDSA", "RS256", "HS256"}),
		jwt.WithStrictDecoding(),
		jwt.WithLeeway(c.Leeway),
		jwt.WithExpirationRequired(),
		jwt.WithIssuer(c.Issuer),
	}
	if !c.AnyAudience {
		options = append(options, jwt.WithAudience(c.Audience))
	}
	return &Verifier{keys: c.Keys, ended: c.Ended, parser: jwt.NewParser(options...), verified: c.Verified}, nil
}

// Verify returns the claims of a good token. They are shared with other
// requests and must not be changed. A token that is not good gives a
// *TokenError, and every other error wraps ErrUnavailable: nobody can tell.
//
// A token is verified in full once and then remembered until it expires; that
// its key is still the issuer's and that it has not ended is looked at each time.
func (v *Verifier) Verify(ctx context.Context, token string) (*Claims, error) {
	claims, cached, err := v.decide(ctx, token)
	if v.verified != nil {
		v.verified(err, cached)
	}
	return claims, err
}

func (v *Verifier) decide(ctx context.Context, token string) (claims *Claims, cached bool, err error) {
	if len(token) > MaxTokenLength {
		return nil, false, invalidToken(errors.New("token is too long"))
	}
	now := time.Now()
	t, cached, err := v.lookUp(ctx, token, now.Unix())
	if err != nil {
		return nil, cached, err
	}
	reason, ended, err := v.ended.check(t.claims, t.key.ID, now)
	if err != nil {
		return nil, cached, fmt.Errorf("look for revocation: %w", err)
	}
	if ended {
		refused := invalidToken(fmt.Errorf("token has ended: %s", reason))
		if reason == ReasonUserDisabled {
			refused.Detail = "Inactive user"
		}
		return nil, cached, refused
	}
	return t.claims, cached, nil
}

// lookUp finds a token in the cache or verifies it.
func (v *Verifier) lookUp(ctx context.Context, token string, now int64) (t *verified, cached bool, err error) {
	var onStack [2048]byte // tokens of usual length are hashed without allocation
	d := sha256.Sum256(append(onStack[:0], token...))
	if t := v.cache.find(d, now); t != nil {
		if key, err := v.keys.Key(ctx, t.key.ID); err == nil && key.same(t.key) {
			return t, true, nil
		}
	}
	if t, err = v.verify(ctx, token); err != nil {
		return nil, false, err
	}
	t.digest = d
	v.cache.keep(t, now)
	return t, false, nil
}

// verify does all that depends on nothing but the token, the keys and the clock.
func (v *Verifier) verify(ctx context.Context, token string) (*verified, error) {
	if !compact(token) {
		return nil, invalidToken(errors.New("not a JWS in compact serialisation"))
	}
	var (
		set     claimSet
		key     Key
		findKey error
		_, err  = v.parser.ParseWithClaims(token, &set, func(t *jwt.Token) (any, error) {
			key, findKey = v.keyOf(ctx, t)
			return key.Public, findKey
		})
	)
	if errors.Is(findKey, ErrUnavailable) {
		return nil, findKey
	}
	if err != nil {
		return nil, invalidToken(err)
	}
	if !key.Until.IsZero() && set.IssuedAt >= key.Until.Unix() {
		return nil, invalidToken(errors.New("issued when its key had been replaced"))
	}
	return &verified{claims: &set.Claims, key: key}, nil
}

// keyOf reads the header again, strictly, and finds the key that it names. An
// error that does not wrap ErrUnavailable is the token's fault.
func (v *Verifier) keyOf(ctx context.Context, t *jwt.Token) (Key, error) {
	segment, _, _ := strings.Cut(t.Raw, ".")
	object, err := v.parser.DecodeSegment(segment)
	if err != nil {
		return Key{}, err
	}
	h, err := parseHeader(object)
	if err != nil {
		return Key{}, err
	}
	key, err := v.keys.Key(ctx, h.kid)
	switch {
	case errors.Is(err, ErrUnknownKey):
		return Key{}, ErrUnknownKey
	case err != nil:
		return Key{}, fmt.Errorf("find key: %w", errors.Join(ErrUnavailable, err))
	case key.Algorithm != h.algorithm:
		return Key{}, errors.New("alg is not that of the key") // RFC 8725 §3.1
	}
	return key, nil
}

// compact looks at the alphabet, because encoding/base64 skips line breaks.
func compact(token string) bool {
	for _, c := range []byte(token) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// claimSet shows Claims to golang-jwt.
type claimSet struct{ Claims }

func (s *claimSet) GetExpirationTime() (*jwt.NumericDate, error) { return date(s.ExpiresAt), nil }
func (s *claimSet) GetIssuedAt() (*jwt.NumericDate, error)       { return date(s.IssuedAt), nil }
func (s *claimSet) GetNotBefore() (*jwt.NumericDate, error)      { return date(s.NotBefore), nil }
func (s *claimSet) GetIssuer() (string, error)                   { return s.Issuer, nil }
func (s *claimSet) GetSubject() (string, error)                  { return s.Subject, nil }
func (s *claimSet) GetAudience() (jwt.ClaimStrings, error)       { return s.Audience, nil }

func date(seconds int64) *jwt.NumericDate { return jwt.NewNumericDate(time.Unix(seconds, 0)) }
