package resource_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/resourcetest"
)

var algorithms = []string{"ES256", "EdDSA", "RS256", "HS256"}

// fixture is an issuer with one key and a resource server that trusts it.
type fixture struct {
	*resourcetest.Issuer
	key      *resourcetest.Key
	ended    *resource.Ended
	verifier *resource.Verifier
}

func newFixture(t testing.TB, algorithm string) *fixture {
	t.Helper()
	f := &fixture{Issuer: resourcetest.New(t), ended: resource.NewEnded()}
	f.key = f.AddKey("key-1", algorithm)
	f.ended.Ready()
	v, err := resource.NewVerifier(resource.VerifierConfig{
		Issuer: f.URL, Audience: f.Audience, Keys: f, Ended: f.ended,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.verifier = v
	return f
}

// alice is a good user's token.
func (f *fixture) alice(roles ...string) string {
	return f.Token(f.key, f.User("alice", roles...))
}

// verify presents a token twice, so that what the first time leaves in the
// cache has its say too.
func (f *fixture) verify(t testing.TB, token string) error {
	t.Helper()
	_, first := f.verifier.Verify(t.Context(), token)
	_, second := f.verifier.Verify(t.Context(), token)
	if (first == nil) != (second == nil) {
		t.Errorf("first answer %v, second %v", first, second)
	}
	return first
}

func wantGood(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("good token refused: %v", err)
	}
}

func wantInvalid(t testing.TB, err error) {
	t.Helper()
	refused, ok := errors.AsType[*resource.TokenError](err)
	if !ok {
		t.Fatalf("got %v, want a *TokenError", err)
	}
	if refused.Code != "invalid_token" || refused.Detail != "Could not validate credentials" {
		t.Errorf("got %s, %q", refused.Code, refused.Detail)
	}
}

// object is claims as a map, to be edited.
func object(t testing.TB, c resource.Claims) map[string]any {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
