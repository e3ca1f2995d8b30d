package storetest

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// advanceTable presents one token to a session at counter 5 whose last rotation
// was a minute ago. Each row edits a presentation that would succeed.
func advanceTable(t *testing.T, st authserver.SessionStore) {
	const grace = 10 * time.Second
	at := now()
	rotated := at.Add(-time.Minute)
	type edit = func(s *authserver.Session, a *authserver.Advance)
	for _, tc := range []struct {
		name string
		edit edit
		want authserver.Outcome // zero if refused
		err  error
	}{
		{"REF-001 the current token rotates", func(*authserver.Session, *authserver.Advance) {}, authserver.Rotated, nil},
		{"the first token rotates", func(s *authserver.Session, a *authserver.Advance) { s.Counter, a.Counter = 0, 0 }, authserver.Rotated, nil},
		{"a large counter rotates", func(s *authserver.Session, a *authserver.Advance) {
			s.Counter, a.Counter = math.MaxUint32-1, math.MaxUint32-1
		}, authserver.Rotated, nil},
		{"grace 0: the current token rotates", func(_ *authserver.Session, a *authserver.Advance) { a.Grace = 0 }, authserver.Rotated, nil},
		{"a clock that is behind: the current token rotates", func(_ *authserver.Session, a *authserver.Advance) {
			a.Now = rotated.Add(-time.Hour)
		}, authserver.Rotated, nil},
		{"REF-018 the idle deadline never passes the absolute one", func(s *authserver.Session, a *authserver.Advance) {
			s.Deadline = at.Add(time.Hour)
			s.IdleDeadline = s.Deadline
		}, authserver.Rotated, nil},

		{"REF-012 a lost answer can be asked for again", func(_ *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now = 4, rotated.Add(time.Second)
		}, authserver.Repeated, nil},
		{"the last moment of the grace period", func(_ *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now = 4, rotated.Add(grace)
		}, authserver.Repeated, nil},
		{"a clock that is behind: the token before repeats", func(_ *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now = 4, rotated.Add(-time.Second)
		}, authserver.Repeated, nil},
		{"REF-014 after the grace period: reuse", func(_ *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now = 4, rotated.Add(grace+time.Millisecond)
		}, authserver.Reused, nil},
		{"REF-010 grace 0: the token before is reuse at once", func(_ *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now, a.Grace = 4, rotated, 0
		}, authserver.Reused, nil},
		{"grace 0: reuse even by a clock that is behind", func(_ *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now, a.Grace = 4, rotated.Add(-time.Second), 0
		}, authserver.Reused, nil},
		{"two before is reuse within the grace period", func(_ *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now = 3, rotated.Add(time.Second)
		}, authserver.Reused, nil},
		{"the very first token again", func(_ *authserver.Session, a *authserver.Advance) { a.Counter = 0 }, authserver.Reused, nil},

		{"REF-031 one ahead: the store has lost a write", func(_ *authserver.Session, a *authserver.Advance) { a.Counter = 6 }, authserver.Recovered, nil},
		{"far ahead", func(_ *authserver.Session, a *authserver.Advance) { a.Counter = math.MaxUint32 - 1 }, authserver.Recovered, nil},
		{"grace 0: ahead", func(_ *authserver.Session, a *authserver.Advance) { a.Counter, a.Grace = 6, 0 }, authserver.Recovered, nil},

		{"the moment before the idle deadline", func(s *authserver.Session, a *authserver.Advance) {
			a.Now = s.IdleDeadline.Add(-time.Millisecond)
		}, authserver.Rotated, nil},
		{"REF-017 the idle deadline", func(s *authserver.Session, a *authserver.Advance) { a.Now = s.IdleDeadline }, 0, authserver.ErrSessionExpired},
		{"REF-018 the absolute deadline", func(s *authserver.Session, a *authserver.Advance) {
			s.IdleDeadline, a.Now = s.Deadline, s.Deadline
		}, 0, authserver.ErrSessionExpired},
		{"the moment before the absolute deadline", func(s *authserver.Session, a *authserver.Advance) {
			s.IdleDeadline, a.Now = s.Deadline, s.Deadline.Add(-time.Millisecond)
		}, authserver.Rotated, nil},
		{"the token before at the idle deadline", func(s *authserver.Session, a *authserver.Advance) {
			a.Counter, a.Now, a.Grace = 4, s.IdleDeadline, lifetime
		}, 0, authserver.ErrSessionExpired},

		{"REF-004 another client", func(_ *authserver.Session, a *authserver.Advance) { a.ClientID = "other" }, 0, authserver.ErrWrongClient},
		{"no client", func(_ *authserver.Session, a *authserver.Advance) { a.ClientID = "" }, 0, authserver.ErrWrongClient},
		{"a client of the same id, in other case", func(_ *authserver.Session, a *authserver.Advance) { a.ClientID = "WEB" }, 0, authserver.ErrWrongClient},
		{"a later client of the same id", func(_ *authserver.Session, a *authserver.Advance) { a.ClientIncarnation++ }, 0, authserver.ErrWrongClient},
		{"another client with the token before", func(_ *authserver.Session, a *authserver.Advance) {
			a.ClientID, a.Counter, a.Now = "other", 4, rotated
		}, 0, authserver.ErrWrongClient},
		{"another client with an old token ends nothing", func(_ *authserver.Session, a *authserver.Advance) {
			a.ClientID, a.Counter = "other", 0
		}, 0, authserver.ErrWrongClient},
		{"another client with a token that is ahead", func(_ *authserver.Session, a *authserver.Advance) {
			a.ClientID, a.Counter = "other", 6
		}, 0, authserver.ErrWrongClient},

		{"a wrong secret", func(_ *authserver.Session, a *authserver.Advance) { a.Secret[15] ^= 1 }, 0, authserver.ErrWrongSecret},
		{"no secret", func(_ *authserver.Session, a *authserver.Advance) { a.Secret = [16]byte{} }, 0, authserver.ErrWrongSecret},
		{"a wrong secret with an old counter ends nothing", func(_ *authserver.Session, a *authserver.Advance) {
			a.Secret[0] ^= 1
			a.Counter = 0
		}, 0, authserver.ErrWrongSecret},
		{"a wrong secret with a counter that is ahead", func(_ *authserver.Session, a *authserver.Advance) {
			a.Secret[0] ^= 1
			a.Counter = 6
		}, 0, authserver.ErrWrongSecret},

		{"REF-008 a narrower scope", func(_ *authserver.Session, a *authserver.Advance) { a.Scope = []string{"read:all"} }, authserver.Rotated, nil},
		{"the whole scope, in another order", func(_ *authserver.Session, a *authserver.Advance) {
			a.Scope = []string{"read:all", "write", "read"}
		}, authserver.Rotated, nil},
		{"a narrower scope with the token before", func(_ *authserver.Session, a *authserver.Advance) {
			a.Scope, a.Counter, a.Now = []string{"write"}, 4, rotated
		}, authserver.Repeated, nil},
		{"REF-007 a scope that the session has not", func(_ *authserver.Session, a *authserver.Advance) { a.Scope = []string{"admin"} }, 0, authserver.ErrScopeTooWide},
		{"one scope of several that the session has not", func(_ *authserver.Session, a *authserver.Advance) {
			a.Scope = []string{"read", "admin", "write"}
		}, 0, authserver.ErrScopeTooWide},
		{"the beginning of a scope's name", func(_ *authserver.Session, a *authserver.Advance) { a.Scope = []string{"rea"} }, 0, authserver.ErrScopeTooWide},
		{"the end of a scope's name", func(_ *authserver.Session, a *authserver.Advance) { a.Scope = []string{"all"} }, 0, authserver.ErrScopeTooWide},
		{"a scope in other case", func(_ *authserver.Session, a *authserver.Advance) { a.Scope = []string{"READ"} }, 0, authserver.ErrScopeTooWide},
		{"a scope that is a pattern", func(_ *authserver.Session, a *authserver.Advance) { a.Scope = []string{"%"} }, 0, authserver.ErrScopeTooWide},
		{"a scope that is another kind of pattern", func(_ *authserver.Session, a *authserver.Advance) { a.Scope = []string{"re.d", "w*"} }, 0, authserver.ErrScopeTooWide},
		{"any scope of a session without", func(s *authserver.Session, a *authserver.Advance) {
			s.Scope, a.Scope = nil, []string{"read"}
		}, 0, authserver.ErrScopeTooWide},
		{"a wider scope with an old token ends nothing", func(_ *authserver.Session, a *authserver.Advance) {
			a.Scope, a.Counter = []string{"admin"}, 0
		}, 0, authserver.ErrScopeTooWide},
		{"scopes of every character that the grammar has", func(s *authserver.Session, a *authserver.Advance) {
			s.Scope = []string{"a'b", "100%", "x_y", "[*]?", "~!#$&()+,-./:;<=>@^`{|}"}
			a.Scope = s.Scope[1:]
		}, authserver.Rotated, nil},

		{"one of the session's resources", func(s *authserver.Session, a *authserver.Advance) {
			s.Resources = []string{"https://one.example", "https://two.example/x?y=%20"}
			a.Resources = s.Resources[1:]
			a.Scope = []string{"read"}
		}, authserver.Rotated, nil},
		{"a resource that the session has not", func(_ *authserver.Session, a *authserver.Advance) {
			a.Resources = []string{"https://other.example"}
		}, 0, authserver.ErrTargetTooWide},
		{"a scope by the name of a resource", func(s *authserver.Session, a *authserver.Advance) {
			a.Scope = s.Resources
		}, 0, authserver.ErrScopeTooWide},
		{"the beginning of a resource", func(s *authserver.Session, a *authserver.Advance) {
			s.Resources = []string{"https://one.example/api"}
			a.Resources = []string{"https://one.example"}
		}, 0, authserver.ErrTargetTooWide},

		{"AUT-041 what a browser opened keeps the person's address", func(s *authserver.Session, _ *authserver.Advance) { s.Parent = bareID() }, authserver.Rotated, nil},
		{"a login anew", func(s *authserver.Session, a *authserver.Advance) {
			s.AuthTime, s.AMR = rotated, []string{"pwd"}
			a.AuthTime, a.AMR = at, []string{"pwd", "otp", "mfa"}
		}, authserver.Rotated, nil},
		{"the login stays", func(s *authserver.Session, _ *authserver.Advance) {
			s.AuthTime, s.AMR, s.ConsentEpoch = rotated, []string{"pwd"}, 7
		}, authserver.Rotated, nil},
		{"kept: the current token", func(_ *authserver.Session, a *authserver.Advance) { a.Keep = true }, authserver.Kept, nil},
		{"kept: near the absolute deadline", func(s *authserver.Session, a *authserver.Advance) {
			a.Keep, s.Deadline = true, at.Add(time.Hour)
			s.IdleDeadline = s.Deadline
		}, authserver.Kept, nil},
		{"kept: the token before", func(_ *authserver.Session, a *authserver.Advance) { a.Keep, a.Counter = true, 4 }, 0, authserver.ErrWrongSecret},
		{"kept: one that is ahead", func(_ *authserver.Session, a *authserver.Advance) { a.Keep, a.Counter = true, 6 }, 0, authserver.ErrWrongSecret},
		{"kept: a wrong secret", func(_ *authserver.Session, a *authserver.Advance) {
			a.Keep = true
			a.Secret[3] ^= 1
		}, 0, authserver.ErrWrongSecret},
		{"kept: the idle deadline", func(s *authserver.Session, a *authserver.Advance) { a.Keep, a.Now = true, s.IdleDeadline }, 0, authserver.ErrSessionExpired},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, secret := newSession(newSubject(), at.Add(-time.Hour))
			s.Counter = 5
			s.RotatedAt, s.LastUsedAt = rotated, rotated
			a := present(s, secret, at)
			a.Grace = grace
			tc.edit(&s, &a)
			mustOpen(t, st, s)
			advance(t, st, s, a, tc.want, tc.err)
		})
	}
}

// advance presents a to the store's s, and compares with what Judge makes of it.
// It returns the session as it then is.
func advance(t *testing.T, st authserver.SessionStore, s authserver.Session, a authserver.Advance, want authserver.Outcome, wantErr error) authserver.Session {
	t.Helper()
	after, judged, judgedErr := s.Judge(a)
	if judged != want || !errors.Is(judgedErr, wantErr) {
		t.Fatalf("the case is wrong: Judge says %v, %v; want %v, %v", judged, judgedErr, want, wantErr)
	}
	got, outcome, err := st.Advance(t.Context(), s.ID, a)
	if !errors.Is(err, wantErr) {
		t.Fatalf("got %v, %v; want %v, %v", outcome, err, want, wantErr)
	}
	if err == nil {
		if outcome != want {
			t.Fatalf("got %v, want %v", outcome, want)
		}
		same(t, after, got)
	}
	wantSession(t, st, after)
	return after
}
