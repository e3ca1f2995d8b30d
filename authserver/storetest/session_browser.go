package storetest

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

func bareID() string {
	var id [16]byte
	rand.Read(id[:])
	return authserver.SessionIDText(id)
}

func sessionTwice(t *testing.T, st authserver.SessionStore) {
	at := now()
	s, secret := newSession(newSubject(), at)
	s.Counter = 0
	mustOpen(t, st, s)
	redeemed, outcome, err := st.Advance(t.Context(), s.ID, present(s, secret, at))
	if err != nil || outcome != authserver.Rotated {
		t.Fatalf("Advance: %v, %v", outcome, err)
	}
	if _, err := st.Open(t.Context(), s, 0); !errors.Is(err, authserver.ErrConflict) {
		t.Errorf("Open: got %v, want %v", err, authserver.ErrConflict)
	}
	wantSession(t, st, redeemed)
}

func sessionPending(t *testing.T, st authserver.SessionStore) {
	at := now()
	subject := newSubject()
	code, secret := newSession(subject, at)
	code.Counter, code.IdleDeadline = 0, at.Add(time.Minute)
	a, _ := newSession(subject, at.Add(-time.Second))
	b, _ := newSession(subject, at.Add(time.Second))
	mustOpen(t, st, code, a)
	if excess, err := st.Open(t.Context(), b, 2); err != nil || len(excess) > 0 {
		t.Errorf("Open: got %v, %v; want none", excess, err)
	}
	list, total, err := st.Sessions(t.Context(), subject, authserver.Page{})
	if err != nil || total != 2 {
		t.Fatalf("Sessions: %d, %v; want 2", total, err)
	}
	same(t, []authserver.Session{b, a}, list)
	wantSession(t, st, code)

	if _, outcome, err := st.Advance(t.Context(), code.ID, present(code, secret, at.Add(2*time.Second))); err != nil || outcome != authserver.Rotated {
		t.Fatalf("Advance: %v, %v", outcome, err)
	}
	if _, total, err := st.Sessions(t.Context(), subject, authserver.Page{}); err != nil || total != 3 {
		t.Errorf("Sessions: %d, %v; want 3", total, err)
	}
}

func sessionExcessOfBrowser(t *testing.T, st authserver.SessionStore) {
	at := now()
	subject := newSubject()
	session := func(client, parent string, after time.Duration) authserver.Session {
		s, _ := newSession(subject, at.Add(after*time.Second))
		s.ClientID, s.Parent = client, parent
		return s
	}
	browser := session(authserver.BrowserClientID, "", -9)
	phone := session("phone", "", -8)
	spa := session("spa", browser.ID, -7)
	other := session("other", browser.ID, -6)
	mustOpen(t, st, browser, phone, spa, other)
	for _, tc := range []struct {
		name  string
		opens authserver.Session
		most  int
		want  []authserver.Session
	}{
		{"a renewal puts out the one that it renews", session("spa", browser.ID, 0), 3, []authserver.Session{spa}},
		{"the client's, but of another browser", session("spa", bareID(), 1), 4, []authserver.Session{phone}},
		{"another browser session", session(authserver.BrowserClientID, "", 2), 1, []authserver.Session{browser}},
		{"another of the browser is put out last", session("new", browser.ID, 3), 5, []authserver.Session{phone}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			excess, err := st.Open(t.Context(), tc.opens, tc.most)
			if err != nil {
				t.Fatal(err)
			}
			sameIDs(t, excess, tc.want...)
		})
	}
}
