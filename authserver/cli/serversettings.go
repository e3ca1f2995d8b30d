package cli

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/httpapi"
	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/web"
	"github.com/tokenwright/tokenwright/config"
	"github.com/tokenwright/tokenwright/resource"
)

func oauthSettings(cfg *config.Config, scopes authserver.Scopes) oauth.Settings {
	return oauth.Settings{
		Issuer:           cfg.Identity.Issuer,
		Audience:         cfg.Identity.Audience,
		AccessLifetime:   cfg.Tokens.AccessLifetime(),
		IdleLifetime:     cfg.Tokens.IdleLifetime(),
		SessionLifetime:  cfg.Tokens.SessionLifetime(),
		RefreshGrace:     cfg.Tokens.RefreshGrace(),
		SessionsPerUser:  cfg.Tokens.SessionsPerUser,
		IDTokenAlgorithm: cfg.Keys.IDTokenAlgorithm,
		Strict:           cfg.Tokens.Strict(),
		Scopes:           slices.Sorted(maps.Keys(scopes)),
	}
}

func httpSettings(cfg *config.Config, scopes authserver.Scopes) httpapi.Settings {
	return httpapi.Settings{
		Version:            buildVersion().Version,
		Issuer:             cfg.Identity.Issuer,
		Audience:           cfg.Identity.Audience,
		Docs:               cfg.HTTP.Docs,
		Strict:             cfg.Tokens.Strict(),
		RegistrationClosed: cfg.Limits.Registration == "closed",
		Scopes:             scopes,
	}
}

func webSettings(cfg *config.Config, observed *observed, log serverLog) web.Settings {
	return web.Settings{
		BasePath:       cfg.Identity.Path(),
		AllowedHosts:   cfg.HTTP.AllowedHosts,
		TrustedProxies: cfg.HTTP.TrustedProxies,
		CORSOrigins:    cfg.HTTP.CORSOrigins,
		MaxBody:        oauth.MaxBody,
		Logger:         log.Logger,
		AccessLog:      log.access,
		Watch:          observed.Requests(),
	}
}

// openScopes are the registered scopes, and those that need not be.
func openScopes(ctx context.Context, db *sqlstore.DB) (authserver.Scopes, error) {
	registered, err := db.Scopes(ctx)
	if err != nil {
		return nil, err
	}
	scopes := authserver.Scopes{authserver.ScopeProfile: {Description: "See your name"}}
	maps.Copy(scopes, registered)
	return scopes, nil
}

// patience is how old what this server's own API knows of what has ended may be.
func patience(c config.Revocation) time.Duration {
	if resource.Policy(c.RevocationFeed) == resource.FailClosed {
		return c.RevocationMaxStaleness
	}
	return 0
}
