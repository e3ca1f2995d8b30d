package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/migrations"
)

type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" help:"Make the steps that the schema lacks."`
	Status migrateStatusCmd `cmd:"" help:"List the steps, made and pending."`
}

// withDatabase opens the database as it is, whatever its schema.
func (c *console) withDatabase(ctx context.Context, act func(*sqlstore.DB) error) (err error) {
	cfg, err := c.settings(nil, false)
	if err != nil {
		return err
	}
	db, err := sqlstore.Open(ctx, sqlstore.Config{URL: cfg.Storage.DatabaseURL.Reveal()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return act(db)
}

type migrateUpCmd struct{}

func (migrateUpCmd) Help() string {
	return "Example:\n\n\tDATABASE_URL=sqlite:/var/lib/tokenwright/tokenwright.db tokenwright migrate up\n"
}

func (migrateUpCmd) Run(ctx context.Context, con *console) error {
	return con.withDatabase(ctx, func(db *sqlstore.DB) error {
		if err := db.Migrate(ctx); err != nil {
			return err
		}
		fmt.Fprintln(con.out, "the schema is up to date")
		return nil
	})
}

type migrateStatusCmd struct {
	output
}

func (migrateStatusCmd) Help() string {
	return "Example:\n\n\ttokenwright migrate status --output json\n"
}

type migrationView struct {
	Version   int64   `json:"version"`
	Name      string  `json:"name"`
	AppliedAt *string `json:"applied_at"` // null while pending
}

func viewMigration(m migrations.Migration) migrationView {
	v := migrationView{Version: m.Version, Name: m.Name}
	if !m.AppliedAt.IsZero() {
		at := stamp(m.AppliedAt)
		v.AppliedAt = &at
	}
	return v
}

func (cmd migrateStatusCmd) Run(ctx context.Context, con *console) error {
	return con.withDatabase(ctx, func(db *sqlstore.DB) error {
		steps, err := db.Migrations(ctx)
		if err != nil {
			return err
		}
		list := struct {
			Migrations []migrationView `json:"migrations"`
		}{[]migrationView{}}
		for _, m := range steps {
			list.Migrations = append(list.Migrations, viewMigration(m))
		}
		return cmd.print(con, list, func(w io.Writer) {
			fmt.Fprintln(w, "VERSION\tNAME\tAPPLIED")
			for _, v := range list.Migrations {
				at := "pending"
				if v.AppliedAt != nil {
					at = *v.AppliedAt
				}
				fmt.Fprintf(w, "%d\t%s\t%s\n", v.Version, v.Name, at)
			}
		})
	})
}
