package cli

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/config"
)

// A restored database says so at each start until nothing that ended after the
// backup can still be alive, and no other database does.
func TestRestoredIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		open := func(name string) *sqlstore.DB {
			t.Helper()
			db, err := openDatabase(t.Context(), config.Storage{DatabaseURL: config.NewSecret("sqlite:" + filepath.Join(dir, name)), AutoMigrate: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			return db
		}
		said := func(db *sqlstore.DB) string {
			t.Helper()
			var log bytes.Buffer
			if err := warnIfRestored(t.Context(), db, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
				t.Fatal(err)
			}
			return log.String()
		}
		live := open("live.db")
		if err := live.RaiseLifetimes(t.Context(), 30*time.Minute, 30*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		url := "sqlite:" + filepath.Join(dir, "live.db")
		if err := sqlstore.Backup(t.Context(), sqlstore.Config{URL: url}, filepath.Join(dir, "copy.db")); err != nil {
			t.Fatal(err)
		}
		if got := said(live); got != "" {
			t.Errorf("the original says %s", got)
		}
		restored := open("copy.db")
		for range 2 {
			time.Sleep(14 * 24 * time.Hour)
			if got := said(restored); strings.Count(got, "\n") != 1 || !strings.Contains(got, "restored from a backup") ||
				!strings.Contains(got, "backup_made=2000-01-01T00:00:00Z") {
				t.Errorf("got %q", got)
			}
		}
		time.Sleep(3 * 24 * time.Hour)
		if got := said(restored); got != "" {
			t.Errorf("still says %s", got)
		}
	})
}
