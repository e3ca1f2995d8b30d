//go:build proof

package revocation

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// tokens are a session as its client has it.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// ask sends a request: bearer if that is not empty, the form if that is not nil.
func (d *deployment) ask(method, to, bearer string, form url.Values) (program.Answer, error) {
	req, err := http.NewRequest(method, to, strings.NewReader(form.Encode()))
	if err != nil {
		return program.Answer{}, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	return program.Do(d.http, req)
}

// as adds the client's authentication to a form.
func as(client string, form url.Values) url.Values {
	form.Set("client_id", client)
	if client == confidentialID || client == resourceID {
		form.Set("client_secret", clientSecret)
	}
	return form
}

func (d *deployment) login(p *server, user, client string) (tokens, error) {
	return d.granted(p, as(client, url.Values{"grant_type": {"password"}, "username": {user}, "password": {userPassword}}))
}

func (d *deployment) granted(p *server, form url.Values) (t tokens, err error) {
	a, err := d.ask(http.MethodPost, p.Base+"/oauth/token", "", form)
	if err != nil {
		return t, err
	}
	if a.Status != http.StatusOK {
		return t, fmt.Errorf("%s for %s at %s: %w", form.Get("grant_type"), form.Get("username"), p.name, unexpected(a, http.StatusOK))
	}
	return t, json.Unmarshal([]byte(a.Body), &t)
}

func refreshForm(client, token string) url.Values {
	return as(client, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func (d *deployment) refresh(p *server, client, token string) (tokens, error) {
	return d.granted(p, refreshForm(client, token))
}

// usedTwice lets a refresh token be one that was used, and returns the newest.
func (d *deployment) usedTwice(p *server, first tokens) (newest tokens, err error) {
	second, err := d.refresh(p, "spa", first.Refresh)
	if err != nil {
		return tokens{}, err
	}
	return d.refresh(p, "spa", second.Refresh)
}

// refused wants a refresh to be answered with status and the error code.
func (d *deployment) refused(p *server, client, token string, status int, code string) error {
	a, err := d.ask(http.MethodPost, p.Base+"/oauth/token", "", refreshForm(client, token))
	if err != nil {
		return err
	}
	if a.Status != status || !strings.Contains(a.Body, `"`+code+`"`) {
		return fmt.Errorf("refresh at %s: got %d %s, want %d %s", p.name, a.Status, a.Body, status, code)
	}
	return nil
}

// revoke asks for RFC 7009 revocation in the name of client.
func (d *deployment) revoke(p *server, client, token string) error {
	return d.want(http.StatusOK, http.MethodPost, p.Base+"/oauth/revoke", "", as(client, url.Values{"token": {token}}))
}

func (d *deployment) logout(p *server, access string) error {
	return d.want(http.StatusNoContent, http.MethodPost, p.Base+"/auth/logout", access, nil)
}

func (d *deployment) changePassword(p *server, access, next string) error {
	body, err := json.Marshal(map[string]string{"current_password": userPassword, "new_password": next})
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, p.Base+"/auth/password", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+access)
	a, err := program.Do(d.http, req)
	if err != nil {
		return err
	}
	return unexpected(a, http.StatusNoContent)
}

func (d *deployment) want(status int, method, to, bearer string, form url.Values) error {
	a, err := d.ask(method, to, bearer, form)
	if err != nil {
		return err
	}
	if err := unexpected(a, status); err != nil {
		return fmt.Errorf("%s %s: %w", method, to, err)
	}
	return nil
}

func unexpected(a program.Answer, want int) error {
	if a.Status == want {
		return nil
	}
	return fmt.Errorf("got %d %s, want %d", a.Status, a.Body, want)
}

// takes reports whether p takes the access token; an error is any answer but
// yes and no.
func (d *deployment) takes(p *server, access string) (bool, error) {
	a, err := d.ask(http.MethodGet, p.Base+p.probe, access, nil)
	switch {
	case err != nil:
		return false, err
	case a.Status == http.StatusOK:
		return true, nil
	case a.Status == http.StatusUnauthorized:
		return false, nil
	}
	return false, fmt.Errorf("%s%s: got %d %s", p.name, p.probe, a.Status, a.Body)
}

// everywhere wants every server to take the access token, or none to.
func (d *deployment) everywhere(access string, want bool) error {
	for _, p := range d.servers() {
		took, err := d.takes(p, access)
		if err != nil {
			return err
		}
		if took != want {
			return fmt.Errorf("%s takes the token: %v, want %v", p.name, took, want)
		}
	}
	return nil
}

// claims are what an access token says; nobody asks here whether it is true.
type claims struct {
	SessionID    string `json:"sid"`
	Subject      string `json:"sub"`
	ID           string `json:"jti"`
	SessionEpoch int64  `json:"session_epoch"`
}

// kidOf is the key that an access token says it was signed with.
func kidOf(access string) (string, error) {
	header, _, _ := strings.Cut(access, ".")
	b, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		return "", err
	}
	var h struct {
		KeyID string `json:"kid"`
	}
	return h.KeyID, json.Unmarshal(b, &h)
}

func claimsOf(t testing.TB, access string) (c claims) {
	t.Helper()
	parts := strings.Split(access, ".")
	if len(parts) != 3 {
		t.Fatalf("got a token of %d parts", len(parts))
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(payload, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}
