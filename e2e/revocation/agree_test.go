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
	"time"
)

// INT-014: what is said of a token by those who ask the issuer and by those who
// look for themselves is one, whatever has become of the token.
func TestIntrospectionAndLocalValidationAgree(t *testing.T) {
	n := size(100, 1000)
	d := deploy(t, shape{auth: 2, api: 2, users: n, leaving: n/kinds + 1})
	var all []sample
	for i := range n - n/kinds {
		kind := endings[i%kinds]
		at := d.auth[i/kinds%2]
		e, err := kind.prepare(d, at, i)
		if err != nil {
			t.Fatalf("%s: %v", kind.name, err)
		}
		if i%3 > 0 { // the others stay as they are
			if err := e.make(); err != nil {
				t.Fatalf("%s: %v", kind.name, err)
			}
		}
		for _, token := range e.dead {
			all = append(all, sample{"before or after: " + kind.name, token})
		}
		for _, token := range e.alive {
			all = append(all, sample{"beside: " + kind.name, token})
		}
		all = append(all, forged(e.dead[0], i)...)
	}
	all = append(all, d.minted(t, n-1)...)
	time.Sleep(bound) // that is what the servers are given
	yes := 0
	for _, s := range all {
		active, verdicts, err := d.verdicts(s.token)
		if err != nil {
			t.Fatalf("%s: %v", s.state, err)
		}
		if active {
			yes++
		}
		for who, taken := range verdicts {
			if taken != active {
				t.Errorf("INT-014 %s: %s says %v, auth0's introspection %v", s.state, who, taken, active)
			}
		}
	}
	t.Logf("%d tokens, %d of them active", len(all), yes)
	if yes == 0 || yes == len(all) {
		t.Error("the tokens were all of one kind")
	}
}

type sample struct{ state, token string }

// forged are tokens that were made from a good one, one in turn.
func forged(token string, i int) []sample {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	switch i % 16 {
	case 1:
		return []sample{{"without signature", parts[0] + "." + parts[1] + "."}}
	case 5:
		header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"at+jwt"}`))
		return []sample{{"alg none", header + "." + parts[1] + "."}}
	case 9:
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			return nil
		}
		later := strings.Replace(string(payload), `"exp":1`, `"exp":2`, 1)
		return []sample{{"a later exp", parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(later)) + "." + parts[2]}}
	case 13:
		return []sample{{"cut", token[:len(token)-4]}}
	}
	return nil
}

// minted are tokens of a user's with a right signature, and claims that are not.
func (d *deployment) minted(t *testing.T, user int) []sample {
	t.Helper()
	s, err := d.login(d.auth[0], userName(user), "spa")
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(s.Access, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	all := []sample{{"as issued", s.Access}}
	for _, tc := range []struct {
		state, claim string
		value        any
	}{
		{"expired", "exp", now - 3600},
		{"expired within the leeway", "exp", now - 5},
		{"not valid yet", "nbf", now + 3600},
		{"issued in the future", "iat", now + 3600},
		{"of another issuer", "iss", "https://other.example.com"},
		{"for another resource", "aud", "https://other.example.com"},
		{"of a session that there is not", "sid", "AAAAAAAAAAAAAAAAAAAAAA"},
		{"of an epoch to come", "epoch", 100},
		{"with an unknown role", "roles", []string{"emperor"}},
	} {
		var c map[string]any
		decoder := json.NewDecoder(strings.NewReader(string(payload)))
		decoder.UseNumber()
		if err := decoder.Decode(&c); err != nil {
			t.Fatal(err)
		}
		c[tc.claim] = tc.value
		edited, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		token, err := d.operator(nil, "token", "mint", "--claims", string(edited))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, sample{tc.state, strings.TrimSpace(token)})
	}
	return all
}

// verdicts asks the first authorization server, and everybody else, of a token.
func (d *deployment) verdicts(token string) (active bool, others map[string]bool, err error) {
	others = map[string]bool{}
	for i, p := range d.auth {
		a, err := d.ask(http.MethodPost, p.Base+"/oauth/introspect", "", as(resourceID, url.Values{"token": {token}}))
		if err != nil {
			return false, nil, err
		}
		if err := unexpected(a, http.StatusOK); err != nil {
			return false, nil, fmt.Errorf("introspect: %w", err)
		}
		var said struct {
			Active bool `json:"active"`
		}
		if err := json.Unmarshal([]byte(a.Body), &said); err != nil {
			return false, nil, err
		}
		if i == 0 {
			active = said.Active
		}
		others["introspection at "+p.name] = said.Active
	}
	for _, p := range d.servers() {
		taken, err := d.takes(p, token)
		if err != nil {
			return false, nil, err
		}
		others[p.name] = taken
	}
	return active, others, nil
}
