package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/tokenwright/tokenwright/authserver/doctor"
)

// target is the issuer that is measured, as its metadata describes it.
type target struct {
	fixtures doctor.Fixtures
	http     *http.Client
	metadata metadata
}

// metadata is what is needed of RFC 8414 §2.
type metadata struct {
	Issuer        string   `json:"issuer"`
	Token         string   `json:"token_endpoint"`
	Introspection string   `json:"introspection_endpoint"`
	Grants        []string `json:"grant_types_supported"`
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// meet reads the issuer's metadata (RFC 8414 §3.1).
func (t *target) meet(ctx context.Context, issuer string) error {
	at, err := url.Parse(issuer)
	if err != nil || at.Host == "" {
		return fmt.Errorf("%q is no issuer identifier: give an address such as http://localhost:8000", issuer)
	}
	at.Path = "/.well-known/oauth-authorization-server" + at.Path
	body, err := t.get(ctx, at.String(), "")
	if err != nil {
		return fmt.Errorf("no issuer answers at %s: %w", at, err)
	}
	if err := json.Unmarshal(body, &t.metadata); err != nil || t.metadata.Token == "" {
		return fmt.Errorf("%s is no metadata of an authorization server", at)
	}
	if t.metadata.Issuer != issuer {
		return fmt.Errorf("the issuer there is %s: give that", t.metadata.Issuer)
	}
	return nil
}

// get asks for an address, with a bearer token unless it is empty.
func (t *target) get(ctx context.Context, address, token string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return t.do(r)
}

// post sends a form as client.
func (t *target) post(ctx context.Context, address string, client *doctor.Client, pairs ...string) ([]byte, error) {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	if client.IsPublic() {
		form.Set("client_id", client.ID)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !client.IsPublic() {
		r.SetBasicAuth(url.QueryEscape(client.ID), url.QueryEscape(client.Secret)) // RFC 6749 §2.3.1
	}
	return t.do(r)
}

// do returns the body of a 200. Its errors are few and without values, since
// they are counted by their text.
func (t *target) do(r *http.Request) ([]byte, error) {
	res, err := t.http.Do(r)
	if err != nil {
		if r.Context().Err() != nil {
			return nil, errors.New("interrupted")
		}
		if e, ok := errors.AsType[*url.Error](err); ok && e.Timeout() {
			return nil, errors.New("no answer within 30 s")
		}
		return nil, errors.New("no connection")
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, errors.New("answer cut off")
	}
	if res.StatusCode != http.StatusOK {
		return nil, errors.New(res.Status)
	}
	return body, nil
}

// tokens is what is needed of RFC 6749 §5.1.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// token asks the token endpoint.
func (t *target) token(ctx context.Context, client *doctor.Client, pairs ...string) (tokens, error) {
	body, err := t.post(ctx, t.metadata.Token, client, pairs...)
	if err != nil {
		return tokens{}, err
	}
	var got tokens
	if err := json.Unmarshal(body, &got); err != nil || got.Access == "" {
		return tokens{}, errors.New("200 without a token")
	}
	return got, nil
}
