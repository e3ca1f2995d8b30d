// Command orders is an API of somebody else that takes Tokenwright's access
// tokens. It is a module of its own and imports nothing of Tokenwright but
// package resource.
//
//	ISSUER=https://auth.example.com AUDIENCE=https://orders.example.com \
//	CLIENT_ID=orders CLIENT_SECRET=… LISTEN=127.0.0.1:9000 orders
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tokenwright/tokenwright/resource"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	audience := os.Getenv("AUDIENCE")
	verifier, err := resource.New(ctx, resource.Config{
		Issuer:       os.Getenv("ISSUER"),
		Audience:     audience,
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		Feed:         resource.Policy(os.Getenv("REVOCATION_FEED")),
		Logger:       slog.Default(),
	})
	if err != nil {
		return err
	}
	roles, err := resource.ParseHierarchy("viewer<user<editor<moderator<admin")
	if err != nil {
		return err
	}
	guard := resource.NewGuard(verifier, "")

	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", ready(verifier))
	mux.Handle("GET /orders", guard.Require(resource.Scope("read"))(http.HandlerFunc(list)))
	mux.Handle("DELETE /orders", guard.Require(resource.Scope("write"), roles.AtLeast("moderator"))(http.HandlerFunc(remove)))

	listener, err := net.Listen("tcp", os.Getenv("LISTEN"))
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// ready answers 200 once tokens can be told apart.
func ready(v *resource.Verifier) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := v.Wait(ctx); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
}

func list(w http.ResponseWriter, r *http.Request) {
	claims, _ := resource.ClaimsFrom(r.Context())
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"of": claims.Subject, "orders": []string{}})
}

func remove(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
