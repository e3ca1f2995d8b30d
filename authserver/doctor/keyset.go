package doctor

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"slices"
)

func keyChecks() []check {
	return []check{
		{"MET-011", "RFC7517 §5; RFC8414", "MUST", "the key set has public keys alone, each with its use and algorithm", []need{keySet}, func(ctx context.Context, s *subject) error {
			a := s.get(ctx, s.metadata.jwks, nil)
			if err := a.is("200"); err != nil {
				return err
			}
			if a.object()["keys"] == nil {
				return a.wrong("no member keys")
			}
			for _, k := range keysOf(a) {
				for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
					if k[private] != nil {
						return a.wrong("a key has the private member %s", private)
					}
				}
				if k["kty"] == "oct" {
					return a.wrong("a key is symmetric")
				}
				if k["kty"] == nil || k["kid"] == nil || k["alg"] == nil || k["use"] != "sig" && k["key_ops"] == nil {
					return a.wrong("a key lacks one of kty, kid, alg, use")
				}
			}
			return nil
		}},
		{"MET-012", "RFC7517 §4.5", "SHOULD", "key ids are unique, and the keys' thumbprints", []need{keySet}, func(ctx context.Context, s *subject) error {
			a := s.get(ctx, s.metadata.jwks, nil)
			var ids []string
			for _, k := range keysOf(a) {
				id := text(k, "kid")
				if slices.Contains(ids, id) {
					return a.wrong("kid %q is there twice", id)
				}
				ids = append(ids, id)
				if want := thumbprint(k); id != want {
					return a.wrong("kid %q is not the thumbprint of RFC 7638, %s", id, want)
				}
			}
			return a.is("200")
		}},
	}
}

// keysOf are the keys of a JWK set.
func keysOf(a answer) []map[string]any {
	list, _ := a.object()["keys"].([]any)
	var keys []map[string]any
	for _, v := range list {
		if k, ok := v.(map[string]any); ok {
			keys = append(keys, k)
		}
	}
	return keys
}

func text(o map[string]any, member string) string {
	s, _ := o[member].(string)
	return s
}

// thumbprint is RFC 7638: the required members alone, in the order of their names,
// which is also how a map is written.
func thumbprint(k map[string]any) string {
	required := map[string][]string{"EC": {"crv", "kty", "x", "y"}, "RSA": {"e", "kty", "n"}, "OKP": {"crv", "kty", "x"}}
	members := map[string]string{}
	for _, m := range required[text(k, "kty")] {
		members[m] = text(k, m)
	}
	written, err := json.Marshal(members)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(written)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// publicKey is a key of a set as Go has it.
func publicKey(k map[string]any) (crypto.PublicKey, error) {
	number := func(member string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(text(k, member))
		if err != nil {
			return nil
		}
		return b
	}
	switch kty, crv := text(k, "kty"), text(k, "crv"); {
	case kty == "RSA":
		return &rsa.PublicKey{N: new(big.Int).SetBytes(number("n")), E: int(new(big.Int).SetBytes(number("e")).Int64())}, nil
	case kty == "EC" && crv == "P-256":
		return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, number("x"), number("y")))
	case kty == "OKP" && crv == "Ed25519":
		return ed25519.PublicKey(number("x")), nil
	default:
		return nil, fmt.Errorf("a key of type %s %s", kty, crv)
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
