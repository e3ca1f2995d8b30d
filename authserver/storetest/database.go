package storetest

import (
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// Database is everything but sessions, which may be kept elsewhere. What ends
// in one contract shows in another, so that the suites need it whole. Each case
// gets an empty one.
type Database interface {
	authserver.FactStore
	authserver.UserStore
	authserver.ClientStore
	authserver.ConsentStore
	authserver.KeyStore
	authserver.RevocationLog
	authserver.AuditLog
	authserver.MetaStore
}

// ahead is a user's epochs at first: so far ahead of any clock that each raising
// adds one.
const ahead = 1 << 40

func newUser(username, email string) authserver.NewUser {
	return authserver.NewUser{
		User: authserver.User{
			Subject: newSubject(), Username: username, Email: email, FullName: "Ünï " + username,
			Roles: []string{"user", "editor"}, Active: true, CreatedAt: now(),
			Epoch: ahead, SessionEpoch: ahead,
		},
		PasswordHash: "$argon2id$of$" + username,
	}
}

func mustAdd(t *testing.T, db Database, username, email string) authserver.User {
	t.Helper()
	u, err := db.AddUser(t.Context(), newUser(username, email), event("user.add"))
	if err != nil {
		t.Fatalf("AddUser: %v", err)
	}
	return u
}

func event(act string) authserver.Event {
	return authserver.Event{At: now(), Act: act, Result: "success", Actor: "cli"}
}

// acts lists what the audit log has, the oldest first.
func acts(t *testing.T, db Database) []string {
	t.Helper()
	events, err := db.Events(t.Context(), authserver.Page{})
	if err != nil {
		t.Fatalf("Events: %v", err)
	}
	var out []string
	for _, e := range events {
		out = append([]string{e.Act}, out...)
	}
	return out
}

// revocations lists what has ended, without Until: that is compared with lives.
func revocations(t *testing.T, db Database, access time.Duration) []authserver.Revocation {
	t.Helper()
	live, head, err := db.Revocations(t.Context(), 0)
	if err != nil {
		t.Fatalf("Revocations: %v", err)
	}
	if len(live) > 0 && live[len(live)-1].Seq != head {
		t.Errorf("head is %d, the last entry %d", head, live[len(live)-1].Seq)
	}
	for i := range live {
		if d := time.Until(live[i].Until) - access - time.Minute; d > 0 || d < -10*time.Second {
			t.Errorf("entry %d lives %v too long", live[i].Seq, d)
		}
		live[i].Until = time.Time{}
	}
	return live
}

func ptr[T any](v T) *T { return &v }
