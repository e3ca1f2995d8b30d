package resource_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/tokenwright/tokenwright/resource/resourcetest"
)

func TestVerifyHeaders(t *testing.T) {
	f := newFixture(t, "ES256")
	var seen atomic.Int32
	listener := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }))
	defer listener.Close()
	attacker := resourcetest.New(t).AddKey("key-1", "ES256")

	for _, tc := range []struct {
		name   string
		member string
		value  any // nil takes the member away
		key    *resourcetest.Key
		good   bool
	}{
		{"RSV-015 typ=JWT", "typ", "JWT", f.key, false},
		{"RSV-015 typ missing", "typ", nil, f.key, false},
		{"RSV-015 typ=logout+jwt", "typ", "logout+jwt", f.key, false},
		{"RSV-015 typ=secevent+jwt", "typ", "secevent+jwt", f.key, false},
		{"RSV-015 typ=application/at+jwt", "typ", "application/at+jwt", f.key, true},
		{"RSV-015 typ=AT+JWT", "typ", "AT+JWT", f.key, true},
		{"RSV-015 typ as an array", "typ", []string{"at+jwt"}, f.key, false},
		{"RSV-016 alg=none over a good signature", "alg", "none", f.key, false},
		{"alg missing", "alg", nil, f.key, false},
		{"alg as a number", "alg", 256, f.key, false},
		{"RSV-018 alg=ES512", "alg", "ES512", f.key, false},
		{"RSV-018 alg=RS256", "alg", "RS256", f.key, false},
		{"RSV-019 jwk", "jwk", map[string]string{"kty": "EC"}, attacker, false},
		{"RSV-019 jku", "jku", listener.URL, attacker, false},
		{"RSV-019 x5u", "x5u", listener.URL, attacker, false},
		{"RSV-019 x5c", "x5c", []string{"MIIB"}, attacker, false},
		{"RSV-019 jku over a good signature", "jku", listener.URL, f.key, false},
		{"RSV-020 kid is a path", "kid", "../../etc/passwd", f.key, false},
		{"RSV-020 kid is SQL", "kid", "' OR 1=1--", f.key, false},
		{"RSV-020 kid of 10 KiB", "kid", strings.Repeat("k", 10<<10), f.key, false},
		{"RSV-020 kid missing", "kid", nil, f.key, false},
		{"RSV-020 kid as a number", "kid", 1, f.key, false},
		{"RSV-021 crit b64", "crit", []string{"b64"}, f.key, false},
		{"RSV-021 crit unknown", "crit", []string{"x"}, f.key, false},
		{"RSV-021 crit empty", "crit", []string{}, f.key, false},
		{"RSV-043 CRIT", "CRIT", []string{"x"}, f.key, false},
		{"a kid that is another's", "", nil, attacker, false},
		{"an unknown member", "x", 1, f.key, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header := f.key.Header()
			header[tc.member] = tc.value
			if tc.value == nil {
				delete(header, tc.member)
			}
			err := f.verify(t, f.Sign(tc.key, header, marshal(t, f.User("alice", "admin"))))
			if tc.good {
				wantGood(t, err)
			} else {
				wantInvalid(t, err)
			}
		})
	}
	if seen.Load() != 0 {
		t.Errorf("RSV-019 the listener saw %d requests", seen.Load())
	}
}

func TestVerifyHeaderText(t *testing.T) {
	f := newFixture(t, "ES256")
	payload := marshal(t, f.User("alice", "user"))
	for _, header := range []string{
		`{"alg":"ES256","alg":"ES256","typ":"at+jwt","kid":"key-1"}`,
		`{"alg":"none","typ":"at+jwt","kid":"key-1","alg":"ES256"}`,
		`{"alg":"ES256","typ":"JWT","typ":"at+jwt","kid":"key-1"}`,
		`{"alg":"ES256","typ":"at+jwt","kid":"key-1","x":"` + "\xff" + `"}`,
		`null`, `[]`, `"x"`, ``, `{`,
	} {
		t.Run("RSV-043 "+header, func(t *testing.T) {
			wantInvalid(t, f.verify(t, f.SignRaw("ES256", f.key.Private, []byte(header), payload)))
		})
	}
}

