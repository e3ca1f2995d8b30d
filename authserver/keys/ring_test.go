package keys_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/resource"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var algorithms = []string{"ES256", "EdDSA", "RS256", "HS256"}

const audience = "http://127.0.0.1:8000/api"

func store(t testing.TB) *sqlstore.DB { return storeAt(t, filepath.Join(t.TempDir(), "test.db")) }

func storeAt(t testing.TB, path string) *sqlstore.DB {
	t.Helper()
	d, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

func ring(t testing.TB, s keys.Store, m *keys.Master, algorithm string) *keys.Ring {
	t.Helper()
	r, err := keys.Open(t.Context(), s, m, algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func claims() resource.Claims {
	now := time.Now().Unix()
	return resource.Claims{
		Issuer: "http://127.0.0.1:8000", Subject: "0f2f4a52-8d5e-4c57-9c0e-0d8a1b2c3d4e",
		Audience: []string{audience}, ClientID: "demo-app",
		IssuedAt: now, ExpiresAt: now + 1800, ID: "6Zl0Jt9SW3yxHkz2m1o0Pg", Scope: "read profile",
		Roles: []string{"user"}, SessionID: "AAECAwQFBgcICQoLDA0ODw", UserID: 2, Username: "testuser", Name: "Test User",
	}
}

func sign(t testing.TB, r *keys.Ring, c resource.Claims) string {
	t.Helper()
	token, err := r.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func verify(t *testing.T, r *keys.Ring, token string) (*resource.Claims, error) {
	t.Helper()
	ended := resource.NewEnded()
	ended.Ready()
	v, err := resource.NewVerifier(resource.VerifierConfig{
		Issuer: "http://127.0.0.1:8000", Audience: audience, Keys: r, Ended: ended,
	})
	if err != nil {
		t.Fatal(err)
	}
	return v.Verify(t.Context(), token)
}

// segment decodes the i-th part of a token into v.
func segment(t *testing.T, token string, i int, v any) []byte {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
	return text
}

func kids(t *testing.T, jwks []byte) (ids []string) {
	t.Helper()
	var set struct {
		Keys []struct{ KID string }
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		t.Fatal(err)
	}
	for _, k := range set.Keys {
		ids = append(ids, k.KID)
	}
	return ids
}

func TestTokens(t *testing.T) {
	t.Parallel()
	for _, algorithm := range algorithms {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			r := ring(t, store(t), master(t, secretOne), algorithm)
			token := sign(t, r, claims())

			t.Run("JWT-001 the header says at+jwt, the algorithm and a published key", func(t *testing.T) {
				var header map[string]string
				segment(t, token, 0, &header)
				published := kids(t, r.JWKS())
				if algorithm == "HS256" {
					published = []string{header["kid"]}
				}
				if len(published) != 1 || header["kid"] == "" {
					t.Fatalf("header %v, published %v", header, published)
				}
				want := map[string]string{"typ": "at+jwt", "alg": algorithm, "kid": published[0]}
				if diff := cmp.Diff(want, header); diff != "" {
					t.Error(diff)
				}
			})
			t.Run("JWT-002 JWT-003 JWT-004 JWT-005 JWT-006 the resource server reads what was signed", func(t *testing.T) {
				got, err := verify(t, r, token)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(claims(), *got); diff != "" {
					t.Error(diff)
				}
			})
			t.Run("JWT-008 two tokens of one second differ by their jti", func(t *testing.T) {
				other := claims()
				other.ID = "another"
				if sign(t, r, other) == token {
					t.Error("one string for two tokens")
				}
			})
			t.Run("another ring's tokens are refused", func(t *testing.T) {
				stranger := ring(t, store(t), master(t, secretTwo), algorithm)
				if _, err := verify(t, r, sign(t, stranger, claims())); err == nil {
					t.Error("accepted")
				}
			})
		})
	}
}

// TestGoldenToken holds the wire format: header and claims of a user's and of
// a client's own token.
func TestGoldenToken(t *testing.T) {
	t.Parallel()
	r := ring(t, store(t), master(t, secretOne), "HS256")
	user := claims()
	user.IssuedAt, user.ExpiresAt = 1767225600, 1767227400
	own := resource.Claims{
		Issuer: user.Issuer, Subject: "demo-service", Audience: []string{audience, "https://api.example.test"}, ClientID: "demo-service",
		IssuedAt: user.IssuedAt, ExpiresAt: user.ExpiresAt, ID: user.ID, Scope: "read",
	}
	var got bytes.Buffer
	for _, c := range []resource.Claims{user, own} {
		token := sign(t, r, c)
		for i := range 2 {
			var v map[string]any
			if err := json.Indent(&got, segment(t, token, i, &v), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
		}
	}
	const golden = "testdata/token.json"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Error(diff)
	}
}

func TestJWKS(t *testing.T) {
	t.Parallel()
	for algorithm, members := range map[string][]string{
		"ES256": {"alg", "crv", "kid", "kty", "use", "x", "y"},
		"EdDSA": {"alg", "crv", "kid", "kty", "use", "x"},
		"RS256": {"alg", "e", "kid", "kty", "n", "use"},
	} {
		t.Run("MET-011 no private member for "+algorithm, func(t *testing.T) {
			t.Parallel()
			r := ring(t, store(t), master(t, secretOne), algorithm)
			var set struct{ Keys []map[string]string }
			if err := json.Unmarshal(r.JWKS(), &set); err != nil {
				t.Fatal(err)
			}
			if len(set.Keys) != 1 {
				t.Fatalf("%s", r.JWKS())
			}
			var got []string
			for name, value := range set.Keys[0] {
				if got = append(got, name); value == "" {
					t.Errorf("%s is empty", name)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(members, got); diff != "" {
				t.Error(diff)
			}
			if set.Keys[0]["alg"] != algorithm || set.Keys[0]["use"] != "sig" {
				t.Errorf("%s", r.JWKS())
			}
		})
	}
	t.Run("MET-011 no shared secret is published", func(t *testing.T) {
		t.Parallel()
		if got := string(ring(t, store(t), master(t, secretOne), "HS256").JWKS()); got != `{"keys":[]}` {
			t.Errorf("got %s", got)
		}
	})
}

func TestHS256(t *testing.T) {
	t.Parallel()
	old := ring(t, store(t), master(t, secretOne), "HS256")
	token := sign(t, old, claims())
	var header struct{ KID string }
	segment(t, token, 0, &header)

	t.Run("the key is SECRET_KEY as it is written", func(t *testing.T) {
		k, err := old.Key(t.Context(), header.KID)
		if err != nil || string(k.Public.([]byte)) != secretOne {
			t.Errorf("got another key, %v", err)
		}
	})
	t.Run("the kid tells nothing of the secret", func(t *testing.T) {
		if len(header.KID) != 22 || strings.Contains(secretOne, header.KID) {
			t.Errorf("kid %q", header.KID)
		}
	})
	t.Run("a previous secret goes on verifying", func(t *testing.T) {
		if _, err := verify(t, ring(t, store(t), master(t, secretTwo, secretOne), "HS256"), token); err != nil {
			t.Error(err)
		}
	})
	t.Run("its tokens end when another algorithm is set", func(t *testing.T) {
		_, err := ring(t, store(t), master(t, secretOne), "ES256").Key(t.Context(), header.KID)
		if !errors.Is(err, resource.ErrUnknownKey) {
			t.Errorf("got %v, want %v", err, resource.ErrUnknownKey)
		}
	})
}

func TestKeysOutliveAStart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	first := ring(t, storeAt(t, path), master(t, secretOne), "ES256")
	token := sign(t, first, claims())

	t.Run("the next start publishes the same set", func(t *testing.T) {
		again := ring(t, storeAt(t, path), master(t, secretOne), "ES256")
		if diff := cmp.Diff(string(first.JWKS()), string(again.JWKS())); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a start under the next SECRET_KEY opens them with the previous", func(t *testing.T) {
		if _, err := verify(t, ring(t, storeAt(t, path), master(t, secretTwo, secretOne), "ES256"), token); err != nil {
			t.Error(err)
		}
	})
	t.Run("JWT-010 another SECRET_KEY is named with the way out", func(t *testing.T) {
		_, err := keys.Open(t.Context(), storeAt(t, path), master(t, secretTwo), "ES256")
		if !errors.Is(err, keys.ErrWrongSecretKey) {
			t.Fatalf("got %v, want %v", err, keys.ErrWrongSecretKey)
		}
		if strings.Contains(err.Error(), secretTwo) {
			t.Error("the error has the secret")
		}
	})
	t.Run("MET-012 another ALGORITHM makes a key of its own and goes on publishing the old", func(t *testing.T) {
		other := ring(t, storeAt(t, path), master(t, secretOne), "EdDSA")
		if _, err := verify(t, other, token); err != nil {
			t.Error(err)
		}
		ids := kids(t, other.JWKS())
		if len(ids) != 2 || ids[0] == ids[1] || !slices.Contains(ids, kids(t, first.JWKS())[0]) {
			t.Errorf("published %v", ids)
		}
	})
}

func TestTwoServersMakeOneKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	stores := []*sqlstore.DB{storeAt(t, path), storeAt(t, path)}
	m := master(t, secretOne)
	sets := make([]string, len(stores))
	var wg sync.WaitGroup
	for i, s := range stores {
		wg.Go(func() {
			r, err := keys.Open(t.Context(), s, m, "ES256")
			if err != nil {
				t.Error(err)
				return
			}
			sets[i] = string(r.JWKS())
		})
	}
	wg.Wait()
	if sets[0] != sets[1] || len(kids(t, []byte(sets[0]))) != 1 {
		t.Errorf("published %v", sets)
	}
}

func TestStoredKeys(t *testing.T) {
	t.Parallel()
	m := master(t, secretOne)
	made := func(t *testing.T) authserver.SealedKey {
		t.Helper()
		s := store(t)
		ring(t, s, m, "ES256")
		stored, err := s.Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return stored[0]
	}
	for _, tc := range []struct {
		name string
		edit func(k *authserver.SealedKey)
		want string // in the error; empty: the ring opens
		more int    // keys that are published besides
	}{
		{"a key does not open under another kid",
			func(k *authserver.SealedKey) { k.KID = "another" }, "damaged", 0},
		{"a changed byte is noticed", func(k *authserver.SealedKey) { k.Sealed[30] ^= 1 }, "damaged", 0},
		{"a row cut short is noticed", func(k *authserver.SealedKey) { k.Sealed = k.Sealed[:3] }, "damaged", 0},
		{"a key for one algorithm does not open for another",
			func(k *authserver.SealedKey) { k.Algorithm = "RS256" }, "damaged", 0},
		{"a key made by a server whose clock is ahead is used",
			func(k *authserver.SealedKey) { k.ActiveAt = k.ActiveAt.Add(time.Minute) }, "", 1},
		{"a removed key is replaced by the next generation",
			func(k *authserver.SealedKey) { k.RemoveAt = k.CreatedAt }, "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			k := made(t)
			tc.edit(&k)
			s := store(t)
			if err := s.AddKey(t.Context(), k, authserver.Event{At: k.CreatedAt, Act: "key.create"}); err != nil {
				t.Fatal(err)
			}
			r, err := keys.Open(t.Context(), s, m, "ES256")
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "backup") {
					t.Errorf("got %v, want %q and the way out", err, tc.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Contains(kids(t, r.JWKS()), k.KID); got != (tc.more == 1) || len(kids(t, r.JWKS())) != 1 {
				t.Errorf("published %s", r.JWKS())
			}
			if _, err := verify(t, r, sign(t, r, claims())); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("an unknown algorithm is named", func(t *testing.T) {
		t.Parallel()
		_, err := keys.Open(t.Context(), store(t), m, "none")
		if err == nil || !strings.Contains(err.Error(), "ALGORITHM") {
			t.Errorf("got %v", err)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	for _, algorithm := range algorithms {
		b.Run(algorithm, func(b *testing.B) {
			r := ring(b, store(b), master(b, secretOne), algorithm)
			c := claims()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Sign(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
