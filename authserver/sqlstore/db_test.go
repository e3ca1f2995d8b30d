package sqlstore_test

import (
	"path/filepath"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/storetest"
)

// open opens the database at path, as one server does.
func open(t testing.TB, path string) *sqlstore.DB {
	t.Helper()
	d, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: "sqlite:" + path})
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
	return d
}

func openNew(t testing.TB) *sqlstore.DB {
	return open(t, filepath.Join(t.TempDir(), "test.db"))
}

func TestSessions(t *testing.T) {
	storetest.Sessions(t, func(t *testing.T) authserver.SessionStore { return openNew(t) })
}
