package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/outbox"
	"github.com/tokenwright/tokenwright/authserver/password"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/config"
	"github.com/tokenwright/tokenwright/resource"
)

// Names of facts that a database keeps about itself.
const (
	metaSecretCheck = "secret_check"
	metaPurpose     = "purpose"
)

// openDatabase opens the database with this program's schema in it.
func openDatabase(ctx context.Context, cfg config.Storage) (*sqlstore.DB, error) {
	db, err := sqlstore.Open(ctx, sqlstore.Config{URL: cfg.DatabaseURL.Reveal()})
	if err != nil {
		return nil, err
	}
	bring := db.CheckSchema
	if cfg.AutoMigrate {
		bring = db.Migrate
	}
	if err := bring(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// openMaster derives the master secrets and compares them with the one that the
// database was made with. A new database gets a new one if none is set. What is to
// be sent is sealed under them from here on.
func openMaster(ctx context.Context, db *sqlstore.DB, cfg *config.Config) (*keys.Master, error) {
	if !cfg.Keys.SecretKey.IsSet() {
		_, err := db.Meta(ctx, metaSecretCheck)
		if err == nil {
			return nil, errors.New("SECRET_KEY is not set and data/secret.key is not here, but the database was made with one: set that one again")
		}
		if !errors.Is(err, authserver.ErrNotFound) {
			return nil, err
		}
		if err := cfg.MakeSecretKey(); err != nil {
			return nil, err
		}
	}
	master, err := newMaster(cfg.Keys)
	if err != nil {
		return nil, err
	}
	check, err := db.KeepMeta(ctx, metaSecretCheck, master.CheckValue())
	if err != nil {
		return nil, stuck(err)
	}
	if !master.Opens(check) {
		return nil, keys.ErrWrongSecretKey
	}
	box, err := master.Box(outbox.Label)
	if err != nil {
		return nil, err
	}
	db.SealOutbox(box)
	return master, nil
}

// markPurpose writes into a new database whether it is the demo's, and refuses
// one that was made for the other purpose: the demo's accounts are known to
// everybody.
func markPurpose(ctx context.Context, db *sqlstore.DB, demo bool) error {
	purpose := "service"
	if demo {
		purpose = "demo"
	}
	kept, err := db.KeepMeta(ctx, metaPurpose, purpose)
	switch {
	case err != nil:
		return stuck(err)
	case kept == purpose:
		return nil
	case demo:
		return fmt.Errorf("the database of --demo was made by a serve without it and may hold real accounts: move it away")
	}
	return fmt.Errorf("DATABASE_URL names the database of a demo, whose passwords everybody knows: name another one, or serve it with --demo")
}

// openAccounts is what users and clients are kept and checked with; onWait is
// password's, or nil.
func openAccounts(db *sqlstore.DB, master *keys.Master, cfg *config.Config, onWait func(context.Context) func(error), logger *slog.Logger) (account.Deps, error) {
	hasher, err := password.New(password.Config{
		Algorithm:   cfg.Passwords.PasswordHash,
		BcryptCost:  cfg.Passwords.BcryptCost,
		Concurrency: cfg.Passwords.HashConcurrency,
		Queue:       cfg.Passwords.HashQueue,
		Wait:        cfg.Passwords.HashWait,
		DummyKey:    master.UnknownKey(),
		OnWait:      onWait,
	})
	if err != nil {
		return account.Deps{}, err
	}
	roles, err := resource.ParseHierarchy(cfg.Identity.RoleHierarchy)
	if err != nil {
		return account.Deps{}, fmt.Errorf("ROLE_HIERARCHY: %w", err)
	}
	return account.Deps{
		Users:            db,
		Clients:          db,
		Hasher:           hasher,
		Limiter:          limit.NewMemory(maxLimitKeys),
		LoginRate:        rule("login", cfg.Limits.LoginRate),
		LoginRateIP:      rule("login_ip", cfg.Limits.LoginRateIP),
		ClientRate:       rule("client", cfg.Limits.ClientRate),
		RegistrationRate: rule("registration", cfg.Limits.RegistrationRate),
		Master:           master,
		Roles:            roles,
		Audience:         cfg.Identity.Audience,
		Logger:           logger,
	}, nil
}

// maxLimitKeys bounds the memory of the limiter to some tens of megabytes under
// attack from that many addresses.
const maxLimitKeys = 200_000

func rule(name string, r config.Rate) limit.Rule {
	return limit.Rule{Name: name, Burst: r.Burst, Per: r.Per}
}

// staff is what the commands for operators work with. They act on the database
// of a server that may be running: it hears of it through its feed.
type staff struct {
	cfg     *config.Config
	db      *sqlstore.DB
	master  *keys.Master
	deps    account.Deps
	users   *account.Users
	clients *account.Clients
}

// withStaff opens what the settings name, calls act, and closes it.
func (c *console) withStaff(ctx context.Context, act func(*staff) error) (err error) {
	cfg, err := c.settings(nil, false)
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, cfg.Storage)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(stuck(err), db.Close()) }()
	master, err := openMaster(ctx, db, cfg)
	if err != nil {
		return err
	}
	// Whatever this process changes from here on is chained in the audit log.
	db.BeginChain(master.AuditKeys()[0])
	deps, err := openAccounts(db, master, cfg, nil, newLogger(c.err, cfg.Log))
	if err != nil {
		return err
	}
	return act(&staff{
		cfg: cfg, db: db, master: master, deps: deps,
		users: account.NewUsers(deps), clients: account.NewClients(deps),
	})
}
