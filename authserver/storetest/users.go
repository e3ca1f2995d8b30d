package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
)

// Users holds a UserStore to its contract.
func Users(t *testing.T, open func(t *testing.T) Database) {
	t.Run("a user is found by subject, name and e-mail address", func(t *testing.T) { userFound(t, open(t)) })
	t.Run("a name belongs to one", func(t *testing.T) { userTaken(t, open(t)) })
	t.Run("ACC-006 of 100 parallel registrations of one e-mail address one wins", func(t *testing.T) { userRace(t, open(t)) })
	t.Run("ACC-006 parallel registrations get numbers of their own", func(t *testing.T) { userNumbers(t, open(t)) })
	t.Run("listing", func(t *testing.T) { userListing(t, open(t)) })
	t.Run("ChangeUser", func(t *testing.T) { userChanges(t, open) })
	t.Run("a refused change changes nothing", func(t *testing.T) { userRefused(t, open(t)) })
	t.Run("parallel endings each count", func(t *testing.T) { userEndings(t, open(t)) })
	t.Run("REF-019 a session that has ended cannot keep itself", func(t *testing.T) { userKeeps(t, open(t)) })
	t.Run("AUT-039 a browser session is kept with what it opened", func(t *testing.T) { userKeepsBoth(t, open(t)) })
	t.Run("counters do not fall behind what was issued", func(t *testing.T) { userRestored(t, open(t)) })
	t.Run("RemoveUser", func(t *testing.T) { userRemoved(t, open(t)) })
	t.Run("PWD-023 all password hashes are listed, piece by piece", func(t *testing.T) { userHashes(t, open(t)) })
	t.Run("UpgradePasswordHash gives way to a change", func(t *testing.T) { userUpgrade(t, open(t)) })
}

func userFound(t *testing.T, db Database) {
	alice := mustAdd(t, db, "Alice", "Alice@Example.com")
	bob := mustAdd(t, db, "bob", "kelvin@example.com")
	if alice.ID != 1 || bob.ID != 2 {
		t.Errorf("got ids %d and %d, want 1 and 2", alice.ID, bob.ID)
	}
	for login, want := range map[string]authserver.User{
		"Alice": alice, "aLICE": alice, "alice@example.COM": alice,
		"bob": bob, "\u212aelvin@example.com": bob, // the Kelvin sign differs from k by case alone
	} {
		got, err := db.UserByLogin(t.Context(), login)
		if err != nil {
			t.Fatalf("%q: %v", login, err)
		}
		same(t, want, got)
	}
	got, err := db.User(t.Context(), alice.Subject)
	if err != nil {
		t.Fatal(err)
	}
	same(t, alice, got)
	if hash, err := db.PasswordHash(t.Context(), alice.Subject); err != nil || hash != "$argon2id$of$Alice" {
		t.Errorf("PasswordHash: %q, %v", hash, err)
	}
	for _, login := range []string{"", "carol", "carol@example.com", "Ali", "%", alice.Subject} {
		if _, err := db.UserByLogin(t.Context(), login); !errors.Is(err, authserver.ErrNotFound) {
			t.Errorf("%q: got %v, want %v", login, err, authserver.ErrNotFound)
		}
	}
	if _, err := db.User(t.Context(), newSubject()); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("User: got %v, want %v", err, authserver.ErrNotFound)
	}
	if _, err := db.PasswordHash(t.Context(), newSubject()); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("PasswordHash: got %v, want %v", err, authserver.ErrNotFound)
	}
	same(t, []string{"user.add", "user.add"}, acts(t, db))
}

func userHashes(t *testing.T, db Database) {
	hashes := func(after int64, most int) ([]string, int64) {
		t.Helper()
		list, last, err := db.PasswordHashes(t.Context(), after, most)
		if err != nil {
			t.Fatal(err)
		}
		return list, last
	}
	if list, last := hashes(0, 10); len(list) != 0 || last != 0 {
		t.Errorf("of nobody: %q, %d", list, last)
	}
	alice := mustAdd(t, db, "alice", "alice@example.com")
	bob := mustAdd(t, db, "bob", "bob@example.com")
	carol := mustAdd(t, db, "carol", "carol@example.com")
	if err := db.RemoveUser(t.Context(), bob.Subject, event("user.remove")); err != nil {
		t.Fatal(err)
	}
	dave := mustAdd(t, db, "dave", "dave@example.com")
	list, last := hashes(0, 2)
	same(t, []string{"$argon2id$of$alice", "$argon2id$of$carol"}, list)
	same(t, carol.ID, last)
	list, last = hashes(last, 2)
	same(t, []string{"$argon2id$of$dave"}, list)
	same(t, dave.ID, last)
	if list, last := hashes(last, 2); len(list) != 0 || last != 0 {
		t.Errorf("beyond the last: %q, %d", list, last)
	}
	if list, _ := hashes(alice.ID-1, 1); len(list) != 1 {
		t.Errorf("got %q", list)
	}
}

