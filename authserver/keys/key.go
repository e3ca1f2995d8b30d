package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tokenwright/tokenwright/resource"
)

// rsaBits: a signature with 3072 takes three times as long, and a key signs
// for months, not for decades.
const rsaBits = 2048

// key is a signing key, ready to sign: parsed, its header encoded.
type key struct {
	resource.Key
	method  jwt.SigningMethod
	private any
	header  string // the first segment of every token it signs
}

// newKey takes a crypto.Signer, or for HS256 the secret as []byte.
func newKey(algorithm, kid string, private any) (key, error) {
	public := private
	if signer, ok := private.(crypto.Signer); ok {
		public = signer.Public()
	}
	header, err := json.Marshal(struct {
		Algorithm string `json:"alg"`
		KID       string `json:"kid"`
		Type      string `json:"typ"`
	}{algorithm, kid, "at+jwt"}) // RFC 9068 §2.1
	if err != nil {
		return key{}, err
	}
	return key{
		Key:     resource.Key{ID: kid, Algorithm: algorithm, Public: public},
		method:  jwt.GetSigningMethod(algorithm),
		private: private,
		header:  base64.RawURLEncoding.EncodeToString(header),
	}, nil
}

// sign writes the JWS compact serialization (RFC 7515 §7.1) of payload.
func (k key) sign(payload []byte) (string, error) {
	signed := k.header + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := k.method.Sign(signed, k.private)
	if err != nil {
		return "", err
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// generate makes a private key for a JWS algorithm.
func generate(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case "RS256":
		return rsa.GenerateKey(rand.Reader, rsaBits)
	}
	return nil, fmt.Errorf("ALGORITHM %q is not known: want ES256, EdDSA, RS256 or HS256", algorithm)
}
