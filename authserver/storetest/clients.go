package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// Clients holds a ClientStore to its contract.
func Clients(t *testing.T, open func(t *testing.T) Database) {
	t.Run("a client comes back as it was made", func(t *testing.T) { clientRoundTrip(t, open(t)) })
	t.Run("ReplaceClient keeps id, incarnation and age", func(t *testing.T) { clientReplaced(t, open(t)) })
	t.Run("a secret's hash is replaced if it is still the old one", func(t *testing.T) { secretHashUpgraded(t, open(t)) })
	t.Run("CCG-004 no client has a user's subject, and no user a client's id", func(t *testing.T) { clientNoSubject(t, open(t)) })
	t.Run("a removed client's tokens end and its id rests", func(t *testing.T) { clientRemoved(t, open(t)) })
	t.Run("scopes and resources", func(t *testing.T) { scopesAndResources(t, open(t)) })
}

func newClient(id string) authserver.Client {
	return authserver.Client{
		ID: id, Incarnation: 1<<62 + 1, SecretHash: []byte{0, 1, 0xff, '\''},
		Grants: []string{authserver.GrantPassword, authserver.GrantRefreshToken}, Scopes: []string{"read", "write"},
		Resources: []string{"https://api.example.test"}, Serves: []string{"https://api.example.test", "urn:x"}, Introspect: true,
		RefreshGrace: ptr(time.Duration(0)), CreatedAt: now(),
		Name: "A \"shop\", ünlike others", RedirectURIs: []string{"https://shop.test/cb?a=b", "http://127.0.0.1/cb"},
		PostLogoutRedirectURIs: []string{"https://shop.test/"}, BackchannelLogoutURI: "https://shop.test/out",
		Trusted: true, PKCEOptional: true, RequirePushedRequests: true, IDTokenAlgorithm: "ES256",
	}
}

func mustAddClient(t *testing.T, db Database, c authserver.Client) {
	t.Helper()
	if err := db.AddClient(t.Context(), c, event("client.add")); err != nil {
		t.Fatalf("AddClient: %v", err)
	}
}

func clientRoundTrip(t *testing.T, db Database) {
	full := newClient("web")
	bare := authserver.Client{ID: "Web", Incarnation: -1, Public: true, CreatedAt: now()}
	mustAddClient(t, db, full)
	mustAddClient(t, db, bare)
	if err := db.AddClient(t.Context(), newClient("web"), event("client.add")); !errors.Is(err, authserver.ErrConflict) {
		t.Errorf("again: got %v, want %v", err, authserver.ErrConflict)
	}
	for _, want := range []authserver.Client{full, bare} {
		got, err := db.Client(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		same(t, want, got)
	}
	if _, err := db.Client(t.Context(), "WEB"); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("got %v, want %v", err, authserver.ErrNotFound)
	}
	all, err := db.Clients(t.Context())
	if err != nil || len(all) != 2 {
		t.Errorf("Clients: got %d, %v; want 2", len(all), err)
	}
	same(t, []string{"client.add", "client.add"}, acts(t, db))
}

func clientReplaced(t *testing.T, db Database) {
	c := newClient("web")
	mustAddClient(t, db, c)
	next := authserver.Client{ID: "web", Incarnation: 5, Public: true, Scopes: []string{"profile"}, RefreshGrace: ptr(time.Minute), CreatedAt: now().Add(time.Hour)}
	if err := db.ReplaceClient(t.Context(), next, event("client.replace")); err != nil {
		t.Fatal(err)
	}
	next.Incarnation, next.CreatedAt = c.Incarnation, c.CreatedAt
	got, err := db.Client(t.Context(), "web")
	if err != nil {
		t.Fatal(err)
	}
	same(t, next, got)
	if err := db.ReplaceClient(t.Context(), newClient("other"), event("client.replace")); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("got %v, want %v", err, authserver.ErrNotFound)
	}
	same(t, []string{"client.add", "client.replace"}, acts(t, db))
}

func secretHashUpgraded(t *testing.T, db Database) {
	c := newClient("web")
	mustAddClient(t, db, c)
	upgrade := func(id string, old, new []byte) {
		t.Helper()
		if err := db.UpgradeSecretHash(t.Context(), id, old, new); err != nil {
			t.Fatal(err)
		}
	}
	upgrade("web", []byte("another's"), []byte("lost"))
	upgrade("none", c.SecretHash, []byte("nobody's"))
	upgrade("web", c.SecretHash, []byte{7, 0, 7})
	upgrade("web", c.SecretHash, []byte("late"))
	c.SecretHash = []byte{7, 0, 7}
	got, err := db.Client(t.Context(), "web")
	if err != nil {
		t.Fatal(err)
	}
	same(t, c, got)
	same(t, []string{"client.add"}, acts(t, db))
}

