package history

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/oauth"
)

// verifier is the code verifier of every request (RFC 7636 §4.1).
const verifier = "a-verifier-of-forty-three-letters-or-more-0"

// authorizationRequest are the parameters of a client's.
func authorizationRequest(client string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {callback}, "scope": {"profile"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
}

// redemption is the form of a token request with a code.
func redemption(client, code string) url.Values {
	return url.Values{
		"grant_type": {authserver.GrantAuthorizationCode}, "client_id": {client}, "code": {code},
		"redirect_uri": {callback}, "code_verifier": {verifier},
	}
}

// authorize opens a session by a code, which is its refresh token number zero.
func (h *history) authorize(ctx context.Context, on server, c *call, s *known) (answer, error) {
	code, sid, err := on.authorize(ctx, s.client, h.login, phrases[c.phrase])
	if errors.Is(err, errRefused) {
		return answer{}, nil
	}
	if err != nil {
		return answer{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s.sid, s.tokens = sid, []string{code}
	h.sessions[c.slot] = s
	if h.redis != nil {
		if kept := h.redis.keep(sid); kept != nil {
			s.kept = kept
		}
	}
	return answer{granted: true}, nil
}

// authorize does what the login page does, and then the authorization endpoint.
func (s *local) authorize(ctx context.Context, client, user, phrase string) (code, sid string, err error) {
	ctx = authserver.WithCaller(ctx, authserver.Caller{IP: "192.0.2.1", UserAgent: "test"})
	f, err := s.Facts.Facts(ctx, authserver.Ask{Login: user})
	if err != nil {
		return "", "", outcome(ctx, err)
	}
	u, err := s.users.Authenticate(ctx, user, phrase, f)
	if err != nil {
		return "", "", outcome(ctx, err)
	}
	who := authserver.Login{
		Subject: u.Subject, Parent: authserver.SessionIDText(oauth.Begin().SessionID), AuthTime: time.Now(), AMR: []string{authserver.AMRPassword},
	}
	a, err := s.Authorize(ctx, authorizationRequest(client), "", authserver.Ask{Subject: u.Subject})
	if err != nil {
		return "", "", outcome(ctx, err)
	}
	// The browser's session would have ended.
	if now := a.Facts.User; now == nil || !now.Active || now.SessionEpoch != u.SessionEpoch {
		return "", "", errRefused
	}
	given, err := s.Answer(ctx, a, who)
	if err != nil {
		return "", "", outcome(ctx, err)
	}
	for _, field := range given.Fields {
		if field.Name == "code" {
			return field.Value, authserver.SessionIDText(a.Begun.SessionID), nil
		}
	}
	return "", "", fmt.Errorf("an answer without a code: %v", given.Fields)
}

// authorize fills in the login page and goes where the browser is sent.
func (r *remote) authorize(ctx context.Context, client, user, phrase string) (code, sid string, err error) {
	base := r.process.Load().Base
	next := base + "/oauth/authorize?" + authorizationRequest(client).Encode()
	form := url.Values{"act": {"login"}, "username": {user}, "password": {phrase}}.Encode()
	method, cookie := http.MethodPost, ""
	for range 4 {
		req, err := http.NewRequestWithContext(ctx, method, next, strings.NewReader(form))
		if err != nil {
			return "", "", err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if cookie != "" {
			req.Header.Set("Cookie", cookie)
		}
		res, err := r.noRedirect().Do(req)
		if errors.Is(err, syscall.ECONNREFUSED) && method == http.MethodPost {
			return "", "", errUnsent
		}
		if err != nil {
			return "", "", errUnheard
		}
		res.Body.Close()
		to, err := url.Parse(res.Header.Get("Location"))
		switch {
		case res.StatusCode == http.StatusServiceUnavailable:
			return "", "", errUnheard
		case res.StatusCode == http.StatusBadRequest, res.StatusCode == http.StatusOK: // the login page again
			return "", "", errRefused
		case res.StatusCode != http.StatusSeeOther || err != nil:
			return "", "", fmt.Errorf("authorize: %d", res.StatusCode)
		case strings.HasPrefix(to.String(), callback):
			if code := to.Query().Get("code"); code != "" {
				return code, "", nil
			}
			return "", "", fmt.Errorf("authorize: %s", to.Query().Get("error"))
		}
		for _, c := range res.Cookies() {
			cookie = c.Name + "=" + c.Value
		}
		method, form, next = http.MethodGet, "", base+to.RequestURI()
	}
	return "", "", errors.New("authorize: sent on for ever")
}

// noRedirect is the client that shows where it is sent.
func (r *remote) noRedirect() *http.Client {
	c := *r.client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}
