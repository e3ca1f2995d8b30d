package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// Consents holds a database to authserver.ConsentStore.
func Consents(t *testing.T, open func(t *testing.T) Database) {
	for _, tc := range []struct {
		name string
		test func(*testing.T, Database, authserver.User)
	}{
		{"what is granted adds up", consentAdds},
		{"grants at once lose nothing", consentParallel},
		{"AUT-029, AUT-042 taking back raises the epoch and ends sessions", consentWithdrawn},
		{"a user and a client take theirs along", consentRemoved},
		{"of nobody there is none", consentNobody},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := open(t)
			mustAddClient(t, db, newClient("web"))
			mustAddClient(t, db, newClient("other"))
			tc.test(t, db, mustAdd(t, db, "alice", "alice@example.com"))
		})
	}
}

func consent(u authserver.User, client string, scopes ...string) authserver.Consent {
	return authserver.Consent{Subject: u.Subject, ClientID: client, Scopes: scopes, Resources: []string{"https://api.test"}, GrantedAt: now()}
}

func mustGrant(t *testing.T, db Database, c authserver.Consent) authserver.Consent {
	t.Helper()
	got, err := db.Grant(t.Context(), c, event("consent.grant"))
	if err != nil {
		t.Fatalf("Grant: %v", err)
	}
	return got
}

func consentAdds(t *testing.T, db Database, u authserver.User) {
	first := consent(u, "web", "write", "read")
	got := mustGrant(t, db, first)
	want := first
	if age := time.Now().Unix() - got.Epoch; age < 0 || age > 10 {
		t.Errorf("the first epoch is %d, want the time", got.Epoch)
	}
	want.Scopes, want.Epoch = []string{"read", "write"}, got.Epoch
	same(t, want, got)

	second := consent(u, "web", "read", "admin")
	second.Resources, second.GrantedAt = []string{"https://b.test"}, first.GrantedAt.Add(time.Minute)
	want.Scopes, want.Resources, want.GrantedAt = []string{"admin", "read", "write"}, []string{"https://api.test", "https://b.test"}, second.GrantedAt
	same(t, want, mustGrant(t, db, second))
	found, err := db.Consent(t.Context(), u.Subject, "web")
	if err != nil {
		t.Fatal(err)
	}
	same(t, want, found)

	bob := mustAdd(t, db, "bob", "bob@example.com")
	mustGrant(t, db, consent(bob, "web", "read"))
	other := mustGrant(t, db, consent(u, "other", "read")) // given before second
	list, err := db.Consents(t.Context(), u.Subject)
	if err != nil {
		t.Fatal(err)
	}
	same(t, []authserver.Consent{want, other}, list)

	for _, tc := range []struct {
		name string
		ask  authserver.Ask
		want *authserver.Consent
	}{
		{"asked", authserver.Ask{ClientID: "web", Subject: u.Subject, ConsentOf: true}, &want},
		{"by name", authserver.Ask{ClientID: "other", Login: "alice", ConsentOf: true}, &other},
		{"not asked", authserver.Ask{ClientID: "web", Subject: u.Subject}, nil},
		{"without a user", authserver.Ask{ClientID: "web", ConsentOf: true}, nil},
	} {
		f, err := db.Facts(t.Context(), tc.ask)
		if err != nil {
			t.Fatal(err)
		}
		same(t, tc.want, f.Consent)
	}
}

func consentParallel(t *testing.T, db Database, u authserver.User) {
	const grants = 16
	var all sync.WaitGroup
	for i := range grants {
		all.Go(func() {
			if _, err := db.Grant(t.Context(), consent(u, "web", fmt.Sprint("s-", i)), event("consent.grant")); err != nil {
				t.Errorf("Grant: %v", err)
			}
		})
	}
	all.Wait()
	got, err := db.Consent(t.Context(), u.Subject, "web")
	if err != nil || len(got.Scopes) != grants || got.Epoch == 0 {
		t.Errorf("%d scopes of %d, epoch %d, %v", len(got.Scopes), grants, got.Epoch, err)
	}
}

func consentWithdrawn(t *testing.T, db Database, u authserver.User) {
	given := mustGrant(t, db, consent(u, "web", "read"))
	e := ending("opened under it")
	e.Subject, e.ClientID = u.Subject, "web"
	if err := db.Withdraw(t.Context(), u.Subject, "web", []authserver.Ending{e}, event("consent.withdraw")); err != nil {
		t.Fatal(err)
	}
	f, err := db.Facts(t.Context(), authserver.Ask{ClientID: "web", Subject: u.Subject, SessionID: e.ID, ConsentOf: true})
	if err != nil {
		t.Fatal(err)
	}
	if f.Ended == nil {
		t.Error("the session has no tombstone")
	}
	if f.Consent == nil || f.Consent.Epoch <= given.Epoch || !f.Consent.Withdrawn() || f.Consent.Covers([]string{"read"}, nil) {
		t.Errorf("taken back: %+v", f.Consent)
	}
	if list, err := db.Consents(t.Context(), u.Subject); err != nil || len(list) != 0 {
		t.Errorf("listed after it was taken back: %v, %v", list, err)
	}
	err = db.Withdraw(t.Context(), u.Subject, "web", nil, event("consent.withdraw"))
	if !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("taken back twice: %v", err)
	}
	again := mustGrant(t, db, consent(u, "web", "write"))
	if again.Epoch != f.Consent.Epoch {
		t.Errorf("given again under epoch %d", again.Epoch)
	}
	same(t, []string{"write"}, again.Scopes)
	same(t, []string{"consent.grant", "consent.withdraw", "consent.grant"}, lastActs(t, db, 3))
}

// lastActs are the last n of the audit log, the oldest first.
func lastActs(t *testing.T, db Database, n int) []string {
	t.Helper()
	all := acts(t, db)
	return all[max(0, len(all)-n):]
}

func consentRemoved(t *testing.T, db Database, u authserver.User) {
	bob := mustAdd(t, db, "bob", "bob@example.com")
	for _, c := range []authserver.Consent{consent(u, "web", "read"), consent(u, "other", "read"), consent(bob, "web", "read"), consent(bob, "other", "read")} {
		mustGrant(t, db, c)
	}
	if err := db.RemoveUser(t.Context(), u.Subject, event("user.remove")); err != nil {
		t.Fatal(err)
	}
	if err := db.RemoveClient(t.Context(), "web", event("client.remove")); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		subject, client string
		there           bool
	}{{u.Subject, "web", false}, {u.Subject, "other", false}, {bob.Subject, "web", false}, {bob.Subject, "other", true}} {
		_, err := db.Consent(t.Context(), tc.subject, tc.client)
		if tc.there != (err == nil) || !tc.there && !errors.Is(err, authserver.ErrNotFound) {
			t.Errorf("of %s for %s: %v, want there: %v", tc.subject, tc.client, err, tc.there)
		}
	}
}

func consentNobody(t *testing.T, db Database, u authserver.User) {
	stranger := u
	stranger.Subject = newSubject()
	for _, c := range []authserver.Consent{consent(stranger, "web", "read"), consent(u, "nothing", "read")} {
		if _, err := db.Grant(t.Context(), c, event("consent.grant")); !errors.Is(err, authserver.ErrNotFound) {
			t.Errorf("granted to nobody: %v", err)
		}
	}
	if err := db.Withdraw(t.Context(), u.Subject, "web", nil, event("consent.withdraw")); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("taken back from nobody: %v", err)
	}
}
