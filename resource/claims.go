package resource

import (
	"encoding/json"
	"strings"
)

// Claims are what an access token says (RFC 9068 §2.2). A client's own token
// has no user: Roles and all that follows it are then zero.
//
// A Verifier gives the same Claims to every request with the same token: read
// them, do not change them.
type Claims struct {
	Issuer   string
	Subject  string   // immutable and never given again: what to key your own records by
	Audience []string // the resources that the token is for
	ClientID string

	// Unix seconds. NotBefore 0 is absent.
	IssuedAt, ExpiresAt, NotBefore int64

	ID    string // jti
	Scope string // names with one space between

	Roles     []string
	SessionID string // sid: what a logout ends
	Parent    string // parent_sid: the browser session that opened SessionID, or empty
	Epoch     int64  // tokens of the user with a lower one have ended
	// SessionEpoch is the user's when the token was issued: raising it ends the
	// tokens with a lower one, but for those of sessions that are kept. 0 may be
	// of an issuer that does not say it: every raising ends such a token.
	SessionEpoch int64
	UserID       int64  // the user's small number; 0 is a client's own token
	Username     string // may change; Subject does not
	Name         string // the full name; only with the scope "profile"
	// AuthTime is when the user last logged in for the session, in Unix seconds;
	// ACR is how surely and AMR by which means (RFC 9068 §2.2.1, RFC 8176). Zero if
	// the issuer does not say.
	AuthTime int64
	ACR      string
	AMR      []string
}

// wire is Claims as RFC 9068 writes them.
type wire struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  any    `json:"aud"`
	ClientID  string `json:"client_id"`
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp"`
	NotBefore int64  `json:"nbf,omitempty"`
	ID        string `json:"jti"`
	Scope     string `json:"scope,omitempty"`
	*wireUser        // nil: none of its members is written
}

type wireUser struct {
	Roles        []string `json:"roles"`
	SessionID    string   `json:"sid"`
	Parent       string   `json:"parent_sid,omitempty"`
	Epoch        int64    `json:"epoch"`
	SessionEpoch int64    `json:"session_epoch"`
	UserID       int64    `json:"user_id"`
	Username     string   `json:"username"`
	Name         string   `json:"name,omitempty"`
	AuthTime     int64    `json:"auth_time,omitempty"`
	ACR          string   `json:"acr,omitempty"`
	AMR          []string `json:"amr,omitempty"`
}

// MarshalJSON writes the members as RFC 9068 names them, those of the user only
// if there is one. A single audience is written as a string.
func (c Claims) MarshalJSON() ([]byte, error) {
	w := wire{
		Issuer: c.Issuer, Subject: c.Subject, Audience: orEmpty(c.Audience), ClientID: c.ClientID,
		IssuedAt: c.IssuedAt, ExpiresAt: c.ExpiresAt, NotBefore: c.NotBefore, ID: c.ID, Scope: c.Scope,
	}
	if len(c.Audience) == 1 {
		w.Audience = c.Audience[0]
	}
	if c.OfUser() {
		w.wireUser = &wireUser{
			Roles: orEmpty(c.Roles), SessionID: c.SessionID, Parent: c.Parent, Epoch: c.Epoch, SessionEpoch: c.SessionEpoch,
			UserID: c.UserID, Username: c.Username, Name: c.Name, AuthTime: c.AuthTime, ACR: c.ACR, AMR: c.AMR,
		}
	}
	return json.Marshal(w)
}

// UnmarshalJSON is ParseClaims, so that encoding/json's own, laxer reading
// cannot be had by accident.
func (c *Claims) UnmarshalJSON(payload []byte) error {
	parsed, err := ParseClaims(payload)
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}

// OfUser says whether a user stands behind the token; false for a client's own
// (the client_credentials grant).
func (c *Claims) OfUser() bool { return c.UserID != 0 }

// HasScope says whether the token has the scope of exactly that name.
func (c *Claims) HasScope(name string) bool {
	for s := range strings.SplitSeq(c.Scope, " ") {
		if s == name && s != "" {
			return true
		}
	}
	return false
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
