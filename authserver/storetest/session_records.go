package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

func sessionRoundTrip(t *testing.T, st authserver.SessionStore) {
	at := now()
	full, _ := newSession(newSubject(), at)
	full.Counter = 1<<32 - 2
	full.RotatedAt, full.LastUsedAt = at.Add(time.Millisecond), at.Add(2*time.Millisecond)
	full.Parent, full.AuthTime, full.AMR, full.ConsentEpoch = bareID(), at.Add(-time.Hour), []string{"pwd", "otp", "mfa"}, 1<<40
	full.Claims = []string{"userinfo.email_verified", "userinfo.preferred_username", "id_token.name", "id_token.email"}

	bare, _ := newSession(newSubject(), at)
	bare.ClientIncarnation = -1 << 63
	bare.Scope, bare.Resources, bare.IP, bare.UserAgent = nil, nil, "", ""

	mustOpen(t, st, full, bare)
	wantSession(t, st, full)
	wantSession(t, st, bare)
}

func sessionNotFound(t *testing.T, st authserver.SessionStore) {
	s, secret := newSession(newSubject(), now())
	if _, err := st.Session(t.Context(), s.ID); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("Session: got %v, want %v", err, authserver.ErrNotFound)
	}
	if _, _, err := st.Advance(t.Context(), s.ID, present(s, secret, now())); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("Advance: got %v, want %v", err, authserver.ErrNotFound)
	}
	list, total, err := st.Sessions(t.Context(), s.Subject, authserver.Page{Limit: 10})
	if err != nil || len(list) != 0 || total != 0 {
		t.Errorf("Sessions: got %v, %d, %v; want none", list, total, err)
	}
}

func sessionPast(t *testing.T, st authserver.SessionStore) {
	at := now()
	subject := newSubject()
	idle, secret := newSession(subject, at.Add(-time.Hour))
	idle.IdleDeadline = at.Add(-time.Second)
	over, _ := newSession(subject, at.Add(-time.Hour))
	over.IdleDeadline, over.Deadline = at.Add(-time.Second), at.Add(-time.Second)
	mustOpen(t, st, idle, over)

	for _, s := range []authserver.Session{idle, over} {
		if _, err := st.Session(t.Context(), s.ID); !errors.Is(err, authserver.ErrNotFound) {
			t.Errorf("Session: got %v, want %v", err, authserver.ErrNotFound)
		}
	}
	list, total, err := st.Sessions(t.Context(), subject, authserver.Page{Limit: 10})
	if err != nil || len(list) != 0 || total != 0 {
		t.Errorf("Sessions: got %v, %d, %v; want none", list, total, err)
	}
	if _, _, err := st.Advance(t.Context(), idle.ID, present(idle, secret, at)); !errors.Is(err, authserver.ErrSessionExpired) && !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("Advance: got %v, want %v or %v", err, authserver.ErrSessionExpired, authserver.ErrNotFound)
	}

	live, _ := newSession(subject, at)
	excess, err := st.Open(t.Context(), live, 1)
	if err != nil || len(excess) != 0 {
		t.Errorf("Open counted the dead: %v, %v", excess, err)
	}
}

func sessionDrop(t *testing.T, st authserver.SessionStore) {
	at := now()
	subject := newSubject()
	s, secret := newSession(subject, at)
	other, _ := newSession(subject, at)
	mustOpen(t, st, s, other)
	for range 2 { // the second time it is not there
		if err := st.Drop(t.Context(), s.ID); err != nil {
			t.Fatalf("Drop: %v", err)
		}
	}
	if _, err := st.Session(t.Context(), s.ID); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("Session: got %v, want %v", err, authserver.ErrNotFound)
	}
	if _, _, err := st.Advance(t.Context(), s.ID, present(s, secret, at)); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("Advance: got %v, want %v", err, authserver.ErrNotFound)
	}
	list, total, err := st.Sessions(t.Context(), subject, authserver.Page{})
	if err != nil || total != 1 {
		t.Fatalf("Sessions: %d, %v; want 1", total, err)
	}
	same(t, []authserver.Session{other}, list)
}

func sessionExcess(t *testing.T, st authserver.SessionStore) {
	at := now()
	subject := newSubject()
	stranger, _ := newSession(newSubject(), at)
	a, secret := newSession(subject, at)
	b, _ := newSession(subject, at.Add(time.Second))
	c, _ := newSession(subject, at.Add(2*time.Second))
	mustOpen(t, st, stranger, a)

	open := func(s authserver.Session, perUser int, want ...authserver.Session) {
		t.Helper()
		excess, err := st.Open(t.Context(), s, perUser)
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		sameIDs(t, excess, want...)
	}
	open(b, 2)
	open(c, 2, a)
	// Named, not gone: ending them is the caller's, and comes first.
	wantSession(t, st, a)

	// a is used, so that b is now the least recently used.
	if _, outcome, err := st.Advance(t.Context(), a.ID, present(a, secret, at.Add(3*time.Second))); err != nil || outcome != authserver.Rotated {
		t.Fatalf("Advance: %v, %v", outcome, err)
	}
	d, _ := newSession(subject, at.Add(4*time.Second))
	open(d, 3, b)
	e, _ := newSession(subject, at.Add(-time.Hour)) // by the clock of a server that is behind
	open(e, 2, a, b, c)
	f, _ := newSession(subject, at.Add(5*time.Second))
	open(f, 1, a, b, c, d, e)
	wantSession(t, st, stranger)
}

func sessionListing(t *testing.T, st authserver.SessionStore) {
	at := now()
	subject := newSubject()
	var all []authserver.Session // the last used first
	for i := range 5 {
		s, _ := newSession(subject, at.Add(-time.Duration(i)*time.Second))
		all = append(all, s)
	}
	stranger, _ := newSession(newSubject(), at)
	mustOpen(t, st, all[3], all[0], stranger, all[4], all[2], all[1])

	for _, tc := range []struct {
		name string
		page authserver.Page
		want []authserver.Session
	}{
		{"all", authserver.Page{}, all},
		{"a first page", authserver.Page{Limit: 2}, all[:2]},
		{"a page in the middle", authserver.Page{Limit: 2, Offset: 1}, all[1:3]},
		{"a short last page", authserver.Page{Limit: 10, Offset: 4}, all[4:]},
		{"no limit with an offset", authserver.Page{Offset: 2}, all[2:]},
		{"past the end", authserver.Page{Limit: 2, Offset: 5}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, total, err := st.Sessions(t.Context(), subject, tc.page)
			if err != nil || total != len(all) {
				t.Fatalf("got %d in all, %v; want %d", total, err, len(all))
			}
			same(t, tc.want, got)
		})
	}
}

func sessionCancelled(t *testing.T, st authserver.SessionStore) {
	s, secret := newSession(newSubject(), now())
	mustOpen(t, st, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := st.Advance(ctx, s.ID, present(s, secret, now())); !errors.Is(err, context.Canceled) {
		t.Errorf("Advance: got %v, want %v", err, context.Canceled)
	}
	if _, err := st.Session(ctx, s.ID); !errors.Is(err, context.Canceled) {
		t.Errorf("Session: got %v, want %v", err, context.Canceled)
	}
	wantSession(t, st, s)
}
