package program

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Answer is a response that was read to its end.
type Answer struct {
	Status int         `json:"-"`
	Header http.Header `json:"-"`
	Body   string      `json:"-"`
	// What a token response or an introspection says; zero elsewhere.
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Active  bool   `json:"active"`
}

// Post sends a form.
func Post(client *http.Client, url string, form url.Values) (Answer, error) {
	r, err := http.NewRequest("POST", url, strings.NewReader(form.Encode()))
	if err != nil {
		return Answer{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return Do(client, r)
}

// Get asks with a token, unless that is empty.
func Get(client *http.Client, url, token string) (Answer, error) {
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return Answer{}, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return Do(client, r)
}

// Do sends a request and reads the answer.
func Do(client *http.Client, r *http.Request) (Answer, error) {
	res, err := client.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Status: res.StatusCode, Header: res.Header, Body: string(body)}
	if res.StatusCode == 200 {
		json.Unmarshal(body, &a) // documents of other shapes leave the members as they are
	}
	return a, nil
}

// Login is the form of a password grant by a public client.
func Login(client, user, password string) url.Values {
	return url.Values{"grant_type": {"password"}, "client_id": {client}, "username": {user}, "password": {password}}
}

// Refresh is the form of a refresh by a public client.
func Refresh(client, token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {token}}
}

// Must is an answer that has to come, with a status that it has to have.
func Must(t testing.TB, want int, a Answer, err error) Answer {
	t.Helper()
	if err == nil && a.Status != want {
		err = fmt.Errorf("got %d %s, want %d", a.Status, a.Body, want)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}
