package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/tokenwright/tokenwright/authserver/doctor"
)

type doctorCmd struct {
	Issuer   string   `arg:"" optional:"" help:"The issuer identifier; if it is left out, ISSUER."`
	Fixtures string   `placeholder:"FILE" help:"What the issuer knows, as YAML; without it only what needs none is tried."`
	Timing   bool     `help:"Try what takes minutes too, with the issuer's limits off (LOGIN_RATE, LOGIN_RATE_IP, CLIENT_RATE)."`
	Only     []string `placeholder:"ID" help:"Try these lines alone, such as TOK-001,REF-010."`
	Output   string   `help:"Form of the output: text, json or junit." enum:"text,json,junit" default:"text"`
}

func (doctorCmd) Help() string {
	return `Asks a running issuer, ours or anybody's, what its standards want of it, and
says for each line whether it holds. The exit code is 1 if one fails that must
hold. Sessions are opened and ended; no account is made or changed. Give it an
issuer for trials: it has to know a user's password.

FILE names what the issuer was told before. Each part may be left out; the lines
that need it are then not applicable. A file for tokenwright apply will do, with
api and origin added:

	clients:
	  - {id: app, grants: [password, refresh_token], scopes: [read, write, admin]}    # no secret: public
	  - {id: app2, grants: [password, refresh_token], refresh_grace_seconds: 0}
	  - {id: rs, secret: …, grants: [client_credentials], introspect: true, serves: [https://api.example.com]}
	  - {id: spa, grants: [authorization_code, refresh_token], redirect_uris: [http://127.0.0.1/callback], trusted: true}
	  - {id: web, secret: …, grants: [authorization_code], redirect_uris: [https://web.example.com/callback]}
	  - {id: club, secret: …, grants: [authorization_code], scopes: [openid], redirect_uris: […], post_logout_redirect_uris: […]}
	users:                                       # the first active one logs in
	  - {username: alice, password: …}
	  - {username: carol, password: …, is_active: false}
	api:
	  identifier: https://api.example.com        # what tokens are for
	  url: https://api.example.com/private       # takes any token
	  admin_url: https://api.example.com/admin   # does not take alice's
	origin: https://app.example.com              # may read answers (CORS)

A client may also have resources: other APIs that it may ask tokens for. One that
logs people in by redirect has redirect_uris; nobody needs to be there. trusted says
that nobody is asked for a consent; require_pkce: false and
require_pushed_authorization_requests: true are what they are called.

Login and consent pages are filled in without a browser and without scripts. Where
the forms are not tokenwright's, say what their fields and buttons are called, each
button by its name=value, or by its name or id alone:

	pages: {username: login, password: secret, login: id-of-button, cancel: …, allow: accept=yes, deny: accept=no, logout: …}

Example:

	tokenwright doctor http://localhost:8000 --fixtures deploy/doctor-demo.yaml
`
}

// maxFixtures is far above any file that people write.
const maxFixtures = 1 << 20

func (cmd doctorCmd) Run(ctx context.Context, con *console) error {
	issuer, err := con.issuer(cmd.Issuer)
	if err != nil {
		return err
	}
	o := doctor.Options{Issuer: issuer, Timing: cmd.Timing, Only: cmd.Only}
	if cmd.Fixtures != "" {
		if o.Fixtures, err = con.readFixtures(cmd.Fixtures); err != nil {
			return err
		}
	}
	report, err := doctor.Run(ctx, o)
	if err != nil {
		return err
	}
	write := map[string]func(io.Writer) error{"text": report.WriteText, "json": report.WriteJSON, "junit": report.WriteJUnit}[cmd.Output]
	if err := write(con.out); err != nil {
		return err
	}
	if n := report.Failed(); n > 0 {
		return fmt.Errorf("%s does not do what it must; lines that fail: %d", o.Issuer, n)
	}
	return nil
}

// issuer is the issuer identifier that a command was given, or the settings'.
func (c *console) issuer(named string) (string, error) {
	if named = strings.TrimSuffix(named, "/"); named != "" {
		return named, nil
	}
	cfg, err := c.settings(nil, false)
	if err != nil {
		return "", err
	}
	return cfg.Identity.Issuer, nil
}

func (c *console) readFixtures(name string) (doctor.Fixtures, error) {
	text, err := c.readFile(name, maxFixtures)
	if err != nil {
		return doctor.Fixtures{}, err
	}
	fixtures, err := doctor.ParseFixtures(text)
	if err != nil {
		return doctor.Fixtures{}, fmt.Errorf("%s: %w", name, err)
	}
	return fixtures, nil
}
