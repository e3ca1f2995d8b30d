package cli

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/config"
)

// greet tells the operator what has been started and what to mind.
func greet(ctx context.Context, con *console, logger *slog.Logger, cfg *config.Config, users *account.Users, demo bool) error {
	// What can fail comes first: where it is said that it serves, it does.
	_, total, err := users.List(ctx, authserver.Page{Limit: 1})
	if err != nil {
		return err
	}
	logger.InfoContext(ctx, "serving", "listen", cfg.HTTP.Listen, "issuer", cfg.Identity.Issuer, "profile", cfg.Tokens.Profile)
	if cfg.Tokens.Strict() {
		logger.InfoContext(ctx, "PROFILE=strict: the password grant, /auth/login and refresh tokens in a query are off; login by redirect, refresh_token, client_credentials and accounts remain")
	} else {
		logger.WarnContext(ctx, "PROFILE=compat: the password grant is on, which RFC 9700 §2.4 forbids; PROFILE=strict removes it")
	}
	if demo {
		commands := commandsCompat
		if cfg.Tokens.Strict() {
			commands = commandsStrict
		}
		text := strings.Replace(banner, "{commands}", commands, 1)
		fmt.Fprint(con.out, strings.ReplaceAll(text, "{issuer}", cfg.Identity.Issuer))
		return nil
	}
	if total == 0 {
		fmt.Fprintln(con.err, "No account exists yet. Make one with: tokenwright user add NAME --email ADDRESS --role admin")
	}
	return nil
}

const banner = `
Tokenwright is running a demo. Everybody knows its passwords, so it listens on
this machine only.

  Application         {issuer}/demo/  (log in by redirect)
  API documentation   {issuer}/docs  (press Authorize)
                      {issuer}/redoc
  Metadata            {issuer}/.well-known/oauth-authorization-server

  user name   password    role
  admin       admin123    admin
  moderator   mod123      moderator
  testuser    user123     user

Paste these into another terminal:

{commands}
Ctrl-C ends it; its data stays in data/demo.db.
`

const commandsCompat = `  curl -s {issuer}/health
  curl -s -X POST {issuer}/auth/login -d 'username=admin&password=admin123'
  curl -s -H "Authorization: Bearer $(curl -s -X POST {issuer}/auth/login -d 'username=admin&password=admin123' | sed 's/.*"access_token":"\([^"]*\)".*/\1/')" {issuer}/api/admin
`

// commandsStrict do without a password.
const commandsStrict = `  curl -s {issuer}/health
  curl -s {issuer}/oauth/token -u demo-service:demo-service-secret -d grant_type=client_credentials
  curl -s -H "Authorization: Bearer $(curl -s {issuer}/oauth/token -u demo-service:demo-service-secret -d grant_type=client_credentials | sed 's/.*"access_token":"\([^"]*\)".*/\1/')" {issuer}/api/private
`
