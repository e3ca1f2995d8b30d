package keys

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"testing"
)

// TestThumbprints has the examples of RFC 7638 §3.1 and RFC 8037 A.3.
func TestThumbprints(t *testing.T) {
	t.Parallel()
	n, err := base64.RawURLEncoding.DecodeString("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs" +
		"tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI" +
		"SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw")
	if err != nil {
		t.Fatal(err)
	}
	x, err := hex.DecodeString("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		public any
		want   string
	}{
		{"MET-012 an RSA key's", &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
		{"MET-012 an Ed25519 key's", ed25519.PublicKey(x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			j, err := newJWK(tc.public)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := j.thumbprint(); err != nil || got != tc.want {
				t.Errorf("got %q, %v, want %q", got, err, tc.want)
			}
		})
	}
}

func TestSealsDifferEachTime(t *testing.T) {
	t.Parallel()
	m, err := NewMaster("BqWcVsCVyXrj0b8zZ0ld0gb5tcXKqMKdvE2oO5Xv1Vg")
	if err != nil {
		t.Fatal(err)
	}
	der := []byte("the private half")
	one, two := m.seal(der, "kid", "ES256"), m.seal(der, "kid", "ES256")
	if bytes.Equal(one, two) || bytes.Contains(one, der) {
		t.Error("one nonce for two seals, or no encryption")
	}
	if got, err := m.unseal(one, "kid", "ES256"); err != nil || !bytes.Equal(got, der) {
		t.Errorf("got %q, %v", got, err)
	}
}
