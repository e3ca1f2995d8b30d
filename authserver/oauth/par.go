package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

const (
	// requestURIPrefix is that of RFC 9126 §2.2.
	requestURIPrefix = "urn:ietf:params:oauth:request_uri:"
	// pushedLifetime is how long a pushed request waits to be opened. Once it is
	// open, tw says so.
	pushedLifetime = 90 * time.Second
	// maxPushed is how many bytes a pushed request may have: sealed it stands in
	// an address after all, and proxies take some 8 KiB.
	maxPushed = 5 << 10
)

// Pushed is the answer of the pushed authorization request endpoint (RFC 9126
// §2.2).
type Pushed struct {
	RequestURI string `json:"request_uri"`
	// ExpiresIn is in seconds.
	ExpiresIn int64 `json:"expires_in"`
}

// Push answers POST /oauth/par: the client authenticates, its request is judged
// as the authorization endpoint would, and comes back sealed. Any error is an
// *Error.
func (s *Server) Push(r *http.Request) (Pushed, error) {
	form, err := ParseForm(r)
	if err != nil {
		return Pushed{}, err
	}
	ctx := r.Context()
	cred, err := clientCredentials(r, form)
	if err != nil {
		return Pushed{}, AsError(err)
	}
	if cred.id == "" {
		return Pushed{}, refuse(CodeInvalidClient, "")
	}
	facts, err := s.Facts.Facts(ctx, authserver.Ask{ClientID: cred.id})
	if err != nil {
		return Pushed{}, AsError(err)
	}
	if err := s.Clients.Authenticate(ctx, facts.Client, cred.id, cred.secret); err != nil {
		s.noteClient(ctx, cred.id, facts.Client, err)
		return Pushed{}, AsError(err)
	}
	form = parameters(form, requestParameters)
	form.Set("client_id", cred.id)
	if form.Has("request_uri") { // RFC 9126 §2.1
		return Pushed{}, refuse(CodeInvalidRequest, "A pushed request has no request_uri.")
	}
	if size(form) > maxPushed {
		return Pushed{}, refuse(CodeTooLarge, "The request is too long: 5 KiB at most.")
	}
	_, uri, err := addressee(form, true)
	if err == nil {
		_, err = s.request(form, facts.Client, uri, true)
	}
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return Pushed{}, refusal.Cause
	}
	return Pushed{RequestURI: s.sealPushed(form, cred.id), ExpiresIn: int64(pushedLifetime / time.Second)}, nil
}

// sealPushed writes a request with what opens once it is answered, which is so
// the same for every answer.
func (s *Server) sealPushed(form url.Values, clientID string) string {
	b := Begin()
	plain := append(b.bytes(), form.Encode()...)
	return requestURIPrefix + s.pushed.SealText(plain, []byte(clientID))
}

func isPushed(form url.Values) bool {
	return len(form["request_uri"]) == 1 && strings.HasPrefix(form.Get("request_uri"), requestURIPrefix)
}

// openPushed returns the request that address names by its request_uri, and the
// beginning of the way through it. It is for the client that pushed it, and for
// who has opened it in time.
func (s *Server) openPushed(address url.Values, tw string) (url.Values, Begun, error) {
	text := strings.TrimPrefix(address.Get("request_uri"), requestURIPrefix)
	plain, err := s.pushed.OpenText(text, []byte(address.Get("client_id")))
	if err != nil || len(plain) < begunSize {
		return nil, Begun{}, page(ErrRequestURI)
	}
	form, err := url.ParseQuery(string(plain[begunSize:]))
	if err != nil {
		return nil, Begun{}, page(ErrRequestURI)
	}
	pushed, now := readBegun(plain), time.Now().UTC().Truncate(time.Millisecond)
	opened, err := openBegun(s.begun, tw, address)
	switch {
	case err == nil && opened.SessionID == pushed.SessionID:
		return form, opened, nil
	case now.Sub(pushed.At) > pushedLifetime:
		return nil, Begun{}, page(ErrRequestURI)
	}
	pushed.At = now
	return form, pushed, nil
}
