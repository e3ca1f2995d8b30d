package sqlstore_test

import (
	"testing"

	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
)

// databases is a server's, each with the schema in it.
func databases(t testing.TB, s *pgtest.Server) *pgtest.Databases {
	t.Helper()
	return s.Databases(func(url string) {
		d, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if err := d.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPostgres(t *testing.T) {
	dbs := databases(t, pgtest.New(t))
	suites(t, func(t *testing.T) *sqlstore.DB { return openURL(t, dbs.New(t)) })
}