func userTaken(t *testing.T, db Database) {
	mustAdd(t, db, "alice", "alice@example.com")
	bob := mustAdd(t, db, "bob", "bob@example.com")
	for _, tc := range []struct {
		username, email string
		want            error
	}{
		{"carol", "alice@example.com", authserver.ErrEmailTaken},
		{"carol", "ALICE@EXAMPLE.com", authserver.ErrEmailTaken},
		{"alice", "carol@example.com", authserver.ErrUsernameTaken},
		{"ALICE", "carol@example.com", authserver.ErrUsernameTaken},
		{"bob", "alice@example.com", authserver.ErrEmailTaken}, // looked at first
	} {
		if _, err := db.AddUser(t.Context(), newUser(tc.username, tc.email), event("user.add")); !errors.Is(err, tc.want) {
			t.Errorf("AddUser(%s, %s): got %v, want %v", tc.username, tc.email, err, tc.want)
		}
		if tc.username == "bob" {
			continue
		}
		c := authserver.UserChange{Email: &tc.email}
		if tc.want == authserver.ErrUsernameTaken {
			c = authserver.UserChange{Username: &tc.username}
		}
		if _, err := db.ChangeUser(t.Context(), bob.Subject, c, event("user.change")); !errors.Is(err, tc.want) {
			t.Errorf("ChangeUser(%s, %s): got %v, want %v", tc.username, tc.email, err, tc.want)
		}
	}
	if _, err := db.ChangeUser(t.Context(), bob.Subject, authserver.UserChange{Username: ptr("BOB"), Email: ptr("Bob@example.com")}, event("user.change")); err != nil {
		t.Errorf("one's own name in other case: %v", err)
	}
	if carol := mustAdd(t, db, "carol", "carol@example.com"); carol.ID != 3 {
		t.Errorf("a refused user took a number: got %d, want 3", carol.ID)
	}
	same(t, []string{"user.add", "user.add", "user.change", "user.add"}, acts(t, db))
}

func userRace(t *testing.T, db Database) {
	won, errs := addParallel(t, db, 100, func(i int) authserver.NewUser {
		return newUser(fmt.Sprint("user", i), "Same@example.com")
	})
	if len(won) != 1 {
		t.Errorf("%d won, want 1", len(won))
	}
	for _, err := range errs {
		if !errors.Is(err, authserver.ErrEmailTaken) {
			t.Errorf("got %v, want %v", err, authserver.ErrEmailTaken)
		}
	}
}

func userNumbers(t *testing.T, db Database) {
	won, errs := addParallel(t, db, 50, func(i int) authserver.NewUser {
		return newUser(fmt.Sprint("user", i), fmt.Sprintf("user%d@example.com", i))
	})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	slices.Sort(won)
	for i, id := range won {
		if id != int64(i+1) {
			t.Fatalf("got %v, want 1 to 50", won)
		}
	}
}

func addParallel(t *testing.T, db Database, n int, user func(i int) authserver.NewUser) (ids []int64, errs []error) {
	var (
		mu sync.Mutex
		wg sync.WaitGroup
	)
	for i := range n {
		wg.Go(func() {
			u, err := db.AddUser(t.Context(), user(i), event("user.add"))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				return
			}
			ids = append(ids, u.ID)
		})
	}
	wg.Wait()
	return ids, errs
}

func userListing(t *testing.T, db Database) {
	var all []authserver.User
	for _, name := range []string{"zoe", "alice", "mia"} {
		all = append(all, mustAdd(t, db, name, name+"@example.com"))
	}
	for _, tc := range []struct {
		page authserver.Page
		want []authserver.User
	}{
		{authserver.Page{}, all},
		{authserver.Page{Limit: 2}, all[:2]},
		{authserver.Page{Limit: 1, Offset: 1}, all[1:2]},
		{authserver.Page{Offset: 2}, all[2:]},
		{authserver.Page{Limit: 5, Offset: 3}, nil},
	} {
		got, total, err := db.Users(t.Context(), tc.page)
		if err != nil || total != 3 {
			t.Fatalf("%+v: %d in all, %v", tc.page, total, err)
		}
		same(t, tc.want, got)
	}
}
