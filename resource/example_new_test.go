package resource_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/tokenwright/tokenwright/resource"
)

// A resource server that needs its issuer's address and a client of its own, and
// finds keys and revocations by itself.
func ExampleNew() {
	ctx := context.Background() // ends with the program

	verifier, err := resource.New(ctx, resource.Config{
		Issuer:       "https://auth.example.com",
		Audience:     "https://api.example.com", // this API
		ClientID:     "api",
		ClientSecret: os.Getenv("API_CLIENT_SECRET"),
		Feed:         resource.FailClosed,
		Logger:       slog.Default(),
		Hooks: resource.Hooks{
			FeedHeard: func(at time.Time) { /* set a gauge to at.Unix() */ },
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := verifier.Wait(ctx); err != nil { // or answer 503 meanwhile
		log.Fatal(err)
	}

	guard := resource.NewGuard(verifier, "")
	http.Handle("GET /orders", guard.Require(resource.Scope("read"))(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			claims, _ := resource.ClaimsFrom(r.Context())
			fmt.Fprintf(w, "the orders of %s", claims.Subject)
		})))
	log.Fatal(http.ListenAndServe("127.0.0.1:9000", nil))
}
