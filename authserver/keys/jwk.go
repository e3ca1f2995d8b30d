package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
)

// jwk is the public half of a key (RFC 7517). It has no member for anything
// that is secret.
type jwk struct {
	// Those that a thumbprint is of, in lexicographic order (RFC 7638 §3.2).
	Curve    string `json:"crv,omitempty"`
	Exponent string `json:"e,omitempty"`
	Type     string `json:"kty"`
	Modulus  string `json:"n,omitempty"`
	X        string `json:"x,omitempty"`
	Y        string `json:"y,omitempty"`

	Algorithm string `json:"alg,omitempty"`
	ID        string `json:"kid,omitempty"`
	Use       string `json:"use,omitempty"`
}

// newJWK fills in what a thumbprint is of.
func newJWK(public crypto.PublicKey) (jwk, error) {
	encode := base64.RawURLEncoding.EncodeToString
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		point, err := p.Bytes() // 4, then both coordinates in full length
		if err != nil {
			return jwk{}, err
		}
		half := len(point) / 2
		return jwk{Type: "EC", Curve: p.Params().Name, X: encode(point[1 : 1+half]), Y: encode(point[1+half:])}, nil
	case ed25519.PublicKey:
		return jwk{Type: "OKP", Curve: "Ed25519", X: encode(p)}, nil // RFC 8037 §2
	case *rsa.PublicKey:
		return jwk{Type: "RSA", Modulus: encode(p.N.Bytes()), Exponent: encode(big.NewInt(int64(p.E)).Bytes())}, nil
	}
	return jwk{}, fmt.Errorf("no JWK of a %T", public)
}

// thumbprint is the key's id (RFC 7638). j is as newJWK made it.
func (j jwk) thumbprint() (string, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}