func TestVerifyUnsigned(t *testing.T) {
	f := newFixture(t, "ES256")
	payload := marshal(t, f.User("alice", "admin"))
	for _, algorithm := range []string{"none", "None", "nOnE", "NONE", "ES256", ""} {
		t.Run("RSV-016 no signature, alg="+algorithm, func(t *testing.T) {
			header := f.key.Header()
			header["alg"] = algorithm
			token := f.SignRaw("none", jwt.UnsafeAllowNoneSignatureType, marshal(t, header), payload)
			wantInvalid(t, f.verify(t, token))
			delete(header, "kid")
			token = f.SignRaw("none", jwt.UnsafeAllowNoneSignatureType, marshal(t, header), payload)
			wantInvalid(t, f.verify(t, token))
		})
	}
}

func TestVerifyConfusedAlgorithms(t *testing.T) {
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		f := newFixture(t, algorithm)
		der, err := x509.MarshalPKIXPublicKey(f.key.Public)
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		secrets := map[string][]byte{
			"PEM": text, "trimmed PEM": []byte(strings.TrimSpace(string(text))), "DER": der, "empty": {},
		}
		if public, ok := f.key.Public.(*rsa.PublicKey); ok {
			secrets["PKCS #1 DER"] = x509.MarshalPKCS1PublicKey(public)
			secrets["JWK"] = marshal(t, map[string]string{
				"kty": "RSA", "kid": "key-1", "alg": "RS256",
				"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
				"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
			})
		}
		header := marshal(t, map[string]any{"typ": "at+jwt", "alg": "HS256", "kid": "key-1"})
		payload := marshal(t, f.User("alice", "admin"))
		for name, secret := range secrets {
			t.Run("RSV-017 HS256 with the "+algorithm+" key as "+name, func(t *testing.T) {
				wantInvalid(t, f.verify(t, f.SignRaw("HS256", secret, header, payload)))
			})
		}
	}

	f := newFixture(t, "RS256")
	for _, other := range []string{"RS384", "RS512", "PS256"} {
		t.Run("RSV-018 "+other+" under an RS256 key", func(t *testing.T) {
			header := marshal(t, map[string]any{"typ": "at+jwt", "alg": other, "kid": "key-1"})
			wantInvalid(t, f.verify(t, f.SignRaw(other, f.key.Private, header, marshal(t, f.User("alice", "admin")))))
		})
	}
}

func TestVerifyForm(t *testing.T) {
	f := newFixture(t, "ES256")
	good := f.alice("user")
	wantGood(t, f.verify(t, good))
	p := strings.Split(good, ".")
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := good[len(good)-1]
	nonCanonical := good[:len(good)-1] + string(alphabet[strings.IndexByte(alphabet, last)+1])
	for name, token := range map[string]string{
		"nothing":                          "",
		"two segments":                     p[0] + "." + p[1],
		"four segments":                    good + ".x",
		"five segments, as a JWE":          p[0] + "." + p[1] + "." + p[2] + ".x.y",
		"three empty segments":             "..",
		"detached payload":                 p[0] + ".." + p[2],
		"JSON serialisation":               `{"payload":"` + p[1] + `","protected":"` + p[0] + `","signature":"` + p[2] + `"}`,
		"padding":                          good + "=",
		"padded header":                    p[0] + "=." + p[1] + "." + p[2],
		"a space in front":                 " " + good,
		"a space after":                    good + " ",
		"a line break after":               good + "\n",
		"a line break inside":              p[0] + ".\r\n" + p[1] + "." + p[2],
		"a line break inside a segment":    good[:10] + "\n" + good[10:],
		"NUL":                              good + "\x00",
		"a non-canonical last character":   nonCanonical,
		"the alphabet of base64":           p[0] + "." + p[1] + "." + strings.NewReplacer("-", "+", "_", "/").Replace(p[2] + "-")[:len(p[2])-1] + "+",
		"RSV-026 64 KiB":                   strings.Repeat("a", 64<<10),
		"RSV-026 64 KiB after a good one":  good + strings.Repeat("a", 64<<10),
		"RSV-026 16 KiB of points":         strings.Repeat(".", 16<<10),
		"RSV-024 another token's payload":  p[0] + "." + strings.Split(f.Token(f.key, f.User("mallory", "admin")), ".")[1] + "." + p[2],
		"RSV-024 another token's header":   p[0][:len(p[0])-2] + "fQ." + p[1] + "." + p[2],
		"signature in front":               p[2] + "." + p[0] + "." + p[1],
		"signature cut":                    good[:len(good)-4],
		"signature twice":                  good + p[2],
		"a signature of zeros (r = s = 0)": p[0] + "." + p[1] + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64)),
	} {
		t.Run("RSV-022 "+name, func(t *testing.T) {
			start := time.Now()
			wantInvalid(t, f.verify(t, token))
			if took := time.Since(start); took > 50*time.Millisecond {
				t.Errorf("RSV-026 took %v", took)
			}
		})
	}
}

