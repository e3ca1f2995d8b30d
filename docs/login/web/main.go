// Command web is a web application that people log in to by redirect: the first
// example of docs/login.md, to be copied. It is a confidential client: tokens stay
// on its side, and the browser gets a cookie that says nothing.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"

	"golang.org/x/oauth2"
)

// app is the application. Its sessions are in memory here; yours are where the
// rest of your data is.
type app struct {
	oauth  oauth2.Config
	server server
	url    string // of the application

	mu       sync.Mutex
	sessions map[string]*session // by cookie
}

type session struct {
	tokens  oauth2.TokenSource // refreshes, one at a time: a refresh token counts once
	idToken string
}

// server is what the authorization server says of itself (RFC 8414 §2).
type server struct {
	Issuer     string `json:"issuer"`
	Authorize  string `json:"authorization_endpoint"`
	Token      string `json:"token_endpoint"`
	UserInfo   string `json:"userinfo_endpoint"`
	EndSession string `json:"end_session_endpoint"`
}

func main() {
	listen := cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:3000")
	a := &app{url: cmp.Or(os.Getenv("URL"), "http://"+listen), sessions: map[string]*session{}}
	var err error
	if a.server, err = discover(os.Getenv("ISSUER")); err != nil {
		log.Fatal(err)
	}
	a.oauth = oauth2.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		RedirectURL:  a.url + "/callback",
		Scopes:       []string{"openid", "profile", "read"},
		Endpoint:     oauth2.Endpoint{AuthURL: a.server.Authorize, TokenURL: a.server.Token, AuthStyle: oauth2.AuthStyleInHeader},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("GET /login", a.login)
	mux.HandleFunc("GET /callback", a.callback)
	mux.HandleFunc("POST /logout", a.logout)
	log.Fatal(http.ListenAndServe(listen, http.NewCrossOriginProtection().Handler(mux)))
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

// login leaves for the server's login page, and remembers in the browser what the
// answer has to fit.
func (a *app) login(w http.ResponseWriter, r *http.Request) {
	state, verifier := rand.Text(), oauth2.GenerateVerifier()
	a.setCookie(w, "login", state+"."+verifier)
	http.Redirect(w, r, a.oauth.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier)), http.StatusSeeOther)
}

func (a *app) callback(w http.ResponseWriter, r *http.Request) {
	answer := r.URL.Query()
	kept, err := r.Cookie("login")
	if err != nil {
		http.Error(w, "This browser has begun no login.", http.StatusBadRequest)
		return
	}
	state, verifier, _ := strings.Cut(kept.Value, ".")
	switch {
	case answer.Get("state") != state:
		http.Error(w, "The answer belongs to another login.", http.StatusBadRequest)
		return
	case answer.Get("iss") != a.server.Issuer: // RFC 9207 §2.4
		http.Error(w, "The answer comes from another server.", http.StatusBadRequest)
		return
	case answer.Has("error"): // RFC 6749 §4.1.2.1; access_denied: the person said no
		http.Error(w, "Not logged in: "+answer.Get("error"), http.StatusForbidden)
		return
	}
	tokens, err := a.oauth.Exchange(r.Context(), answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		log.Print(err)
		http.Error(w, "The login did not work. Try again.", http.StatusBadGateway)
		return
	}
	idToken, _ := tokens.Extra("id_token").(string)
	id := rand.Text() // a new one at each login
	a.mu.Lock()
	a.sessions[id] = &session{a.oauth.TokenSource(context.Background(), tokens), idToken}
	a.mu.Unlock()
	a.setCookie(w, "login", "")
	a.setCookie(w, "session", id)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, s := a.session(r)
	if s == nil {
		fmt.Fprint(w, `<p>You are not logged in. <a href="/login">Log in</a>`)
		return
	}
	// The client sends the access token, and gets the next one when that expires.
	// Who may do what is the API's to say; who this is, the server says.
	res, err := oauth2.NewClient(r.Context(), s.tokens).Get(a.server.UserInfo)
	if err != nil || res.StatusCode != http.StatusOK { // the session at the server has ended
		fmt.Fprint(w, `<p>You have been logged out. <a href="/login">Log in</a>`)
		return
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		http.Error(w, "The server does not answer.", http.StatusBadGateway)
		return
	}
	fmt.Fprintf(w, `<p>%s<form method="post" action="/logout"><button>Log out</button></form>`, html.EscapeString(string(body)))
}

// logout ends the session here and sends the browser to end that at the server,
// with all that it opened (OpenID Connect RP-Initiated Logout §2).
func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	id, s := a.session(r)
	if s == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	a.mu.Lock()
	delete(a.sessions, id)
	a.mu.Unlock()
	a.setCookie(w, "session", "")
	query := url.Values{"id_token_hint": {s.idToken}, "post_logout_redirect_uri": {a.url + "/"}}
	http.Redirect(w, r, a.server.EndSession+"?"+query.Encode(), http.StatusSeeOther)
}

func (a *app) session(r *http.Request) (string, *session) {
	c, err := r.Cookie("session")
	if err != nil {
		return "", nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return c.Value, a.sessions[c.Value]
}

// setCookie keeps value until the browser is closed; an empty one takes it away.
func (a *app) setCookie(w http.ResponseWriter, name, value string) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(a.url, "https:")}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}
