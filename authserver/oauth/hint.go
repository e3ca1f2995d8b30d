package oauth

import (
	"encoding/json"
	"errors"
)

// typIDToken is the typ of an ID token's header: not that of an access token (RFC
// 9068 §2.1), nor that of a logout token.
const typIDToken = "JWT"

// hint is what an ID token says that came back (OpenID Connect Core §3.1.2.1).
type hint struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	ClientID  string `json:"aud"` // one, as we write it
	SessionID string `json:"sid"`
}

var errBadHint = errors.New("bad id_token_hint")

// readHint reads an ID token of ours, expired ones too, for as long as a session
// may last.
func (s *Server) readHint(text string) (hint, error) {
	payload, err := s.Ring.Opened(text, typIDToken, s.Settings.SessionLifetime)
	if err != nil {
		return hint{}, err
	}
	var h hint
	if err := json.Unmarshal(payload, &h); err != nil || h.Issuer != s.Settings.Issuer || h.Subject == "" || h.ClientID == "" {
		return hint{}, errBadHint
	}
	return h, nil
}
