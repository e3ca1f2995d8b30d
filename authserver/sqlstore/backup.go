package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// metaBackup is in copies alone: when they were made, in milliseconds.
const metaBackup = "backup_made_at"

// Backup writes a copy of the SQLite database at c to a new file for the owner's
// eyes alone: all that was committed before the call and nothing by halves,
// whatever is written meanwhile. The copy knows that it is one; see Restored.
// An error is one sentence.
func Backup(ctx context.Context, c Config, file string) error {
	path, ok := strings.CutPrefix(c.URL, "sqlite:")
	if !ok {
		return errors.New("a backup is a copy of a SQLite database, and DATABASE_URL names none: PostgreSQL is copied with pg_dump")
	}
	if _, err := os.Stat(path); err != nil { // the driver would make it
		return fmt.Errorf("there is no database to copy: %w; DATABASE_URL must name one", err)
	}
	claim, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and a backup overwrites nothing: name another file", file)
	}
	if err != nil {
		return fmt.Errorf("make backup: %w", err)
	}
	claim.Close()
	if err := backup(ctx, path, file); err != nil {
		os.Remove(file)
		return fmt.Errorf("make backup: %w", err)
	}
	return nil
}

// backup puts a whole copy in the place of file, or changes nothing: half a copy
// must not pass for one.
func backup(ctx context.Context, path, file string) error {
	part, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.part") // for the owner alone
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	defer part.Close()
	made := time.Now()
	if err := once(ctx, path, `vacuum into $1`, part.Name()); err != nil {
		return unopened(path, err)
	}
	err = once(ctx, part.Name(), `
		insert into meta (name, value) values ($1, $2)
		on conflict (name) do update set value = excluded.value`, metaBackup, strconv.FormatInt(made.UnixMilli(), 10))
	if err != nil {
		return err
	}
	if err := part.Sync(); err != nil {
		return err
	}
	return os.Rename(part.Name(), file)
}

// once runs one statement on the database at path.
func once(ctx context.Context, path, query string, args ...any) error {
	db, err := sql.Open("sqlite", dsn(path, "query_only(0)"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, query, args...)
	return err
}

// Restored says when the copy was made that this database was restored from, and
// until when sessions and tokens that ended after that may come back with it: the
// longest life that any was given. ErrNotFound if it is no copy of Backup's.
func (d *DB) Restored(ctx context.Context) (made, until time.Time, err error) {
	var at string
	var life int64
	err = d.r.row(ctx, `
		select meta.value, (select max(millis) from lifetimes) from meta where meta.name = $1`, metaBackup).Scan(&at, &life)
	if err != nil {
		return time.Time{}, time.Time{}, failed("find backup mark", err)
	}
	millis, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return time.Time{}, time.Time{}, fmt.Errorf("parse backup mark: %w", err)
	}
	made = fromMillis(millis)
	return made, made.Add(skew + time.Duration(life)*time.Millisecond), nil
}
