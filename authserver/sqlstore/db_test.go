package sqlstore_test

import (
	"path/filepath"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/seal"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/storetest"
)

// openURL opens the database at url, as one server does.
func openURL(t testing.TB, url string) *sqlstore.DB {
	t.Helper()
	d, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	box, err := seal.NewBox(seal.Key{ID: [4]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	d.SealOutbox(box)
	return d
}

func open(t testing.TB, path string) *sqlstore.DB {
	t.Helper()
	return openURL(t, "sqlite:"+path)
}

func openNew(t testing.TB) *sqlstore.DB {
	return open(t, filepath.Join(t.TempDir(), "test.db"))
}

func TestSQLite(t *testing.T) { suites(t, func(t *testing.T) *sqlstore.DB { return openNew(t) }) }

// suites are the contracts, which both engines keep.
func suites(t *testing.T, open func(t *testing.T) *sqlstore.DB) {
	t.Run("Sessions", func(t *testing.T) {
		storetest.Sessions(t, func(t *testing.T) authserver.SessionStore { return open(t) })
	})
	database := func(t *testing.T) storetest.Database { return open(t) }
	t.Run("Users", func(t *testing.T) { storetest.Users(t, database) })
	t.Run("Clients", func(t *testing.T) { storetest.Clients(t, database) })
	t.Run("Consents", func(t *testing.T) { storetest.Consents(t, database) })
	t.Run("Keys", func(t *testing.T) { storetest.Keys(t, database) })
	t.Run("Revocations", func(t *testing.T) { storetest.Revocations(t, database) })
	t.Run("Facts", func(t *testing.T) { storetest.Facts(t, database) })
	t.Run("Meta", func(t *testing.T) { storetest.Meta(t, database) })
	t.Run("Events", func(t *testing.T) { storetest.Events(t, database) })
	t.Run("Outbox", func(t *testing.T) {
		storetest.Outbox(t, func(t *testing.T) storetest.WithOutbox { return open(t) })
	})
	t.Run("LastRows", func(t *testing.T) { lastRows(t, open(t)) })
}
