package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/audit"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

// A copy that is made while another process writes holds a prefix of what was
// written, with everything that was there before, and its audit log is sound.
func TestABackupIsConsistentWhileOthersWrite(t *testing.T) {
	dir := t.TempDir()
	url := "sqlite:" + filepath.Join(dir, "live.db")
	live := openURL(t, url)
	key := audit.Key{ID: "k", Secret: []byte("secret")}
	live.BeginChain(key)
	ctx := t.Context()
	end := func(ctx context.Context, n int) error {
		sid := fmt.Sprintf("sid%d", n)
		return live.End(ctx, []authserver.Ending{{Kind: authserver.KindSession, ID: sid, Subject: "sub", Reason: authserver.ReasonLogout}},
			authserver.Event{Act: "session.logout", SessionID: sid})
	}
	const before = 500
	for n := range before {
		if err := end(ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	writing, stop := context.WithCancel(ctx)
	done := make(chan error)
	go func() {
		n := before
		for ; writing.Err() == nil; n++ {
			if err := end(ctx, n); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	copies := make([]string, 5)
	for i := range copies {
		copies[i] = filepath.Join(dir, fmt.Sprintf("copy%d.db", i))
		if err := sqlstore.Backup(ctx, sqlstore.Config{URL: url}, copies[i]); err != nil {
			t.Error(err)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("writing while a copy is made: %v", err)
	}

	for _, file := range copies {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("the copy has mode %v", info.Mode())
		}
		restored := open(t, file)
		report, err := audit.Verify(ctx, restored, []audit.Key{key})
		if err != nil || len(report.Faults) > 0 || report.Last < before {
			t.Errorf("audit log of the copy: %+v, %v", report, err)
		}
		entries, head, err := restored.Revocations(ctx, 0)
		if err != nil || head != report.Last || int64(len(entries)) != head {
			t.Errorf("%d entries up to %d, but %d rows; %v", len(entries), head, report.Last, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.part*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestACopyKnowsThatItIsOne(t *testing.T) {
	dir := t.TempDir()
	url := "sqlite:" + filepath.Join(dir, "live.db")
	live := openURL(t, url)
	ctx := t.Context()
	if err := live.RaiseLifetimes(ctx, time.Hour, 30*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	start := time.Now().Truncate(time.Millisecond)
	file := filepath.Join(dir, "copy.db")
	if err := sqlstore.Backup(ctx, sqlstore.Config{URL: url}, file); err != nil {
		t.Fatal(err)
	}
	if _, _, err := live.Restored(ctx); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("the original takes itself for a copy: %v", err)
	}
	copied := open(t, file)
	made, until, err := copied.Restored(ctx)
	if err != nil || made.Before(start) || made.After(time.Now()) || until.Sub(made) != 30*24*time.Hour+time.Minute {
		t.Errorf("made %v, until %v, %v", made, until, err)
	}
	// A copy of the copy is as old as itself.
	second := filepath.Join(dir, "second.db")
	if err := sqlstore.Backup(ctx, sqlstore.Config{URL: "sqlite:" + file}, second); err != nil {
		t.Fatal(err)
	}
	later, _, err := open(t, second).Restored(ctx)
	if err != nil || later.Before(made) {
		t.Errorf("made %v, the first %v, %v", later, made, err)
	}
}

func TestBackupRefuses(t *testing.T) {
	dir := t.TempDir()
	live := filepath.Join(dir, "live.db")
	open(t, live)
	kept := filepath.Join(dir, "kept.db")
	for name, text := range map[string]string{kept: "mine", filepath.Join(dir, "text.db"): strings.Repeat("not a database\n", 100)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct{ name, url, file, want string }{
		{"a file that is there", "sqlite:" + live, kept, "is there already"},
		{"the database itself", "sqlite:" + live, live, "is there already"},
		{"a folder that is not there", "sqlite:" + live, filepath.Join(dir, "no", "copy.db"), "no such file or directory"},
		{"a database that is not there", "sqlite:" + filepath.Join(dir, "no.db"), filepath.Join(dir, "a.db"), "there is no database to copy"},
		{"a file that is no database", "sqlite:" + filepath.Join(dir, "text.db"), filepath.Join(dir, "a.db"), "is not a SQLite database"},
		{"PostgreSQL", "postgres://user:hunter2@db.invalid/tokenwright", filepath.Join(dir, "a.db"), "pg_dump"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := sqlstore.Backup(t.Context(), sqlstore.Config{URL: tc.url}, tc.file)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want one sentence with %q", err, tc.want)
			}
		})
	}
	if text, err := os.ReadFile(kept); err != nil || string(text) != "mine" {
		t.Errorf("what was there is now %q, %v", text, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "a.db*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}
