package resource

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

var jwkNames = []string{"kty", "use", "key_ops", "alg", "kid", "crv", "x", "y", "n", "e"}

// privateMembers are halves that nobody publishes on purpose (RFC 7518 §6).
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// parseJWKS reads a JWK Set (RFC 7517 §5) and returns the keys that can be used
// here. A set without any is an error, lest a wrong answer of some proxy make
// every token a bad one; skipped says why the others are left out.
func parseJWKS(document []byte) (keys map[string]Key, skipped []error, err error) {
	m, err := members(document, []string{"keys"})
	if err != nil {
		return nil, nil, fmt.Errorf("JWKS: %w", err)
	}
	var set []json.RawMessage
	if err := json.Unmarshal(m["keys"], &set); err != nil {
		return nil, nil, errors.New("JWKS: keys is not an array")
	}
	keys = map[string]Key{}
	for i, raw := range set {
		key, err := parseJWK(raw)
		if _, twice := keys[key.ID]; err == nil && twice {
			err = errors.New("its kid is that of an earlier one")
		}
		if err != nil {
			skipped = append(skipped, fmt.Errorf("key %d of the JWKS: %w", i+1, err))
			continue
		}
		keys[key.ID] = key
	}
	if len(keys) == 0 {
		return nil, skipped, errors.New("JWKS has no key for ES256, EdDSA or RS256 signatures")
	}
	return keys, skipped, nil
}

func parseJWK(raw []byte) (Key, error) {
	m, err := members(raw, jwkNames)
	if err != nil {
		return Key{}, err
	}
	for _, name := range privateMembers {
		if _, ok := m[name]; ok {
			return Key{}, fmt.Errorf("it has %s, a secret", name)
		}
	}
	j := jwk{members: m}
	if use, ok := m["use"]; ok && !bytes.Equal(use, []byte(`"sig"`)) {
		return Key{}, errors.New("use is not sig")
	}
	if operations, ok := m["key_ops"]; ok && !bytes.Contains(operations, []byte(`"verify"`)) {
		return Key{}, errors.New("key_ops has no verify")
	}
	key := Key{ID: j.text("kid")}
	if key.ID == "" || len(key.ID) > maxKID {
		return Key{}, errors.New("kid is missing or too long")
	}
	switch kty := j.text("kty"); kty {
	case "EC":
		key.Algorithm, key.Public, err = j.ec()
	case "OKP":
		key.Algorithm, key.Public, err = j.okp()
	case "RSA":
		key.Algorithm, key.Public, err = j.rsa()
	default:
		return Key{}, fmt.Errorf("kty is %.20q", kty)
	}
	if err != nil {
		return Key{}, err
	}
	if _, ok := m["alg"]; ok && j.text("alg") != key.Algorithm {
		return Key{}, fmt.Errorf("alg is not %s", key.Algorithm)
	}
	return key, nil
}

// jwk is one key of a set, whose numbers are base64url (RFC 7518 §6).
type jwk struct{ members map[string]json.RawMessage }

func (j jwk) text(name string) string {
	raw, ok := j.members[name]
	if !ok {
		return ""
	}
	s, _ := text(raw)
	return s
}

func (j jwk) bytes(name string) []byte {
	b, err := base64.RawURLEncoding.Strict().DecodeString(j.text(name))
	if err != nil {
		return nil
	}
	return b
}

func (j jwk) ec() (string, any, error) {
	x, y := j.bytes("x"), j.bytes("y")
	if j.text("crv") != "P-256" || len(x) != 32 || len(y) != 32 {
		return "", nil, errors.New("not a point of P-256")
	}
	p, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
	if err != nil {
		return "", nil, errors.New("not a point of P-256")
	}
	return "ES256", p, nil
}

func (j jwk) okp() (string, any, error) {
	x := j.bytes("x")
	if j.text("crv") != "Ed25519" || len(x) != ed25519.PublicKeySize {
		return "", nil, errors.New("not an Ed25519 key")
	}
	return "EdDSA", ed25519.PublicKey(x), nil
}

// rsa takes keys that RFC 7518 §3.3 allows, and none so large that a signature
// would take long.
func (j jwk) rsa() (string, any, error) {
	n, e := new(big.Int).SetBytes(j.bytes("n")), new(big.Int).SetBytes(j.bytes("e"))
	if n.BitLen() < 2048 || n.BitLen() > 8192 || n.Bit(0) == 0 {
		return "", nil, errors.New("not an RSA key of 2048 to 8192 bits")
	}
	if e.BitLen() < 2 || e.BitLen() > 31 || e.Bit(0) == 0 {
		return "", nil, errors.New("not an exponent of an RSA key")
	}
	return "RS256", &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}
