package oidc

import (
	"encoding/json"
	"errors"
)

// ErrBadClaims says that the parameter claims is not what OpenID Connect Core §5.5
// takes.
var ErrBadClaims = errors.New("bad claims parameter")

// ClaimsRequest is what the parameter claims asks for.
type ClaimsRequest struct {
	// Wanted are claims about the person, each with where it belongs; see
	// UserInfo. It is short: nothing that we do not know is in it.
	Wanted []string
	// ACR are the classes one of which the login has to be of; nil if any will do.
	ACR []string
	// Subject is whose login it has to be; empty if anybody's will do.
	Subject string
}

// asked is one claim: null, or an object with what it should be.
type asked struct {
	Essential bool              `json:"essential"`
	Value     json.RawMessage   `json:"value"`
	Values    []json.RawMessage `json:"values"`
}

// ParseClaims reads the parameter claims. ErrBadClaims. Claims that nobody here
// knows are passed over.
func ParseClaims(text string) (ClaimsRequest, error) {
	var r ClaimsRequest
	if text == "" {
		return r, nil
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &parts); err != nil || parts == nil {
		return r, ErrBadClaims
	}
	for _, part := range []struct{ name, prefix string }{{"userinfo", inUserInfo}, {"id_token", inIDToken}} {
		raw, ok := parts[part.name]
		if !ok {
			continue
		}
		var claims map[string]*asked
		if err := json.Unmarshal(raw, &claims); err != nil {
			return r, ErrBadClaims
		}
		for _, name := range Names[1:] {
			if _, ok := claims[name]; ok {
				r.Wanted = append(r.Wanted, part.prefix+name)
			}
		}
		if sub := claims["sub"]; sub != nil && sub.Value != nil {
			var subject string
			if json.Unmarshal(sub.Value, &subject) != nil || r.Subject != "" && r.Subject != subject {
				return r, ErrBadClaims
			}
			r.Subject = subject
		}
		if part.prefix == inIDToken {
			if err := r.readACR(claims["acr"]); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// readACR takes an essential acr, with the values that will do (§5.5.1.1); a
// voluntary one says nothing that acr_values does not.
func (r *ClaimsRequest) readACR(a *asked) error {
	if a == nil || !a.Essential {
		return nil
	}
	values := a.Values
	if a.Value != nil {
		values = append(values, a.Value)
	}
	for _, raw := range values {
		var value string
		if json.Unmarshal(raw, &value) != nil {
			return ErrBadClaims
		}
		r.ACR = append(r.ACR, value)
	}
	return nil
}
