package resource_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/resourcetest"
)

var update = flag.Bool("update", false, "write testdata/vectors anew")

const (
	vectorsDir = "testdata/vectors"
	vectorsNow = 1767225600 // 2026-01-01T00:00:00Z
	leeway     = 30
)

// vector is a token and what a resource server has to say of it.
type vector struct {
	Name    string `json:"name"`
	Clause  string `json:"clause"`
	Verdict string `json:"verdict"` // "good" or "invalid_token"
	Token   string `json:"token"`
}

type vectorFile struct {
	About   string   `json:"about"`
	Vectors []vector `json:"vectors"`
}

// vectorConfig is issuer.json: what the resource server knows.
type vectorConfig struct {
	Issuer   string          `json:"issuer"`
	Audience string          `json:"audience"`
	Now      int64           `json:"now"`
	Leeway   int64           `json:"leeway_seconds"`
	JWKS     json.RawMessage `json:"jwks"`
	Ended    []vectorEntry   `json:"ended"`
}

type vectorEntry struct {
	Seq    int64  `json:"seq"`
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	Epoch  int64  `json:"epoch,omitempty"`
	Reason string `json:"reason"`
	Until  int64  `json:"until"`
}

// atVectorsNow runs f when it is vectorsNow.
func atVectorsNow(t *testing.T, f func(t *testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Unix(vectorsNow, 0)))
		f(t)
	})
}

// The files hold what the generator makes. Signatures differ from run to run and
// are written with -update only.
func TestVectorsAreUpToDate(t *testing.T) {
	atVectorsNow(t, func(t *testing.T) {
		g := newGenerator(t)
		count := 0
		for name, want := range g.files() {
			path := filepath.Join(vectorsDir, name)
			count += len(want.Vectors)
			if *update {
				writeJSON(t, path, want)
				continue
			}
			var got vectorFile
			readJSON(t, path, &got)
			for _, list := range [][]vector{got.Vectors, want.Vectors} {
				for i := range list {
					list[i].Token = ""
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s differs, run with -update:\n%s", path, d)
			}
		}
		if count < 300 {
			t.Errorf("%d vectors, want 300", count)
		}
		path := filepath.Join(vectorsDir, "issuer.json")
		if *update {
			writeJSON(t, path, g.config())
		}
		var got vectorConfig
		readJSON(t, path, &got)
		if d := cmp.Diff(string(marshal(t, g.config())), string(marshal(t, got))); d != "" {
			t.Errorf("%s differs, run with -update:\n%s", path, d)
		}
	})
}

// RSV-009 … RSV-025, RSV-043: the verifier says of each token what its file says.
func TestVectors(t *testing.T) {
	var c vectorConfig
	readJSON(t, filepath.Join(vectorsDir, "issuer.json"), &c)
	keys, err := resource.ParseJWKS(c.JWKS)
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(vectorsDir, "tokens-*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	verdicts := map[string]int{}
	for _, path := range paths {
		var file vectorFile
		readJSON(t, path, &file)
		for _, vec := range file.Vectors {
			t.Run(vec.Clause+" "+vec.Name, func(t *testing.T) {
				atVectorsNow(t, func(t *testing.T) {
					v := vectorVerifier(t, c, keys)
					for range 2 { // verified, and remembered
						_, err := v.Verify(t.Context(), vec.Token)
						if got := verdict(t, err); got != vec.Verdict {
							t.Fatalf("%s: got %s (%v), want %s", path, got, err, vec.Verdict)
						}
					}
				})
			})
			verdicts[vec.Verdict]++
		}
	}
	t.Logf("verdicts: %v", verdicts)
	if verdicts["invalid_token"] < 300 {
		t.Errorf("%d refused tokens, want 300", verdicts["invalid_token"])
	}
}

func verdict(t testing.TB, err error) string {
	t.Helper()
	refused, ok := errors.AsType[*resource.TokenError](err)
	switch {
	case err == nil:
		return "good"
	case ok:
		return refused.Code
	}
	return err.Error()
}

type staticKeys map[string]resource.Key

func (s staticKeys) Key(_ context.Context, kid string) (resource.Key, error) {
	key, ok := s[kid]
	if !ok {
		return resource.Key{}, resource.ErrUnknownKey
	}
	return key, nil
}

func vectorVerifier(t testing.TB, c vectorConfig, keys map[string]resource.Key) *resource.Verifier {
	t.Helper()
	ended := resource.NewEnded()
	for _, e := range c.Ended {
		ended.Apply(resource.Revocation{
			Seq: e.Seq, Kind: e.Kind, ID: e.ID, Epoch: e.Epoch, Reason: e.Reason, Until: time.Unix(e.Until, 0),
		})
	}
	ended.Ready()
	v, err := resource.NewVerifier(resource.VerifierConfig{
		Issuer: c.Issuer, Audience: c.Audience, Leeway: time.Duration(c.Leeway) * time.Second,
		Keys: staticKeys(keys), Ended: ended,
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// vectorKeys are the issuer's, read from private.json, or made once with -update.
func vectorKeys(t testing.TB) map[string]*resourcetest.Key {
	t.Helper()
	algorithms := map[string]string{"es": "ES256", "ed": "EdDSA", "rs": "RS256", "burnt": "ES256"}
	path := filepath.Join(vectorsDir, "private.json")
	private := map[string][]byte{}
	if _, err := os.Stat(path); *update && errors.Is(err, os.ErrNotExist) {
		issuer := resourcetest.New(t)
		for kid, algorithm := range algorithms {
			der, err := x509.MarshalPKCS8PrivateKey(issuer.AddKey(kid, algorithm).Private)
			if err != nil {
				t.Fatal(err)
			}
			private[kid] = der
		}
		writeJSON(t, path, private)
	}
	readJSON(t, path, &private)
	keys := map[string]*resourcetest.Key{}
	for kid, algorithm := range algorithms {
		parsed, err := x509.ParsePKCS8PrivateKey(private[kid])
		if err != nil {
			t.Fatal(err)
		}
		signer := parsed.(crypto.Signer)
		keys[kid] = &resourcetest.Key{
			Private: signer, Key: resource.Key{ID: kid, Algorithm: algorithm, Public: signer.Public()},
		}
	}
	return keys
}

func (g *generator) config() vectorConfig {
	until := int64(vectorsNow + 3600)
	set := []any{}
	for _, kid := range []string{"es", "ed", "rs", "burnt"} {
		set = append(set, g.keys[kid].JWK())
	}
	return vectorConfig{
		Issuer: g.URL, Audience: g.Audience, Now: vectorsNow, Leeway: leeway,
		JWKS: marshal(g.t, map[string]any{"keys": set}),
		Ended: []vectorEntry{
			{1, resource.KindToken, "jti-ended", 0, "revoked", until},
			{2, resource.KindSession, "sid-ended", 0, "logout", until},
			{3, resource.KindUser, "sub-ended", 5, "password_changed", until},
			{4, resource.KindClient, "client-ended", 0, "client_removed", until},
			{5, resource.KindKey, "burnt", 0, "key_burnt", until},
			{6, resource.KindToken, "jti-over", 0, "revoked", vectorsNow - 1},
		},
	}
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func writeJSON(t testing.TB, path string, v any) {
	t.Helper()
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
