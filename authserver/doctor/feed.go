package doctor

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

func feedChecks() []check {
	return []check{
		{"RSV-041", "contract 7", "MUST", "the revocation feed is for resource servers, and begins with a snapshot", []need{feed, introspecter}, func(ctx context.Context, s *subject) error {
			if err := s.get(ctx, s.metadata.feed, nil).is("401"); err != nil {
				return fmt.Errorf("without authentication: %w", err)
			}
			if s.pub != nil {
				if err := s.get(ctx, s.metadata.feed, basic(s.pub.ID, "")).is("401"); err != nil {
					return fmt.Errorf("a public client: %w", err)
				}
			}
			if s.deaf != nil {
				if err := s.get(ctx, s.metadata.feed, basic(s.deaf.ID, s.deaf.Secret)).is("403"); err != nil {
					return fmt.Errorf("a client that may not introspect: %w", err)
				}
			}
			return s.snapshot(ctx)
		}},
	}
}

// snapshot reads the feed's first event. The feed has no end, so it is not an
// answer.
func (s *subject) snapshot(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.metadata.feed, nil)
	if err != nil {
		return plain(err)
	}
	r.Header = basic(s.rs.ID, s.rs.Secret)
	res, err := s.http.Do(r)
	if err != nil {
		return plain(err)
	}
	defer res.Body.Close()
	if kind := res.Header.Get("Content-Type"); res.StatusCode != 200 || !strings.HasPrefix(kind, "text/event-stream") {
		return fmt.Errorf("a resource server: got %d %s, want 200 text/event-stream", res.StatusCode, kind)
	}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if event, ok := strings.CutPrefix(lines.Text(), "event:"); ok {
			if event = strings.TrimSpace(event); event != "snapshot" {
				return fmt.Errorf("the feed begins with %s, want snapshot", event)
			}
			return nil
		}
	}
	return fmt.Errorf("the feed ended before its first event")
}
