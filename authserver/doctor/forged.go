package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// forgedChecks present tokens to the API that the issuer did not sign. All have
// the claims of one that it did.
func forgedChecks() []check {
	user := []need{login, readable, api}
	return []check{
		{"RSV-016", "RFC8725 §3.1/§2.1", "MUST", "a token without a signature is refused", user, func(ctx context.Context, s *subject) error {
			return s.forge(ctx, func(header map[string]any, claims string) map[string]string {
				forged := map[string]string{}
				for _, alg := range []string{"none", "None", "nOnE", text(header, "alg")} {
					forged["alg "+alg] = head(header, "alg", alg) + "." + claims + "."
				}
				return forged
			})
		}},
		{"RSV-017", "RFC8725 §2.1; CVE-2024-33663 class", "MUST", "a public key is no HMAC secret", append(user, keySet), publicAsSecret},
		{"RSV-019", "RFC8725 §3.10; ASVS 9.1.3", "MUST", "a key that the token brings along is not used, nor fetched", user, broughtAlong},
		{"RSV-020", "RFC8725 §3.10", "MUST", "a strange kid is refused and looked up nowhere", user, func(ctx context.Context, s *subject) error {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				return err
			}
			return s.forge(ctx, func(header map[string]any, claims string) map[string]string {
				forged := map[string]string{"no kid": sign(key, head(header, "alg", "ES256", "kid", nil), claims)}
				for _, kid := range []string{"../../etc/passwd", "' OR 1=1--", "", strings.Repeat("k", 2<<10)} {
					forged["kid "+kid[:min(len(kid), 16)]] = sign(key, head(header, "alg", "ES256", "kid", kid), claims)
				}
				return forged
			})
		}},
		{"RSV-022", "RFC8725bis §3.13/token format", "MUST", "a token in any other form is refused", user, func(ctx context.Context, s *subject) error {
			l, err := s.login(ctx, s.app)
			if err != nil {
				return err
			}
			p := strings.Split(l.access, ".")
			forms := map[string]string{
				"2 segments": p[0] + "." + p[1], "4 segments": l.access + ".x", "5 segments": l.access + ".x.x",
				"JSON":    `{"protected":"` + p[0] + `","payload":"` + p[1] + `","signature":"` + p[2] + `"}`,
				"padding": l.access + "=", "a space inside": p[0] + ". " + p[1] + "." + p[2],
			}
			if loose := nonCanonical(p[2]); loose != "" {
				forms["a last letter with bits to spare"] = p[0] + "." + p[1] + "." + loose
			}
			return s.refused(ctx, forms)
		}},
		{"RSV-024", "RFC8725 §3.3", "MUST", "a token with any letter changed is refused", user, func(ctx context.Context, s *subject) error {
			one, err1 := s.login(ctx, s.app)
			two, err2 := s.login(ctx, s.app)
			if err := first(err1, err2); err != nil {
				return err
			}
			p, q := strings.Split(one.access, "."), strings.Split(two.access, ".")
			changed := map[string]string{"another's claims": p[0] + "." + q[1] + "." + p[2]}
			for at := 0; at < len(p[2])-1; at += 4 { // the last letter has bits to spare
				changed[fmt.Sprintf("letter %d of the signature", at)] = p[0] + "." + p[1] + "." + flip(p[2], at)
			}
			return s.refused(ctx, changed)
		}},
	}
}

// forge wants the API to take a token and none of those that are made from it.
func (s *subject) forge(ctx context.Context, from func(header map[string]any, claims string) map[string]string) error {
	l, err := s.login(ctx, s.app)
	if err != nil {
		return err
	}
	if err := s.api(ctx, l.access).is("200"); err != nil {
		return fmt.Errorf("the token itself: %w", err)
	}
	return s.refused(ctx, from(decode(l.access, 0), strings.Split(l.access, ".")[1]))
}

// refused wants the API to refuse tokens, which have names.
func (s *subject) refused(ctx context.Context, tokens map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(tokens)) {
		if err := s.api(ctx, tokens[name]).is("401", "400"); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func publicAsSecret(ctx context.Context, s *subject) error {
	keys := keysOf(s.get(ctx, s.metadata.jwks, nil))
	if len(keys) == 0 {
		return &unmet{"the key set is empty"}
	}
	return s.forge(ctx, func(header map[string]any, claims string) map[string]string {
		forged := map[string]string{}
		for i, k := range keys {
			written, err := json.Marshal(k)
			if err != nil {
				continue
			}
			secrets := map[string][]byte{"JWK": written}
			if public, err := publicKey(k); err == nil {
				if der, err := x509.MarshalPKIXPublicKey(public); err == nil {
					secrets["DER"] = der
					secrets["PEM"] = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
				}
			}
			for form, secret := range secrets {
				signed := head(header, "alg", "HS256", "kid", k["kid"]) + "." + claims
				mac := hmac.New(sha256.New, secret)
				mac.Write([]byte(signed))
				forged[fmt.Sprintf("key %d as %s", i+1, form)] = signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
			}
		}
		return forged
	})
}

// broughtAlong offers a key of its own in the token, or at an address where it
// listens: that sees only an API on this machine, or one that can reach it.
func broughtAlong(ctx context.Context, s *subject) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return err
	}
	jwk := map[string]any{
		"kty": "EC", "crv": "P-256", "kid": "brought", "use": "sig", "alg": "ES256",
		"x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:]),
	}
	set, err := json.Marshal(map[string]any{"keys": []any{jwk}})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var fetched atomic.Bool
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetched.Store(true)
		w.Write(set)
	})}
	go server.Serve(l)
	defer server.Close()
	address := "http://" + l.Addr().String() + "/keys"
	err = s.forge(ctx, func(header map[string]any, claims string) map[string]string {
		return map[string]string{
			"jwk": sign(key, head(header, "alg", "ES256", "kid", "brought", "jwk", jwk), claims),
			"jku": sign(key, head(header, "alg", "ES256", "kid", "brought", "jku", address), claims),
			"x5u": sign(key, head(header, "alg", "ES256", "kid", "brought", "x5u", address), claims),
		}
	})
	if err == nil && fetched.Load() {
		err = fmt.Errorf("the API fetched a key from where the token said")
	}
	return err
}

// head is a header with members changed, or left out where nil; encoded.
func head(header map[string]any, pairs ...any) string {
	h := maps.Clone(header)
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		h[name] = pairs[i+1]
		if pairs[i+1] == nil {
			delete(h, name)
		}
	}
	written, err := json.Marshal(h)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(written)
}

// sign makes an ES256 token.
func sign(key *ecdsa.PrivateKey, header, claims string) string {
	digest := sha256.Sum256([]byte(header + "." + claims))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return ""
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return header + "." + claims + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// nonCanonical is base64url of the same bytes with a bit set that stands for
// nothing; empty if each bit stands for something.
func nonCanonical(encoded string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(encoded)%4 == 0 {
		return ""
	}
	last := strings.IndexByte(alphabet, encoded[len(encoded)-1])
	return encoded[:len(encoded)-1] + string(alphabet[last|1])
}