func clientRemoved(t *testing.T, db Database) {
	mustAddClient(t, db, newClient("web"))
	if err := db.RemoveClient(t.Context(), "web", event("client.remove")); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Client(t.Context(), "web"); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("Client: got %v, want %v", err, authserver.ErrNotFound)
	}
	if err := db.RemoveClient(t.Context(), "web", event("client.remove")); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("again: got %v, want %v", err, authserver.ErrNotFound)
	}
	same(t, []authserver.Revocation{
		{Seq: 1, Kind: authserver.KindClient, ID: "web", Reason: authserver.ReasonClientRemoved},
	}, revocations(t, db, 0))
	if err := db.AddClient(t.Context(), newClient("web"), event("client.add")); !errors.Is(err, authserver.ErrConflict) {
		t.Errorf("the id was given again: got %v, want %v", err, authserver.ErrConflict)
	}
	mustAddClient(t, db, newClient("web2"))
	same(t, []string{"client.add", "client.remove", "client.add"}, acts(t, db))
}

func clientNoSubject(t *testing.T, db Database) {
	alice := mustAdd(t, db, "alice", "alice@example.com")
	for _, id := range []string{alice.Subject, strings.ToUpper(alice.Subject)} {
		if err := db.AddClient(t.Context(), newClient(id), event("client.add")); !errors.Is(err, authserver.ErrConflict) {
			t.Errorf("client %s: got %v, want %v", id, err, authserver.ErrConflict)
		}
	}
	bob := newUser("bob", "bob@example.com")
	mustAddClient(t, db, newClient(strings.ToUpper(bob.Subject)))
	if _, err := db.AddUser(t.Context(), bob, event("user.add")); !errors.Is(err, authserver.ErrConflict) {
		t.Errorf("user with a client's id: got %v, want %v", err, authserver.ErrConflict)
	}
	if err := db.RemoveUser(t.Context(), alice.Subject, event("user.remove")); err != nil {
		t.Fatal(err)
	}
	if err := db.AddClient(t.Context(), newClient(alice.Subject), event("client.add")); !errors.Is(err, authserver.ErrConflict) {
		t.Errorf("a removed user's subject: got %v, want %v", err, authserver.ErrConflict)
	}
}

func scopesAndResources(t *testing.T, db Database) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(db.PutScope(ctx, "write", authserver.Scope{RequiresRole: "user"}, event("scope.put")))
	must(db.PutScope(ctx, "write", authserver.Scope{RequiresRole: "editor", Description: "Change things, äh \"all\""}, event("scope.put")))
	must(db.PutScope(ctx, "a=b", authserver.Scope{}, event("scope.put")))
	must(db.PutScope(ctx, "gone", authserver.Scope{}, event("scope.put")))
	must(db.RemoveScope(ctx, "gone", event("scope.remove")))
	must(db.RemoveScope(ctx, "never", event("scope.remove"))) // no row
	want := authserver.Scopes{"write": {RequiresRole: "editor", Description: "Change things, äh \"all\""}, "a=b": {}}
	scopes, err := db.Scopes(ctx)
	must(err)
	same(t, want, scopes)
	f, err := db.Facts(ctx, authserver.Ask{ConsentOf: true})
	must(err)
	same(t, want, f.Scopes)
	f, err = db.Facts(ctx, authserver.Ask{})
	must(err)
	same(t, authserver.Scopes{"write": {RequiresRole: "editor"}, "a=b": {}}, f.Scopes)

	b := authserver.Resource{Identifier: "https://b.example.test", Name: "B API", Scopes: []string{"read", "write"}}
	a := authserver.Resource{Identifier: "https://a.example.test"}
	must(db.PutResource(ctx, authserver.Resource{Identifier: b.Identifier, Name: "old"}, event("resource.put")))
	must(db.PutResource(ctx, b, event("resource.put")))
	must(db.PutResource(ctx, a, event("resource.put")))
	must(db.PutResource(ctx, authserver.Resource{Identifier: "gone"}, event("resource.put")))
	asks := newClient("asks")
	asks.Resources = []string{"gone", b.Identifier, "gone/not"}
	mustAddClient(t, db, asks)
	must(db.RemoveResource(ctx, "gone", event("resource.remove")))
	asks.Resources = asks.Resources[1:]
	left, err := db.Client(ctx, "asks")
	must(err)
	same(t, asks, left)
	must(db.RemoveResource(ctx, "never", event("resource.remove"))) // no row
	resources, err := db.Resources(ctx)
	must(err)
	same(t, []authserver.Resource{a, b}, resources)
	same(t, []string{
		"scope.put", "scope.put", "scope.put", "scope.put", "scope.remove",
		"resource.put", "resource.put", "resource.put", "resource.put", "client.add", "resource.remove",
	}, acts(t, db))
}
