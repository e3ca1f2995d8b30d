package resource_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/tokenwright/tokenwright/resource"
)

// oneKey is the simplest KeySource: one key, known from the start.
type oneKey struct{ key resource.Key }

func (s oneKey) Key(_ context.Context, kid string) (resource.Key, error) {
	if kid != s.key.ID {
		return resource.Key{}, resource.ErrUnknownKey
	}
	return s.key, nil
}

// An API with a gate by scope and one by role.
func Example() {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // the issuer's
	if err != nil {
		log.Fatal(err)
	}

	ended := resource.NewEnded()
	ended.Ready() // this API follows no feed: tokens live until they expire
	verifier, err := resource.NewVerifier(resource.VerifierConfig{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     oneKey{resource.Key{ID: "k1", Algorithm: "ES256", Public: private.Public()}},
		Ended:    ended,
	})
	if err != nil {
		log.Fatal(err)
	}
	guard := resource.NewGuard(verifier, "")
	roles, err := resource.ParseHierarchy("viewer<user<editor<moderator<admin")
	if err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	mux.Handle("GET /orders", guard.Require(resource.Scope("read"))(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			claims, _ := resource.ClaimsFrom(r.Context())
			fmt.Fprintf(w, "the orders of %s", claims.Username)
		})))
	mux.Handle("DELETE /orders", guard.Require(roles.AtLeast("moderator"))(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "gone")
		})))

	token := issue(private)
	call(mux, http.MethodGet, "")
	call(mux, http.MethodGet, token)
	call(mux, http.MethodDelete, token)
	// Output:
	// GET: 401 {"detail":"Not authenticated"}
	// GET: 200 the orders of alice
	// DELETE: 403 {"detail":"Requires moderator permission or higher"}
}

// issue does what the authorization server does.
func issue(private *ecdsa.PrivateKey) string {
	now := time.Now().Unix()
	t := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": "https://auth.example.com", "aud": "https://api.example.com",
		"sub": "3a0c0c5e-0f5a-4a53-9d3b-6d1f8f6f0a11", "client_id": "app", "jti": "1",
		"iat": now, "exp": now + 1800, "scope": "read",
		"roles": []string{"user"}, "sid": "1", "epoch": 1, "user_id": 2, "username": "alice",
	})
	t.Header["typ"], t.Header["kid"] = "at+jwt", "k1"
	signed, err := t.SignedString(private)
	if err != nil {
		log.Fatal(err)
	}
	return signed
}

func call(h http.Handler, method, token string) {
	r := httptest.NewRequest(method, "/orders", nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Result().Body)
	fmt.Printf("%s: %d %s\n", method, w.Code, body)
}
