package cli

import (
	"context"
	"errors"
	"time"

	"github.com/tokenwright/tokenwright/authserver/httpapi"
	"github.com/tokenwright/tokenwright/authserver/web"
	"github.com/tokenwright/tokenwright/config"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/api"
)

// checkOnly refuses settings that do not go with --only.
func (cmd serveCmd) checkOnly(cfg *config.Config) error {
	if cmd.Only == "" {
		return nil
	}
	var faults []error
	fault := func(is bool, text string) {
		if is {
			faults = append(faults, errors.New(text))
		}
	}
	fault(cfg.Keys.Algorithm == "HS256", "ALGORITHM=HS256 does not go with --only, since whoever could verify could sign: "+
		"want ES256, EdDSA or RS256")
	if cmd.Only == "api" {
		fault(cmd.Demo, "--demo does not go with --only api: the demo's database is the authorization server's")
		fault(isDefault(cfg, "ISSUER"), "ISSUER is not set: --only api needs the issuer whose tokens it takes, such as https://login.example.com")
		fault(cfg.Revocation.ResourceClientID == "", "RESOURCE_CLIENT_ID and RESOURCE_CLIENT_SECRET are not set: --only api follows "+
			"what has ended as a client that may introspect; make one with `tokenwright apply`")
	}
	return errors.Join(faults...)
}

func isDefault(cfg *config.Config, name string) bool {
	for _, s := range config.Describe(*cfg) {
		if s.Name == name {
			return s.Origin == "default"
		}
	}
	return false
}

// serveAPI is the resource API as a process of its own: it needs no store, only
// the issuer.
func serveAPI(ctx context.Context, cfg *config.Config, log serverLog) error {
	logger := log.Logger
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

	roles, err := resource.ParseHierarchy(cfg.Identity.RoleHierarchy)
	if err != nil {
		return &plainError{"ROLE_HIERARCHY: " + err.Error(), err}
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop() // after the last request
	verifier, err := resource.New(background, resource.Config{
		Issuer:       cfg.Identity.Issuer,
		Audience:     cfg.Identity.Audience,
		ClientID:     cfg.Revocation.ResourceClientID,
		ClientSecret: cfg.Revocation.ResourceClientSecret.Reveal(),
		Feed:         resource.Policy(cfg.Revocation.RevocationFeed),
		MaxStaleness: cfg.Revocation.RevocationMaxStaleness,
		Logger:       logger,
		Hooks:        observed.Follower(),
	})
	if err != nil {
		return err
	}
	site, err := web.New(webSettings(cfg, observed, log))
	if err != nil {
		return err
	}
	err = httpapi.Mount(site, httpapi.Deps{
		Settings: httpSettings(cfg, nil),
		Guard:    resource.NewGuard(verifier, api.MetadataURL(cfg.Identity.Issuer)),
		Roles:    roles,
		API:      api.NewRemoteUsers(cfg.Identity.Issuer, issuerTimeout),
		Checks:   []httpapi.Check{{Name: "issuer", Ping: heard(verifier)}},
		Logger:   logger,
	})
	if err != nil {
		return err
	}
	observed.Endings(verifier.Endings)
	observed.begin(context.WithoutCancel(ctx))
	logger.InfoContext(ctx, "serving", "listen", cfg.HTTP.Listen, "issuer", cfg.Identity.Issuer, "only", "api")
	return serve(ctx, web.NewServer(site), listener, logger)
}

const issuerTimeout = 5 * time.Second

// heard says whether the issuer's keys and first snapshot are in. It knows no
// clock but this one.
func heard(v *resource.Verifier) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) { return time.Now(), v.Wait(ctx) }
}
