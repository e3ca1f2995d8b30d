package cli

import (
	"context"
	"fmt"
	"sync"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/audit"
	"github.com/tokenwright/tokenwright/authserver/demo"
	"github.com/tokenwright/tokenwright/authserver/feed"
	"github.com/tokenwright/tokenwright/authserver/httpapi"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/pages"
	"github.com/tokenwright/tokenwright/authserver/redisstore"
	"github.com/tokenwright/tokenwright/authserver/sessions"
	"github.com/tokenwright/tokenwright/authserver/web"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/api"
)

type serveCmd struct {
	Demo   bool   `help:"Use a database of its own with well-known accounts, on this machine only."`
	Only   string `enum:"auth,api," default:"" placeholder:"auth|api" help:"Serve the authorization server or the resource API alone."`
	Listen string `placeholder:"HOST:PORT" help:"Address of the listener; goes before LISTEN."`
}

func (serveCmd) Help() string {
	return "Example:\n\n\ttokenwright serve --demo\n"
}

// Run is the parts list of the server, from the settings to the listener.
func (cmd serveCmd) Run(ctx context.Context, con *console) error {
	cfg, err := con.settings(cmd.flags(), cmd.Demo)
	if err != nil {
		return err
	}
	if err := cmd.checkOnly(cfg); err != nil {
		return err
	}
	log := newServerLog(con.err, cfg.Log)
	defer log.batch.flush()
	logger := log.Logger
	for _, hint := range cfg.Hints() {
		logger.WarnContext(ctx, hint)
	}
	if cmd.Only == "api" {
		return serveAPI(ctx, cfg, log)
	}

	listener, err := listen(ctx, cfg.HTTP, logger)
	if err != nil {
		return err
	}
	defer listener.Close()
	cfg.Bound(listener.Addr().String())
	observed, err := openTelemetry(ctx, cfg, logger)
	if err != nil {
		return err
	}
	defer observed.close()

	// Before a database is made, which a Redis that is away would leave behind.
	var redis *redisstore.Store
	if url := cfg.Storage.RedisURL.Reveal(); url != "" {
		if redis, err = redisstore.Open(ctx, url, logger); err != nil {
			return err
		}
		defer redis.Close()
	}

	db, err := openDatabase(ctx, cfg.Storage)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := markPurpose(ctx, db, cmd.Demo); err != nil {
		return err
	}
	master, err := openMaster(ctx, db, cfg)
	if err != nil {
		return err
	}
	// Whatever this process changes from here on is chained in the audit log.
	db.BeginChain(master.AuditKeys()[0])
	ring, err := keys.Open(ctx, db, master, cfg.Keys.Algorithm)
	if err != nil {
		return err
	}
	// Before the first token: what has ended must be remembered for as long as
	// the longest life that any token here was given.
	if err := db.RaiseLifetimes(ctx, cfg.Tokens.AccessLifetime(), cfg.Tokens.SessionLifetime()); err != nil {
		return err
	}
	if err := ring.Begin(ctx); err != nil {
		return err
	}
	if err := warnIfRestored(ctx, db, logger); err != nil {
		return err
	}

	checks := []httpapi.Check{{Name: "database", Ping: db.Ping}}
	var kept authserver.SessionStore = db
	others := wakers{db}
	if redis != nil {
		kept, others = redis, append(others, redis)
		checks = append(checks, httpapi.Check{Name: "redis", Ping: redis.Ping})
	}

	notes := audit.NewBatch(db, logger)
	ended := resource.NewEnded()
	tail := feed.New(db, ended, patience(cfg.Revocation), logger)
	if err := tail.Sync(ctx); err != nil {
		return err
	}
	sends, err := openOutbox(cfg, db, master, ring, kept, logger)
	if err != nil {
		return err
	}
	accounts, err := openAccounts(db, master, cfg, observed.Waits(), logger)
	if err != nil {
		return err
	}
	if redis != nil {
		accounts.Limiter = redis.Limiter(master.LimitKey())
	}
	accounts.Users, accounts.Limiter = observed.Users(db), observed.Limiter(accounts.Limiter)
	accounts.Changed = func(ctx context.Context) {
		tail.Changed(ctx)
		sends.Wake()
		others.wake(ctx, logger)
	}
	if cmd.Demo {
		if err := account.SeedDemo(ctx, accounts, cfg.Identity.Path()); err != nil {
			return fmt.Errorf("make demo accounts: %w", err)
		}
	}
	users := account.NewUsers(accounts)
	strangers := account.NewStrangers(accounts)
	if err := strangers.Learn(ctx, 1000); err != nil { // and of all soon
		return err
	}
	origins, err := account.NewOrigins(ctx, db, logger)
	if err != nil {
		return err
	}
	scopes, err := openScopes(ctx, db)
	if err != nil {
		return err
	}

	issued, err := resource.NewVerifier(resource.VerifierConfig{
		Issuer: cfg.Identity.Issuer, AnyAudience: true, Keys: ring, Ended: ended,
	})
	if err != nil {
		return err
	}
	facts, store := observed.Facts(db), observed.Sessions(kept)
	endings := sessions.New(sessions.Deps{
		Facts: facts, Store: store, Users: accounts.Users, Log: observed.Revocations(db), Changed: accounts.Changed, Logger: logger,
	})
	server, err := oauth.New(oauth.Deps{
		Settings: oauthSettings(cfg, scopes),
		Facts:    facts,
		Sessions: store,
		Endings:  endings,
		Audit:    db,
		Users:    users,
		Clients:  account.NewClients(accounts),
		Ring:     ring,
		Master:   master,
		Roles:    accounts.Roles,
		Verifier: issued,
		Notes:    notes,
		Answered: observed.Answered(),
		Logger:   logger,
	})
	if err != nil {
		return err
	}
	verifier, err := resource.NewVerifier(resource.VerifierConfig{
		Issuer: cfg.Identity.Issuer, Audience: cfg.Identity.Audience, Keys: ring, Ended: ended,
	})
	if err != nil {
		return err
	}
	deps := httpapi.Deps{
		Settings:  httpSettings(cfg, scopes),
		Guard:     resource.NewGuard(verifier, api.MetadataURL(cfg.Identity.Issuer)),
		Roles:     accounts.Roles,
		Authority: &httpapi.Authority{OAuth: server, Users: users, Sessions: endings, UserStore: accounts.Users, Feed: tail, JWKS: ring.JWKS},
		Checks:    checks,
		Logger:    logger,
	}
	deps.Settings.Home = pages.PathAccount
	if cmd.Only == "" {
		deps.API = httpapi.LocalUsers{Store: accounts.Users}
	}
	settings := webSettings(cfg, observed, log)
	settings.Origin = origins.Has
	site, err := web.New(settings)
	if err != nil {
		return err
	}
	if err := httpapi.Mount(site, deps); err != nil {
		return err
	}

	if err := mountPages(site, cfg, pages.Deps{
		OAuth: server, Users: users, Clients: account.NewClients(accounts), Sessions: endings, Facts: facts, Consents: db, Logger: logger,
	}, store, master); err != nil {
		return err
	}
	if cmd.Demo {
		if err := demo.Mount(site, cfg.Identity.Issuer); err != nil {
			return err
		}
	}

	observed.Hashes(accounts.Hasher)
	observed.Endings(ended.Len)
	observed.Feed(tail.Stats)
	observed.Outbox(sends.Stats)
	observed.SigningKey(ring.SigningSince)
	observed.Database(db.Stats)
	if redis != nil {
		observed.Redis(redis.Stats)
	}
	observed.begin(context.WithoutCancel(ctx))

	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer stop() // after the last request
	tasks.Go(func() { tail.Run(background) })
	tasks.Go(func() { ring.Run(background, cfg.Keys.Rotation(), logger) })
	tasks.Go(func() { notes.Run(background) })
	if _, asked := scopes[authserver.ScopeOpenID]; asked {
		tasks.Go(func() {
			if err := ring.Prepare(background, cfg.Keys.IDTokenAlgorithm); err != nil && background.Err() == nil {
				logger.WarnContext(background, "no key for ID tokens yet; the first of them makes it", "err", err)
			}
		})
	}
	tasks.Go(func() { sends.Run(background) })
	tasks.Go(func() { strangers.Run(background) })
	tasks.Go(func() { sweep(background, db, cfg.Audit.Retention(), logger) })
	for _, s := range others {
		tasks.Go(func() { s.Wakes(background, func() { tail.Wake(); ring.Wake(); sends.Wake() }) })
	}

	if err := greet(context.WithoutCancel(ctx), con, logger, cfg, users, cmd.Demo); err != nil {
		return err
	}
	srv := web.NewServer(site)
	srv.RegisterOnShutdown(tail.Release)
	return serve(ctx, srv, listener, logger)
}

func (cmd serveCmd) flags() map[string]string {
	flags := map[string]string{}
	if cmd.Listen != "" {
		flags["LISTEN"] = cmd.Listen
	}
	return flags
}
