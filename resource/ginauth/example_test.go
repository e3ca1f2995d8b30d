package ginauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/ginauth"
)

// A gate by scope for a group of routes, and one by role within it.
func ExampleRequire() {
	issuer := newIssuer()
	guard := resource.NewGuard(issuer.verifier(), "") // in a program: of resource.New

	roles, err := resource.ParseHierarchy("viewer<user<editor<moderator<admin")
	if err != nil {
		log.Fatal(err)
	}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	orders := engine.Group("/orders", ginauth.Require(guard, resource.Scope("orders")))
	orders.GET("", func(c *gin.Context) {
		c.String(http.StatusOK, "the orders of %s", ginauth.Claims(c).Username)
	})
	orders.DELETE("", ginauth.Require(guard, roles.AtLeast("moderator")), func(c *gin.Context) {
		c.Status(http.StatusNoContent)
	})

	for _, request := range []struct{ method, token string }{
		{http.MethodGet, ""},
		{http.MethodGet, issuer.token("alice", "profile", "user")},
		{http.MethodGet, issuer.token("alice", "orders", "user")},
		{http.MethodDelete, issuer.token("alice", "orders", "user")},
		{http.MethodDelete, issuer.token("max", "orders", "moderator")},
	} {
		r := httptest.NewRequest(request.method, "/orders", nil)
		if request.token != "" {
			r.Header.Set("Authorization", "Bearer "+request.token)
		}
		w := httptest.NewRecorder()
		engine.ServeHTTP(w, r)
		fmt.Println(request.method, w.Code, w.Body)
	}
	// Output:
	// GET 401 {"detail":"Not authenticated"}
	// GET 403 {"detail":"Insufficient permissions"}
	// GET 200 the orders of alice
	// DELETE 403 {"detail":"Requires moderator permission or higher"}
	// DELETE 204
}

// issuer stands in for the authorization server.
type issuer struct{ private *ecdsa.PrivateKey }

func newIssuer() issuer {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	return issuer{private}
}

func (i issuer) Key(context.Context, string) (resource.Key, error) {
	return resource.Key{ID: "k1", Algorithm: "ES256", Public: &i.private.PublicKey}, nil
}

func (i issuer) verifier() *resource.Verifier {
	ended := resource.NewEnded()
	ended.Ready()
	v, err := resource.NewVerifier(resource.VerifierConfig{
		Issuer: "https://auth.example.com", Audience: "https://api.example.com", Keys: i, Ended: ended,
	})
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func (i issuer) token(username, scope string, roles ...string) string {
	now := time.Now().Unix()
	t := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": "https://auth.example.com", "aud": "https://api.example.com", "sub": "sub-" + username,
		"client_id": "app", "jti": rand.Text(), "iat": now, "exp": now + 1800, "scope": scope,
		"roles": roles, "sid": "1", "epoch": 1, "user_id": 1, "username": username,
	})
	t.Header["typ"], t.Header["kid"] = "at+jwt", "k1"
	signed, err := t.SignedString(i.private)
	if err != nil {
		log.Fatal(err)
	}
	return signed
}
