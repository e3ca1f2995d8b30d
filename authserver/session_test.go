package authserver

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The table of the rule of presentation: each row is one deviation from a
// presentation that rotates.
func TestJudge(t *testing.T) {
	start := time.UnixMilli(1_800_000_000_000)
	secret := [16]byte{1, 2, 3}
	session := Session{
		ID: "s", Subject: "u", ClientID: "app", ClientIncarnation: 5,
		Scope: []string{"read", "write"}, Resources: []string{"https://a", "https://b"},
		SecretHash: sha256.Sum256(secret[:]),
		Counter:    4, RotatedAt: start, CreatedAt: start, LastUsedAt: start,
		IdleDeadline: start.Add(time.Hour), Deadline: start.Add(90 * time.Minute),
	}
	for _, tc := range []struct {
		name    string
		edit    func(*Session, *Advance)
		outcome Outcome
		err     error
		counter uint32
	}{
		{"REF-001 the current token rotates", func(*Session, *Advance) {}, Rotated, nil, 5},
		{"REF-008 a narrower scope", func(_ *Session, a *Advance) { a.Scope = []string{"read"} }, Rotated, nil, 5},
		{"one of the session's resources", func(_ *Session, a *Advance) { a.Resources = []string{"https://b"} }, Rotated, nil, 5},
		{"REF-012 the token before, within the grace period", func(_ *Session, a *Advance) { a.Counter = 3 }, Repeated, nil, 4},
		{"REF-012 at its last moment", func(_ *Session, a *Advance) { a.Counter = 3; a.Now = start.Add(10 * time.Second) }, Repeated, nil, 4},
		{"REF-014 the token before, after it", func(_ *Session, a *Advance) { a.Counter = 3; a.Now = start.Add(10*time.Second + 1) }, Reused, nil, 4},
		{"REF-010 the token before, with no grace period", func(_ *Session, a *Advance) { a.Counter = 3; a.Grace = 0; a.Now = start }, Reused, nil, 4},
		{"the token before, by a server whose clock is behind", func(_ *Session, a *Advance) { a.Counter = 3; a.Now = start.Add(-time.Minute) }, Repeated, nil, 4},
		{"REF-013 the token before that", func(_ *Session, a *Advance) { a.Counter = 2 }, Reused, nil, 4},
		{"REF-031 a token ahead of the store", func(_ *Session, a *Advance) { a.Counter = 9 }, Recovered, nil, 10},
		{"REF-007 a wider scope", func(_ *Session, a *Advance) { a.Scope = []string{"read", "admin"} }, 0, ErrScopeTooWide, 4},
		{"an older token with a wider scope", func(_ *Session, a *Advance) { a.Counter = 1; a.Scope = []string{"admin"} }, 0, ErrScopeTooWide, 4},
		{"another resource", func(_ *Session, a *Advance) { a.Resources = []string{"https://c"} }, 0, ErrTargetTooWide, 4},
		{"REF-004 another client", func(_ *Session, a *Advance) { a.ClientID = "other" }, 0, ErrWrongClient, 4},
		{"a later client of the same id", func(_ *Session, a *Advance) { a.ClientIncarnation = 6 }, 0, ErrWrongClient, 4},
		{"another secret", func(_ *Session, a *Advance) { a.Secret[0]++ }, 0, ErrWrongSecret, 4},
		{"REF-017 past the idle deadline", func(_ *Session, a *Advance) { a.Now = start.Add(time.Hour) }, 0, ErrSessionExpired, 4},
		{"REF-018 past the absolute deadline", func(s *Session, a *Advance) {
			a.Now = start.Add(90 * time.Minute)
			s.IdleDeadline = start.Add(2 * time.Hour)
		}, 0, ErrSessionExpired, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := session
			a := Advance{
				Counter: 4, Secret: secret, ClientID: "app", ClientIncarnation: 5,
				Now: start.Add(2 * time.Second), Grace: 10 * time.Second, IdleLifetime: time.Hour,
				IP: "192.0.2.1", UserAgent: "test",
			}
			tc.edit(&s, &a)
			before := s
			got, outcome, err := s.Judge(a)
			if outcome != tc.outcome || !errors.Is(err, tc.err) || got.Counter != tc.counter {
				t.Fatalf("got %v, %v, counter %d; want %v, %v, counter %d", outcome, err, got.Counter, tc.outcome, tc.err, tc.counter)
			}
			if outcome != Rotated && outcome != Recovered {
				if diff := cmp.Diff(before, got); diff != "" {
					t.Errorf("something changed: %s", diff)
				}
				return
			}
			want := before
			want.Counter, want.RotatedAt, want.LastUsedAt = tc.counter, a.Now, a.Now
			want.IdleDeadline = a.Now.Add(time.Hour)
			want.IP, want.UserAgent = a.IP, a.UserAgent
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got: %s", diff)
			}
		})
	}
}

// REF-018: the idle deadline slides up to the absolute one and no further.
func TestTheIdleDeadlineNeverPassesTheAbsoluteOne(t *testing.T) {
	start := time.UnixMilli(1_800_000_000_000)
	secret := [16]byte{7}
	s := Session{ClientID: "app", SecretHash: sha256.Sum256(secret[:]), IdleDeadline: start.Add(time.Hour), Deadline: start.Add(150 * time.Minute)}
	now := start
	for {
		next, _, err := s.Judge(Advance{Counter: s.Counter, Secret: secret, ClientID: "app", Now: now, IdleLifetime: time.Hour})
		if errors.Is(err, ErrSessionExpired) {
			break
		}
		if next.IdleDeadline.After(next.Deadline) || next.Deadline != s.Deadline {
			t.Fatalf("deadlines are %v and %v", next.IdleDeadline, next.Deadline)
		}
		s, now = next, now.Add(50*time.Minute)
	}
	if got := now.Sub(start); got != 150*time.Minute {
		t.Errorf("the session ended after %v, want 2h30m", got)
	}
}
