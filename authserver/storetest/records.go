package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
)

// Facts holds a FactStore to its contract.
func Facts(t *testing.T, open func(t *testing.T) Database) {
	db := open(t)
	alice := mustAdd(t, db, "alice", "alice@example.com")
	mustAdd(t, db, "bob", "bob@example.com")
	web := newClient("web")
	mustAddClient(t, db, web)
	mustAddClient(t, db, newClient("other"))
	mustEnd(t, db, ending("ended"))
	if err := db.PutScope(t.Context(), "admin", authserver.Scope{RequiresRole: "admin", Description: "Administer \"all\""}, event("scope.put")); err != nil {
		t.Fatal(err)
	}
	const hash = "$argon2id$of$alice"
	for _, tc := range []struct {
		name   string
		ask    authserver.Ask
		client *authserver.Client
		user   *authserver.User
		hash   string
		ended  string
	}{
		{"nothing asked", authserver.Ask{}, nil, nil, "", ""},
		{"a client", authserver.Ask{ClientID: "web"}, &web, nil, "", ""},
		{"a login by name", authserver.Ask{ClientID: "web", Login: "ALICE"}, &web, &alice, hash, ""},
		{"a login by e-mail address", authserver.Ask{Login: "Alice@example.com"}, nil, &alice, hash, ""},
		{"a refresh", authserver.Ask{ClientID: "web", Subject: alice.Subject, SessionID: "alive"}, &web, &alice, hash, ""},
		{"a refresh of an ended session", authserver.Ask{ClientID: "web", Subject: alice.Subject, SessionID: "ended"}, &web, &alice, hash, "ended"},
		{"strangers", authserver.Ask{ClientID: "WEB", Login: "nobody", SessionID: "ENDED"}, nil, nil, "", ""},
		{"a stranger with a known client", authserver.Ask{ClientID: "web", Login: "nobody@example.com"}, &web, nil, "", ""},
		{"an unknown subject", authserver.Ask{ClientID: "none", Subject: newSubject()}, nil, nil, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := db.Facts(t.Context(), tc.ask)
			if err != nil {
				t.Fatal(err)
			}
			ended := ""
			if got.Ended != nil {
				ended = got.Ended.SessionID
			}
			if ended != tc.ended {
				t.Errorf("tombstone of %q, want %q", ended, tc.ended)
			}
			got.Ended = nil
			same(t, authserver.Facts{Client: tc.client, User: tc.user, PasswordHash: tc.hash, Scopes: authserver.Scopes{"admin": {RequiresRole: "admin"}}}, got)
		})
	}
}

// Meta holds a MetaStore to its contract; RaiseLifetimes is Revocations'.
func Meta(t *testing.T, open func(t *testing.T) Database) {
	db := open(t)
	if _, err := db.Meta(t.Context(), "name"); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("got %v, want %v", err, authserver.ErrNotFound)
	}
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		kept = map[string]bool{}
	)
	for i := range 16 {
		wg.Go(func() {
			got, err := db.KeepMeta(t.Context(), "name", fmt.Sprint(i))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			kept[got] = true
		})
	}
	wg.Wait()
	got, err := db.Meta(t.Context(), "name")
	if err != nil || len(kept) != 1 || !kept[got] {
		t.Errorf("there is %q, %v; the servers were told %v", got, err, kept)
	}
}
