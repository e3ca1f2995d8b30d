package storetest

import (
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/tokenwright/tokenwright/authserver"
)

// Sessions holds a SessionStore to its contract. Wherever a case needs time to
// have passed it says so in Advance.Now, so that a store that forgets by its
// own clock still has the session.
func Sessions(t *testing.T, open func(t *testing.T) authserver.SessionStore) {
	t.Run("a session comes back as it was opened", func(t *testing.T) { sessionRoundTrip(t, open(t)) })
	t.Run("what is not there is not found", func(t *testing.T) { sessionNotFound(t, open(t)) })
	t.Run("a session past its deadlines is not there", func(t *testing.T) { sessionPast(t, open(t)) })
	t.Run("Drop", func(t *testing.T) { sessionDrop(t, open(t)) })
	t.Run("Open names the sessions that are too many", func(t *testing.T) { sessionExcess(t, open(t)) })
	t.Run("Open refuses an id that is there", func(t *testing.T) { sessionTwice(t, open(t)) })
	t.Run("a code that was not redeemed counts nowhere", func(t *testing.T) { sessionPending(t, open(t)) })
	t.Run("AUT-040 browser sessions count by themselves, renewals go first", func(t *testing.T) { sessionExcessOfBrowser(t, open(t)) })
	t.Run("listing", func(t *testing.T) { sessionListing(t, open(t)) })
	t.Run("Advance", func(t *testing.T) { advanceTable(t, open(t)) })
	t.Run("Advance through a session's life", func(t *testing.T) { advanceLife(t, open(t)) })
	t.Run("Advance in parallel", func(t *testing.T) { advanceParallel(t, open) })
	t.Run("Advance agrees with Judge", func(t *testing.T) { advanceModel(t, open(t)) })
	t.Run("the caller's cancellation is recognisable", func(t *testing.T) { sessionCancelled(t, open(t)) })
	t.Run("Ping returns the store's clock", func(t *testing.T) {
		at, err := open(t).Ping(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(at).Abs(); d > 5*time.Second {
			t.Errorf("the clock is %v off", d)
		}
	})
}

const (
	idleLifetime = 7 * 24 * time.Hour
	lifetime     = 30 * 24 * time.Hour
)

// now is the present in the precision that stores keep.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// newSession is a session just opened, and the secret of its tokens.
func newSession(subject string, at time.Time) (authserver.Session, [16]byte) {
	var id, secret [16]byte
	rand.Read(id[:])
	rand.Read(secret[:])
	return authserver.Session{
		ID:       authserver.SessionIDText(id),
		Subject:  subject,
		ClientID: "web",
		// Too large for a float64: a store that counts in doubles loses the end.
		ClientIncarnation: 1<<62 + 1,
		Scope:             []string{"read", "write", "read:all"},
		Resources:         []string{"https://api.example.test", "https://other.example.test"},
		SessionEpoch:      1 << 40,
		SecretHash:        sha256.Sum256(secret[:]),
		Counter:           1,
		RotatedAt:         at,
		CreatedAt:         at,
		LastUsedAt:        at,
		IdleDeadline:      at.Add(idleLifetime),
		Deadline:          at.Add(lifetime),
		IP:                "2001:db8::1",
		UserAgent:         "Mozilla/5.0 \"quoted\" 'and' 100% ünï\tcode",
	}, secret
}

// present is a presentation of s's current token that is to succeed.
func present(s authserver.Session, secret [16]byte, at time.Time) authserver.Advance {
	return authserver.Advance{
		Counter:           s.Counter,
		Secret:            secret,
		ClientID:          s.ClientID,
		ClientIncarnation: s.ClientIncarnation,
		Now:               at,
		Grace:             10 * time.Second,
		IdleLifetime:      idleLifetime,
		IP:                "192.0.2.7",
		UserAgent:         "curl/8",
	}
}

func newSubject() string { return uuid.NewString() }

func mustOpen(t *testing.T, st authserver.SessionStore, sessions ...authserver.Session) {
	t.Helper()
	for _, s := range sessions {
		excess, err := st.Open(t.Context(), s, 0)
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		if len(excess) > 0 {
			t.Fatalf("Open without a bound named %v", excess)
		}
	}
}

// wantSession compares what the store has with want.
func wantSession(t *testing.T, st authserver.SessionStore, want authserver.Session) {
	t.Helper()
	got, err := st.Session(t.Context(), want.ID)
	if err != nil {
		t.Fatalf("Session: %v", err)
	}
	same(t, want, got)
}

func same(t *testing.T, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(authserver.User{}, "UpdatedAt")); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func sameIDs(t *testing.T, got []string, want ...authserver.Session) {
	t.Helper()
	var ids []string
	for _, s := range want {
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	got = slices.Sorted(slices.Values(got))
	same(t, ids, got)
}
