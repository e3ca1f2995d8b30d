package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

type backupCmd struct {
	output
	File string `arg:"" name:"file" help:"The file to make; what is there already is not overwritten."`
}

func (backupCmd) Help() string {
	return "SECRET_KEY is not in the copy: keep it too, in another place.\n\n" +
		"Example:\n\n\ttokenwright backup /var/backups/tokenwright.db\n"
}

func (cmd backupCmd) Run(ctx context.Context, con *console) error {
	cfg, err := con.settings(nil, false)
	if err != nil {
		return err
	}
	if err := sqlstore.Backup(ctx, sqlstore.Config{URL: cfg.Storage.DatabaseURL.Reveal()}, cmd.File); err != nil {
		return err
	}
	v := struct {
		File string `json:"file"`
	}{cmd.File}
	return cmd.print(con, v, func(w io.Writer) { fmt.Fprintf(w, "%s: the database, as it is now\n", v.File) })
}

// warnIfRestored says at each start that the database is a copy which was put
// back, for as long as something that ended after the copy was made may come back
// with it.
func warnIfRestored(ctx context.Context, db *sqlstore.DB, logger *slog.Logger) error {
	made, until, err := db.Restored(ctx)
	if errors.Is(err, authserver.ErrNotFound) || err == nil && time.Now().After(until) {
		return nil
	}
	if err != nil {
		return err
	}
	logger.WarnContext(ctx, "this database was restored from a backup: what ended after it was made has come back, "+
		"sessions, disabled users and old passwords too; end again what must not live",
		"backup_made", stamp(made), "until", stamp(until))
	return nil
}
