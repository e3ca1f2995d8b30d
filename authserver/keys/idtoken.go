package keys

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
)

// SignAs makes a token of the type typ, as the header says it, with a key of
// algorithm, which need not be that of access tokens: an ID token or a logout
// token. payload is a JSON object, signed as it is. A key of that algorithm is made
// when there is none, once in the life of a database; who asked for it waits until
// the other servers have had the time to publish it. While the server runs it is
// followed by others as the key of access tokens is.
func (r *Ring) SignAs(ctx context.Context, algorithm, typ string, payload []byte) (string, error) {
	k, err := r.signingAs(ctx, algorithm)
	if err != nil {
		return "", err
	}
	header, err := json.Marshal(struct {
		Algorithm string `json:"alg"`
		KID       string `json:"kid"`
		Type      string `json:"typ"`
	}{k.Algorithm, k.ID, typ})
	if err != nil {
		return "", fmt.Errorf("write header: %w", err)
	}
	as := *k
	as.header = base64.RawURLEncoding.EncodeToString(header)
	token, err := as.sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	return token, nil
}

// Prepare makes the first key of algorithm, if there is none, before somebody asks
// for a token of it: so that who reads the published keys once, when it starts, has
// it.
func (r *Ring) Prepare(ctx context.Context, algorithm string) error {
	_, err := r.signingAs(ctx, algorithm)
	return err
}

func (r *Ring) signingAs(ctx context.Context, algorithm string) (*key, error) {
	if k := r.set.Load().signingAs(algorithm, time.Now()); k != nil {
		r.others.Store(algorithm, true)
		return k, nil
	}
	r.making.Lock()
	defer r.making.Unlock()
	if r.set.Load().signingAs(algorithm, time.Now()) == nil {
		now := time.Now()
		if _, err := r.add(ctx, r.set.Load().stored, algorithm, now, now, "key.create", "server"); err != nil {
			return nil, err
		}
		if err := r.Reload(ctx); err != nil {
			return nil, err
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
	k := r.set.Load().signingAs(algorithm, time.Now())
	if k == nil {
		return nil, fmt.Errorf("the database has no %s signing key, although one was just stored", algorithm)
	}
	r.others.Store(algorithm, true)
	return k, nil
}

// signingAs is the key of an algorithm that signs; nil if there is none.
func (s *set) signingAs(algorithm string, now time.Time) *key {
	var own []authserver.SealedKey
	for _, k := range s.stored {
		if k.Algorithm == algorithm && s.keys[k.KID] != nil {
			own = append(own, k)
		}
	}
	if signing, ok := choose(own, algorithm, now); ok {
		return s.keys[signing.KID]
	}
	return nil
}

// ErrBadToken says that a token was not made by SignAs, or too long ago.
var ErrBadToken = errors.New("bad token")

// Opened is the payload of a token that SignAs has made as typ, expired or not,
// if its key has left the published set since, then no longer than lifetime ago: an
// ID token that comes back as a hint. A burnt key checks nothing. ErrBadToken.
func (r *Ring) Opened(token, typ string, lifetime time.Duration) ([]byte, error) {
	var payload jwt.MapClaims
	parser := jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithValidMethods([]string{"ES256", "EdDSA", "RS256"}), jwt.WithStrictDecoding())
	_, err := parser.ParseWithClaims(token, &payload, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		k, err := r.signedWith(kid, lifetime)
		if err != nil {
			return nil, err
		}
		if t.Header["typ"] != typ || t.Method.Alg() != k.Algorithm {
			return nil, ErrBadToken
		}
		return k.Public, nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadToken, err)
	}
	_, rest, _ := strings.Cut(token, ".")
	body, _, _ := strings.Cut(rest, ".")
	return base64.RawURLEncoding.DecodeString(body)
}

func (r *Ring) signedWith(kid string, lifetime time.Duration) (resource.Key, error) {
	s := r.set.Load()
	if k, ok := s.keys[kid]; ok {
		return k.Key, nil
	}
	old := find(s.stored, kid)
	if old == nil || old.Burnt() || !time.Now().Before(old.RemoveAt.Add(lifetime)) {
		return resource.Key{}, resource.ErrUnknownKey
	}
	k, err := r.master.open(*old)
	if err != nil {
		return resource.Key{}, err
	}
	return k.Key, nil
}
