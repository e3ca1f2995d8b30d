package doctor

import (
	"context"
	"fmt"
	"time"
)

// pushedLife is for how long a pushed request may wait (contract 11).
const pushedLife = 90 * time.Second

func pushedChecks() []check {
	par := []need{redirect, pushing}
	return []check{
		{"PAR-001", "RFC9126 §2", "MUST", "a client pushes its request, and is told at once what is wrong with it", []need{redirect, pushing, secretWeb}, func(ctx context.Context, s *subject) error {
			c := s.webSecret
			r := s.ask(c)
			a := s.push(ctx, c, r)
			if _, ok := a.object()["expires_in"].(float64); a.status == 201 && (!ok || a.text("request_uri") == "") {
				return a.wrong("request_uri or expires_in is missing")
			}
			wrong := *c
			wrong.Secret = wrongSecret
			return first(a.is("201"), a.isJSON(), a.has("Cache-Control", "no-store"),
				s.post(ctx, s.metadata.push, nil, pairs(r)...).is("401 invalid_client"),
				s.push(ctx, &wrong, r).is("401 invalid_client"),
				s.push(ctx, c, s.ask(c, "response_type", "unknown")).is("400 unsupported_response_type"),
				s.push(ctx, c, s.ask(c, "redirect_uri", "https://evil.test/")).is("400 invalid_request"))
		}},
		{"PAR-002", "RFC9126 §2.2, §4", "MUST", "a pushed request is its client's, and is answered once however often it is looked at", par, pushedOnce},
		{"PAR-003", "RFC9126 §2.1", "MUST", "a pushed request has no request_uri", par, func(ctx context.Context, s *subject) error {
			return s.push(ctx, s.web, s.ask(s.web, "request_uri", "urn:ietf:params:oauth:request_uri:x")).is("400 invalid_request")
		}},
		{"PAR-004", "RFC9126 §5", "MUST", "a client that has to push asks no other way", []need{redirect, pushing, pushingWeb}, func(ctx context.Context, s *subject) error {
			return first(
				s.newBrowser().open(ctx, s.ask(s.pushes)).refused("invalid_request"),
				s.push(ctx, s.pushes, s.ask(s.pushes)).is("201"))
		}},
	}
}

// push sends r to the endpoint for pushed requests.
func (s *subject) push(ctx context.Context, c *Client, r request) answer {
	sent := pairs(r)
	if c.IsPublic() {
		return s.post(ctx, s.metadata.push, nil, sent...)
	}
	return s.post(ctx, s.metadata.push, basic(c.ID, c.Secret), sent...)
}

func pairs(r request) []string {
	var all []string
	for name, values := range r.params {
		for _, v := range values {
			all = append(all, name, v)
		}
	}
	return all
}

// pushedBy pushes a request and returns the one that names it.
func (s *subject) pushedBy(ctx context.Context, c *Client) (request, error) {
	r := s.ask(c)
	a := s.push(ctx, c, r)
	if err := a.is("201"); err != nil {
		return r, err
	}
	r.pushed, r.params = r.params, map[string][]string{"client_id": {c.ID}, "request_uri": {a.text("request_uri")}}
	return r, nil
}

func pushedOnce(ctx context.Context, s *subject) error {
	r, err := s.pushedBy(ctx, s.web)
	if err != nil {
		return err
	}
	b := s.newBrowser()
	if s.webOther != nil {
		stolen := r
		stolen.params = map[string][]string{"client_id": {s.webOther.ID}, "request_uri": r.params["request_uri"]}
		l := b.open(ctx, stolen)
		if err := first(l.lacks("Location", ""), l.shown("400")); err != nil {
			return fmt.Errorf("by another client: %w", err)
		}
	}
	if err := first(b.wantsLogin(b.open(ctx, r)), b.wantsLogin(b.open(ctx, r))); err != nil {
		return fmt.Errorf("looked at: %w", err)
	}
	l := b.through(ctx, b.open(ctx, r))
	if err := first(l.granted(), s.redeem(ctx, l).is("200")); err != nil {
		return err
	}
	if l := b.open(ctx, r); l.err != nil || l.params.Has("code") || l.status >= 500 || !l.arrived && l.status < 400 {
		return first(l.err, l.wrong("a second time: got %d, want an error", l.status))
	}
	if !s.Timing {
		return nil
	}
	if r, err = s.pushedBy(ctx, s.web); err != nil {
		return err
	}
	if err := wait(ctx, pushedLife+time.Second); err != nil {
		return err
	}
	if l := b.open(ctx, r); l.err != nil || l.params.Has("code") || l.status >= 500 || !l.arrived && l.status < 400 {
		return first(l.err, l.wrong("after %v: got %d, want an error", pushedLife, l.status))
	}
	return nil
}
