package keys_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/audit"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

const checkName = "secret_check"

// started is a server under one list of secrets, the current first.
type started struct {
	m       *keys.Master
	db      *sqlstore.DB
	ring    *keys.Ring
	clients *account.Clients
}

// start does what a start does: the check value, the audit chain, the keys.
func start(t *testing.T, db *sqlstore.DB, secrets ...string) started {
	t.Helper()
	s := started{m: master(t, secrets[0], secrets[1:]...), db: db}
	check, err := s.db.KeepMeta(t.Context(), checkName, s.m.CheckValue())
	if err != nil || !s.m.Opens(check) {
		t.Fatalf("the database was made under another secret, %v", err)
	}
	s.db.BeginChain(s.m.AuditKeys()[0])
	s.ring = ring(t, s.db, s.m, "ES256")
	s.clients = account.NewClients(account.Deps{Clients: s.db, Master: s.m, Limiter: limit.NewMemory(10), Logger: slog.New(slog.DiscardHandler)})
	return s
}

func (s started) reseal(t *testing.T) int {
	t.Helper()
	n, err := s.m.Reseal(t.Context(), s.db, checkName, "cli")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestChangeOfSecretKey takes two servers on one database from one SECRET_KEY to
// the next, one at a time. Whatever one has made the other takes, in each step.
func TestChangeOfSecretKey(t *testing.T) {
	t.Parallel()
	const a, b = secretOne, secretTwo
	path := filepath.Join(t.TempDir(), "test.db")
	dbs := []*sqlstore.DB{storeAt(t, path), storeAt(t, path)}
	servers := []started{start(t, dbs[0], a), start(t, dbs[1], a)}
	if _, _, err := servers[0].clients.Add(t.Context(), account.ClientSpec{
		ID: "conf", Secret: "conf-secret-0123456789abcdef", Grants: []string{authserver.GrantClientCredentials},
	}, "cli"); err != nil {
		t.Fatal(err)
	}
	first := sign(t, servers[0].ring, claims())
	refresh := authserver.RefreshToken{SessionID: [16]byte{1}, Subject: [16]byte{2}, Secret: [16]byte{3}, SessionEpoch: 1, Counter: 1}
	text := refresh.Encode(servers[0].m.RefreshKeys()[0])

	// each server takes what the other has made, and the log is sound.
	works := func(t *testing.T) {
		t.Helper()
		for i, s := range servers {
			other := servers[1-i]
			got, err := authserver.ParseRefreshToken(text, s.m.RefreshKeys())
			if err != nil || got != refresh {
				t.Fatalf("REF-001 the refresh token is not taken: %v", err)
			}
			refresh.Counter++
			text = refresh.Encode(s.m.RefreshKeys()[0])
			for _, token := range []string{first, sign(t, other.ring, claims())} {
				if _, err := verify(t, s.ring, token); err != nil {
					t.Fatal(err)
				}
			}
			c, err := s.db.Client(t.Context(), "conf")
			if err != nil {
				t.Fatal(err)
			}
			if err := s.clients.Authenticate(t.Context(), &c, "conf", "conf-secret-0123456789abcdef"); err != nil {
				t.Fatalf("CLI-013 the client is not known: %v", err)
			}
			if err := s.ring.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	sound := func(t *testing.T, m *keys.Master) {
		t.Helper()
		report, err := audit.Verify(t.Context(), servers[0].db, m.AuditKeys())
		if err != nil || len(report.Faults) > 0 {
			t.Fatalf("the audit log has the faults %v, %v", report.Faults, err)
		}
	}
	for _, step := range []struct {
		name    string
		server  int
		secrets []string
	}{
		{"one server knows the next", 0, []string{a, b}},
		{"all know the next", 1, []string{a, b}},
		{"one server has changed", 0, []string{b, a}},
		{"all have changed", 1, []string{b, a}},
	} {
		t.Run(step.name, func(t *testing.T) {
			servers[step.server] = start(t, dbs[step.server], step.secrets...)
			works(t)
			sound(t, servers[step.server].m)
		})
	}
	t.Run("a key made while one has changed opens on the other", func(t *testing.T) {
		servers[0] = start(t, dbs[0], a, b)
		if _, _, err := servers[1].ring.Rotate(t.Context(), "cli"); err != nil {
			t.Fatal(err)
		}
		works(t)
		servers[0] = start(t, dbs[0], b, a)
	})
	t.Run("the previous secret cannot be left out before keys are resealed", func(t *testing.T) {
		if _, err := keys.Open(t.Context(), servers[0].db, master(t, b), "ES256"); !errors.Is(err, keys.ErrWrongSecretKey) {
			t.Errorf("got %v, want %v", err, keys.ErrWrongSecretKey)
		}
		if _, err := master(t, b).Reseal(t.Context(), servers[0].db, checkName, "cli"); !errors.Is(err, keys.ErrWrongSecretKey) {
			t.Errorf("got %v, want %v", err, keys.ErrWrongSecretKey)
		}
	})
	t.Run("keys are resealed once", func(t *testing.T) {
		if n := servers[0].reseal(t); n != 1 {
			t.Errorf("%d keys were resealed, want the one that was sealed under the previous secret", n)
		}
		events := len(page(t, servers[0].db))
		if n := servers[0].reseal(t); n != 0 || len(page(t, servers[0].db)) != events {
			t.Errorf("%d keys were resealed again", n)
		}
		works(t)
		sound(t, servers[0].m)
	})
	t.Run("then one server has forgotten the previous, and all", func(t *testing.T) {
		works(t) // the client has authenticated and the session was refreshed since
		for i := range servers {
			servers[i] = start(t, dbs[i], b)
			works(t)
		}
	})
	t.Run("the audit log is verified with all the secrets that it was written under", func(t *testing.T) {
		sound(t, master(t, b, a))
	})
}

func page(t *testing.T, db *sqlstore.DB) []authserver.Event {
	t.Helper()
	events, err := db.Events(t.Context(), authserver.Page{})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestAKeyThatIsBurntMeanwhileIsNotResealed(t *testing.T) {
	t.Parallel()
	db := store(t)
	old := start(t, db, secretOne)
	kid := kids(t, old.ring.JWKS())[0]
	if err := old.db.BurnKey(t.Context(), kid, authserver.Event{At: time.Now(), Act: "key.burn"}); err != nil {
		t.Fatal(err)
	}
	s := start(t, db, secretTwo, secretOne)
	s.reseal(t)
	stored, err := s.db.Keys(t.Context())
	if err != nil || !stored[0].Burnt() {
		t.Errorf("the burnt key has something sealed again, %v", err)
	}
}
