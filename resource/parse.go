package resource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// claimNames are the members that ParseClaims understands.
var claimNames = []string{
	"iss", "sub", "aud", "client_id", "iat", "exp", "nbf", "jti", "scope",
	"roles", "sid", "parent_sid", "epoch", "session_epoch", "user_id", "username", "name",
	"auth_time", "acr", "amr",
}

// userMembers stand in a token together or not at all.
var userMembers = []string{"roles", "sid", "epoch", "user_id", "username"}

// ParseClaims reads the payload of an access token. It is stricter than
// encoding/json: names match case-exactly, no member may stand twice, types are
// exact, and what RFC 9068 §2.2 requires is there. Members it does not know are
// ignored. Times with a fraction are cut to the second. Whether the claims are
// true is for a Verifier to say.
func ParseClaims(payload []byte) (Claims, error) {
	m, err := members(payload, claimNames)
	if err != nil {
		return Claims{}, fmt.Errorf("claims: %w", err)
	}
	r := reader{members: m}
	c := Claims{
		Issuer:    r.text("iss", required),
		Subject:   r.text("sub", required),
		Audience:  r.audience(),
		ClientID:  r.text("client_id", required),
		IssuedAt:  r.date("iat", required),
		ExpiresAt: r.date("exp", required),
		NotBefore: r.date("nbf", optional),
		ID:        r.text("jti", required),
		Scope:     r.text("scope", optional),
	}
	if r.ofUser() {
		c.Roles = r.list("roles", required)
		c.SessionID = r.text("sid", required)
		c.Parent = r.text("parent_sid", optional)
		c.Epoch = r.integer("epoch", 0, required)
		c.SessionEpoch = r.integer("session_epoch", 0, optional)
		c.UserID = r.integer("user_id", 1, required)
		c.Username = r.text("username", required)
		c.Name = r.text("name", optional)
		c.AuthTime = r.integer("auth_time", 0, optional)
		c.ACR = r.text("acr", optional)
		c.AMR = r.list("amr", optional)
	}
	if r.err != nil {
		return Claims{}, r.err
	}
	return c, nil
}

type presence bool

const (
	required presence = true
	optional presence = false
)

// reader takes typed members out of an object and keeps the first fault.
type reader struct {
	members map[string]json.RawMessage
	err     error
}

func (r *reader) fail(name, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("claim %s is not %s", name, want)
	}
}

// member returns nil if there is none, which is a fault if it is required.
func (r *reader) member(name string, p presence) json.RawMessage {
	raw, ok := r.members[name]
	if !ok && p == required && r.err == nil {
		r.err = fmt.Errorf("claim %s is missing", name)
	}
	return raw
}

// ofUser looks whether there is any of the user's members; all are then needed.
// A token with roles that nobody's epoch could end would be worse than none.
func (r *reader) ofUser() bool {
	for _, name := range userMembers {
		if _, ok := r.members[name]; ok {
			return true
		}
	}
	return false
}

func (r *reader) text(name string, p presence) string {
	raw := r.member(name, p)
	if raw == nil {
		return ""
	}
	s, ok := text(raw)
	if !ok || (p == required && s == "") {
		r.fail(name, "a string with something in it")
	}
	return s
}

// text reads a JSON string, of which there are many without an escape.
func text(raw json.RawMessage) (s string, ok bool) {
	if raw[0] != '"' {
		return "", false // null too, which json.Unmarshal would let pass
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), true
	}
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

func (r *reader) list(name string, p presence) []string {
	raw := r.member(name, p)
	if raw == nil {
		return nil
	}
	var items []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &items) != nil {
		r.fail(name, "an array of strings")
		return nil
	}
	list := make([]string, len(items))
	for i, item := range items {
		var ok bool
		if list[i], ok = text(item); !ok {
			r.fail(name, "an array of strings")
		}
	}
	return list
}

// audience is a string or an array of strings (RFC 7519 §4.1.3).
func (r *reader) audience() []string {
	if raw := r.member("aud", required); raw == nil || raw[0] == '[' {
		return r.list("aud", required)
	}
	return []string{r.text("aud", required)}
}

// date reads a NumericDate (RFC 7519 §2). The bound keeps every later sum with
// a leeway far from overflow.
func (r *reader) date(name string, p presence) int64 {
	raw := r.member(name, p)
	if raw == nil {
		return 0
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f < 0 || f > 1<<53 {
		r.fail(name, "a number of seconds since 1970")
		return 0
	}
	return int64(math.Floor(f))
}

func (r *reader) integer(name string, least int64, p presence) int64 {
	raw := r.member(name, p)
	if raw == nil {
		return 0
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < least {
		r.fail(name, fmt.Sprintf("an integer of at least %d", least))
	}
	return n
}
