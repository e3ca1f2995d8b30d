package doctor

import (
	"context"
	"fmt"
	"slices"
)

// known is the browser in which the user has logged in.
func (s *subject) known(ctx context.Context) (*browser, error) {
	if s.person == nil {
		b := s.newBrowser()
		if l := b.through(ctx, b.open(ctx, s.ask(s.web))); l.granted() != nil {
			return nil, fmt.Errorf("log in by redirect: %w", l.granted())
		}
		s.person = b
	}
	return s.person, nil
}

// code is a new one of the user's for c, as pairs change the request.
func (s *subject) code(ctx context.Context, c *Client, pairs ...string) (landing, error) {
	b, err := s.known(ctx)
	if err != nil {
		return landing{}, err
	}
	l := b.through(ctx, b.open(ctx, s.ask(c, pairs...)))
	return l, l.granted()
}

// redeem presents a code, by its client. Pairs replace what is sent, as in ask.
func (s *subject) redeem(ctx context.Context, l landing, pairs ...string) answer {
	return s.redeemBy(ctx, l.request.client, l, pairs...)
}

func (s *subject) redeemBy(ctx context.Context, c *Client, l landing, pairs ...string) answer {
	if c == nil || l.params.Get("code") == "" {
		return answer{err: l.wrong("there is no code to redeem")}
	}
	a := s.token(ctx, c, redemption(l, pairs...)...)
	s.opened(c, a)
	return a
}

func redemption(l landing, pairs ...string) []string {
	sent := []string{"grant_type", "authorization_code", "code", l.params.Get("code")}
	for _, pair := range [][2]string{{"redirect_uri", l.request.sent().Get("redirect_uri")}, {"code_verifier", l.request.verifier}} {
		value := pair[1]
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == pair[0] {
				value = pairs[i+1]
			}
		}
		if value != "" && (pair[0] != "code_verifier" || l.request.sent().Has("code_challenge") || slices.Contains(pairs, pair[0])) {
			sent = append(sent, pair[0], value)
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] != "redirect_uri" && pairs[i] != "code_verifier" {
			sent = append(sent, pairs[i], pairs[i+1])
		}
	}
	return sent
}
