package sqlstore_test

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
)

func benchSession(subject string) (authserver.Session, [16]byte) {
	var id, secret [16]byte
	rand.Read(id[:])
	rand.Read(secret[:])
	at := time.Now()
	return authserver.Session{
		ID: authserver.SessionIDText(id), Subject: subject, ClientID: "web", ClientIncarnation: 7,
		Scope: []string{"read", "write", "profile"}, SecretHash: sha256.Sum256(secret[:]),
		RotatedAt: at, CreatedAt: at, LastUsedAt: at, IdleDeadline: at.Add(time.Hour), Deadline: at.Add(2 * time.Hour),
		IP: "192.0.2.7", UserAgent: "Mozilla/5.0 (X11; Linux x86_64)",
	}, secret
}

// engines runs f on both, each of which waits for the disk.
func engines(b *testing.B, f func(b *testing.B, d *sqlstore.DB)) {
	b.Run("SQLite", func(b *testing.B) { f(b, openNew(b)) })
	b.Run("PostgreSQL", func(b *testing.B) { f(b, openURL(b, pgtest.New(b, "fsync=on").URL)) })
}

func BenchmarkOpen(b *testing.B) { engines(b, benchOpen) }

func benchOpen(b *testing.B, d *sqlstore.DB) {
	b.ReportAllocs()
	for b.Loop() {
		s, _ := benchSession(uuid.NewString())
		if _, err := d.Open(b.Context(), s, 100); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAdvance(b *testing.B) { engines(b, benchAdvance) }

func benchAdvance(b *testing.B, d *sqlstore.DB) {
	s, secret := benchSession(uuid.NewString())
	if _, err := d.Open(b.Context(), s, 100); err != nil {
		b.Fatal(err)
	}
	a := authserver.Advance{Secret: secret, ClientID: "web", ClientIncarnation: 7, Now: time.Now(), IdleLifetime: time.Hour, IP: "192.0.2.7"}
	b.ReportAllocs()
	for b.Loop() {
		after, outcome, err := d.Advance(b.Context(), s.ID, a)
		if err != nil || outcome != authserver.Rotated {
			b.Fatal(outcome, err)
		}
		a.Counter = after.Counter
	}
}

func BenchmarkAdvanceParallel(b *testing.B) { engines(b, benchAdvanceParallel) }

func benchAdvanceParallel(b *testing.B, d *sqlstore.DB) {
	b.ReportAllocs()
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		s, secret := benchSession(uuid.NewString())
		if _, err := d.Open(b.Context(), s, 100); err != nil {
			b.Error(err)
			return
		}
		a := authserver.Advance{Secret: secret, ClientID: "web", ClientIncarnation: 7, Now: time.Now(), IdleLifetime: time.Hour}
		for pb.Next() {
			after, outcome, err := d.Advance(b.Context(), s.ID, a)
			if err != nil || outcome != authserver.Rotated {
				b.Error(outcome, err)
				return
			}
			a.Counter = after.Counter
		}
	})
}

func BenchmarkFacts(b *testing.B) { engines(b, benchFacts) }

func benchFacts(b *testing.B, d *sqlstore.DB) {
	ask := fill(b, d, 1000)
	b.ReportAllocs()
	for b.Loop() {
		f, err := d.Facts(b.Context(), ask)
		if err != nil || f.Client == nil || f.User == nil {
			b.Fatal(f, err)
		}
	}
}

func BenchmarkFactsParallel(b *testing.B) { engines(b, benchFactsParallel) }

func benchFactsParallel(b *testing.B, d *sqlstore.DB) {
	ask := fill(b, d, 1000)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := d.Facts(b.Context(), ask); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkEnd(b *testing.B) { engines(b, benchEnd) }

func benchEnd(b *testing.B, d *sqlstore.DB) {
	b.ReportAllocs()
	for b.Loop() {
		err := d.End(b.Context(), []authserver.Ending{{Kind: authserver.KindSession, ID: uuid.NewString(), Reason: authserver.ReasonLogout}}, authserver.Event{Act: "session.end"})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// fill makes n users, a client and scopes, and returns a question for some.
func fill(b *testing.B, d *sqlstore.DB, n int) authserver.Ask {
	b.Helper()
	ask := authserver.Ask{ClientID: "web", SessionID: "none"}
	for i := range n {
		u := authserver.NewUser{PasswordHash: "hash"}
		u.Subject, u.Username, u.Email = uuid.NewString(), fmt.Sprint("user", i), fmt.Sprintf("user%d@example.com", i)
		u.Roles, u.Active = []string{"user"}, true
		if _, err := d.AddUser(b.Context(), u, authserver.Event{}); err != nil {
			b.Fatal(err)
		}
		ask.Subject = u.Subject
	}
	if err := d.AddClient(b.Context(), authserver.Client{ID: "web", Scopes: []string{"read"}}, authserver.Event{}); err != nil {
		b.Fatal(err)
	}
	for _, scope := range []string{"read", "write", "admin"} {
		if err := d.PutScope(b.Context(), scope, authserver.Scope{RequiresRole: "user"}, authserver.Event{}); err != nil {
			b.Fatal(err)
		}
	}
	return ask
}
