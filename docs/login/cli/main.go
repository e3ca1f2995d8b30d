// Command cli is a program on somebody's machine that logs in by redirect (RFC
// 8252): the third example of docs/login.md, to be copied. It is a public client;
// the browser brings the answer to a port that the program listens on meanwhile.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"

	"golang.org/x/oauth2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Getenv("ISSUER"), os.Getenv("CLIENT_ID")); err != nil {
		log.Fatal(err)
	}
}

// server is what the authorization server says of itself (RFC 8414 §2).
type server struct {
	Issuer    string `json:"issuer"`
	Authorize string `json:"authorization_endpoint"`
	Token     string `json:"token_endpoint"`
	Revoke    string `json:"revocation_endpoint"`
}

// run logs in, asks the API one thing and logs out.
func run(ctx context.Context, issuer, clientID string) error {
	s, err := discover(issuer)
	if err != nil {
		return err
	}
	config := oauth2.Config{
		ClientID: clientID,
		Scopes:   []string{"profile", "read"},
		Endpoint: oauth2.Endpoint{AuthURL: s.Authorize, TokenURL: s.Token, AuthStyle: oauth2.AuthStyleInParams},
	}
	tokens, err := login(ctx, s, config)
	if err != nil {
		return err
	}
	// From here on the client sends the access token and gets the next one when
	// that expires. Keep tokens.RefreshToken where the system keeps secrets, if
	// people are not to log in at each start.
	source := config.TokenSource(ctx, tokens)
	res, err := oauth2.NewClient(ctx, source).Get(issuer + "/api/private")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(os.Stdout, res.Body); err != nil {
		return err
	}
	fmt.Println()
	if tokens, err = source.Token(); err != nil {
		return err
	}
	// Logging out ends the session with all its tokens (RFC 7009).
	out, err := http.PostForm(s.Revoke, url.Values{"client_id": {clientID}, "token": {tokens.RefreshToken}})
	if err != nil {
		return err
	}
	return out.Body.Close()
}

// login has the person log in with the browser and returns the tokens.
func login(ctx context.Context, s server, config oauth2.Config) (*oauth2.Token, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // any port will do (RFC 8252 §7.3)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	config.RedirectURL = "http://" + listener.Addr().String() + "/callback"
	state, verifier := rand.Text(), oauth2.GenerateVerifier()
	fmt.Printf("Open this address to log in:\n%s\n", config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier)))

	answers := make(chan url.Values, 1)
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := r.URL.Query()
		if r.URL.Path != "/callback" || answer.Get("state") != state || answer.Get("iss") != s.Issuer { // RFC 9207 §2.4
			http.Error(w, "This is no answer to the login that was begun.", http.StatusBadRequest)
			return
		}
		select {
		case answers <- answer:
			fmt.Fprintln(w, "Done: you can close this window.")
		default: // one answer is enough
		}
	}))
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case answer := <-answers:
		if answer.Has("error") { // RFC 6749 §4.1.2.1; access_denied: the person said no
			return nil, errors.New("not logged in: " + answer.Get("error"))
		}
		return config.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
	}
}

func discover(issuer string) (server, error) {
	var s server
	res, err := http.Get(issuer + "/.well-known/openid-configuration")
	if err != nil {
		return s, err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&s); err != nil {
		return s, fmt.Errorf("metadata of %s: %w", issuer, err)
	}
	if s.Issuer != issuer { // RFC 8414 §3.3
		return s, fmt.Errorf("%s calls itself %s", issuer, s.Issuer)
	}
	return s, nil
}