func TestVerifyMutations(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run("RSV-024 each byte of the signature, "+algorithm, func(t *testing.T) {
			f := newFixture(t, algorithm)
			good := f.alice("user")
			text, signature := good[:strings.LastIndex(good, ".")+1], good[strings.LastIndex(good, ".")+1:]
			raw, err := base64.RawURLEncoding.DecodeString(signature)
			if err != nil {
				t.Fatal(err)
			}
			for i := range raw {
				raw[i] ^= 1
				_, err := f.verifier.Verify(t.Context(), text+base64.RawURLEncoding.EncodeToString(raw))
				wantInvalid(t, err)
				raw[i] ^= 1
			}
		})
	}
	t.Run("RSV-024 10000 random mutations", func(t *testing.T) {
		f := newFixture(t, "ES256")
		good := f.alice("user")
		random := rand.New(rand.NewPCG(1, 2))
		for range 10_000 {
			mutant := mutate(random, good)
			_, err := f.verifier.Verify(t.Context(), mutant)
			if mutant == good {
				wantGood(t, err)
				continue
			}
			wantInvalid(t, err)
		}
	})
}

// mutate changes, removes, adds or moves a few characters.
func mutate(random *rand.Rand, token string) string {
	b := []byte(token)
	const characters = "ABCXYZabcxyz0189-_.=+/ \n\x00\xff"
	for range 1 + random.IntN(3) {
		at := random.IntN(len(b))
		c := characters[random.IntN(len(characters))]
		switch random.IntN(4) {
		case 0:
			b[at] = c
		case 1:
			b = append(b[:at], b[at+1:]...)
		case 2:
			b = append(b[:at], append([]byte{c}, b[at:]...)...)
		case 3:
			other := random.IntN(len(b))
			b[at], b[other] = b[other], b[at]
		}
	}
	return string(b)
}

func FuzzVerify(f *testing.F) {
	fx := newFixture(f, "ES256")
	good := fx.alice("user")
	for _, seed := range []string{
		good, "", "..", good + "=", good[:len(good)-1],
		fx.Sign(fx.key, map[string]any{"alg": "none"}, []byte(`{}`)),
		fx.Sign(fx.key, fx.key.Header(), []byte(`{"exp":1e400,"EXP":1,"a":{"b":[{}]}}`)),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		_, err := fx.verifier.Verify(t.Context(), token)
		if err == nil && token != good {
			// s may be negated in an ECDSA signature, which forges nothing.
			if token[:strings.LastIndex(token, ".")] != good[:strings.LastIndex(good, ".")] {
				t.Fatalf("accepted %q", token)
			}
			return
		}
		if err != nil {
			wantInvalid(t, err)
		}
	})
}

func FuzzParseClaims(f *testing.F) {
	f.Add([]byte(`{"iss":"i","sub":"s","aud":["a"],"client_id":"c","iat":1,"exp":2,"jti":"j"}`))
	f.Add([]byte(`{"a":[{"b":{}}],"a":1}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := parse(payload)
		if err != nil {
			return
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parse(again); err != nil {
			t.Fatalf("%s became %s: %v", payload, again, err)
		}
	})
}
