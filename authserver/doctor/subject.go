package doctor

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxAnswer is far above what any endpoint answers.
const maxAnswer = 1 << 20

// subject is the issuer that is examined, with what is known about it.
type subject struct {
	Options
	http     *http.Client
	metadata metadata
	cast
	// granted are the scopes that the user gets who asks for none.
	granted []string
	// jwt says that access tokens can be read (RFC 9068).
	jwt bool
	// tutorial says that the issuer has the routes of contract 3.
	tutorial bool
	// seen are all answers so far; mu guards it.
	seen []answer
	mu   sync.Mutex
	// person is the browser in which the user has logged in; nil before.
	person *browser
	// open are refresh tokens of sessions to end, with their clients.
	open []session
}

// session is what a login or a refresh brought.
type session struct {
	client          *Client
	access, refresh string
	scope           string
	answer          answer
}

// meet learns what can be examined. Only an issuer that does not answer at all is
// an error.
func (s *subject) meet(ctx context.Context) error {
	if err := s.discover(ctx); err != nil {
		return err
	}
	s.choose(s.Fixtures)
	if probe := s.post(ctx, s.Issuer+"/auth/login", nil); probe.status == http.StatusUnprocessableEntity {
		s.tutorial = true
	}
	if s.lacks(login) == "" {
		if l, err := s.login(ctx, s.app); err == nil {
			s.granted = strings.Fields(l.scope)
			s.jwt = decode(l.access, 1) != nil
		}
	}
	return nil
}

// leave ends the sessions that are still open, as far as that is possible.
func (s *subject) leave(ctx context.Context) {
	if s.metadata.revoke == "" {
		return
	}
	for _, open := range s.open {
		s.as(ctx, open.client, s.metadata.revoke, "token", open.refresh)
	}
}

func (s *subject) send(ctx context.Context, method, target string, header http.Header, body string) answer {
	a := answer{method: method, url: target}
	r, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		a.err = fmt.Errorf("build request: %w", plain(err))
		return a
	}
	if header != nil {
		r.Header = header
	}
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	start := time.Now()
	res, err := s.http.Do(r)
	if err != nil {
		a.err = a.wrong("no answer: %v", plain(err))
		return a
	}
	defer res.Body.Close()
	a.body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	a.took = time.Since(start)
	if err != nil {
		a.err = a.wrong("half an answer: %v", plain(err))
	}
	a.status, a.header = res.StatusCode, res.Header
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, a)
	return a
}

// plain is an error without the URL, which may have credentials in its query.
func plain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

func (s *subject) get(ctx context.Context, target string, header http.Header) answer {
	return s.send(ctx, http.MethodGet, target, header, "")
}

// post sends a form of pairs, in their order and as often as they are named.
func (s *subject) post(ctx context.Context, target string, header http.Header, pairs ...string) answer {
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.send(ctx, http.MethodPost, target, header, form(pairs...))
}

// as is post by a client that says who it is: a confidential one by Basic, a
// public one by client_id.
func (s *subject) as(ctx context.Context, c *Client, target string, pairs ...string) answer {
	if c.IsPublic() {
		return s.post(ctx, target, nil, append(slices.Clip(pairs), "client_id", c.ID)...)
	}
	return s.post(ctx, target, basic(c.ID, c.Secret), pairs...)
}

// token asks the token endpoint.
func (s *subject) token(ctx context.Context, c *Client, pairs ...string) answer {
	return s.as(ctx, c, s.metadata.token, pairs...)
}

// password is the form of a right password grant, with more behind it.
func (s *subject) password(more ...string) []string {
	return append([]string{"grant_type", "password", "username", s.user.Username, "password", s.user.Password}, more...)
}

// grant is the form of a grant that c may use without a session before it.
func (s *subject) grant(c *Client) []string {
	if c.May("client_credentials") || s.user == nil {
		return []string{"grant_type", "client_credentials"}
	}
	return s.password()
}

// login opens a session of the user.
func (s *subject) login(ctx context.Context, c *Client, more ...string) (session, error) {
	a := s.token(ctx, c, s.password(more...)...)
	if err := a.is("200"); err != nil {
		return session{}, fmt.Errorf("log in by client %s: %w", c.ID, err)
	}
	return s.opened(c, a), nil
}

// refresh presents a refresh token.
func (s *subject) refresh(ctx context.Context, c *Client, token string, more ...string) answer {
	a := s.token(ctx, c, append([]string{"grant_type", "refresh_token", "refresh_token", token}, more...)...)
	s.opened(c, a)
	return a
}

// brought is what an answer has in it; empty if it refuses.
func brought(c *Client, a answer) session {
	return session{client: c, access: a.text("access_token"), refresh: a.text("refresh_token"), scope: a.text("scope"), answer: a}
}

// opened is brought, and takes note of a session to end.
func (s *subject) opened(c *Client, a answer) session {
	l := brought(c, a)
	if l.refresh != "" {
		s.open = append(s.open, l)
	}
	return l
}

func form(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(pairs[i]) + "=" + url.QueryEscape(pairs[i+1]))
	}
	return b.String()
}

// basic is RFC 6749 §2.3.1: both halves are form-encoded first.
func basic(id, secret string) http.Header {
	pair := url.QueryEscape(id) + ":" + url.QueryEscape(secret)
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(pair))}}
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// wait lets time pass, unless ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
