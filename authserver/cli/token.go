package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/resource"
)

type tokenCmd struct {
	Mint    tokenMintCmd    `cmd:"" help:"Make an access token for a user or a client; the audit log has a row of it."`
	Inspect tokenInspectCmd `cmd:"" help:"Explain an access token."`
}

type tokenMintCmd struct {
	output
	User     string   `xor:"whose" required:"" placeholder:"NAME" help:"The user whose token it is, by name or e-mail address."`
	Client   string   `xor:"whose" required:"" placeholder:"ID" help:"The client whose own token it is."`
	Scope    *string  `placeholder:"SCOPES" help:"Scopes with spaces between; all that may be held if left out."`
	Audience []string `placeholder:"URI" help:"Resource it is for; the bundled API if left out."`
	exactMint
}

func (tokenMintCmd) Help() string {
	return "A user's token has no session: it is not listed, and ends by itself or with the user.\n\n" +
		"--claims and --header are signed byte for byte, for testing what checks tokens; a header that lacks alg or kid gets the signing key's.\n\n" +
		"Example:\n\n\ttokenwright token mint --user alice --scope \"read profile\"\n" +
		"\ttokenwright token mint --claims '{\"iss\":\"http://127.0.0.1:8000\",\"exp\":1}' --header '{\"typ\":\"JWT\"}'\n"
}

// signer is what signs a token: what will end it is then remembered for as long
// as it lives.
func (s *staff) signer(ctx context.Context) (*keys.Ring, error) {
	ring, err := keys.Open(ctx, s.db, s.master, s.cfg.Keys.Algorithm)
	if err != nil {
		return nil, err
	}
	return ring, s.db.RaiseLifetimes(ctx, s.cfg.Tokens.AccessLifetime(), s.cfg.Tokens.SessionLifetime())
}

type mintView struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"`
	Scope       string `json:"scope"`
}

func (cmd tokenMintCmd) Run(ctx context.Context, con *console) error {
	return con.withStaff(ctx, func(s *staff) error {
		if cmd.Claims != nil {
			return cmd.mintExactly(ctx, con, s)
		}
		claims, err := cmd.claims(ctx, s)
		if err != nil {
			return err
		}
		ring, err := s.signer(ctx)
		if err != nil {
			return err
		}
		token, err := ring.Sign(claims)
		if err != nil {
			return fmt.Errorf("sign access token: %w", err)
		}
		// Before it is printed: there is no token of an operator's without a row.
		event := authserver.Event{
			At: time.Now(), Act: "token.mint", Result: "success", Actor: authserver.ActorCLI,
			ClientID: claims.ClientID, SessionID: claims.SessionID,
		}
		if claims.OfUser() {
			event.Subject = claims.Subject
		}
		if err := s.db.Record(ctx, event); err != nil {
			return err
		}
		v := mintView{token, "Bearer", claims.ExpiresAt - claims.IssuedAt, claims.Scope}
		return cmd.print(con, v, func(w io.Writer) { fmt.Fprintln(w, v.AccessToken) })
	})
}

// claims are what the token is to say.
func (cmd tokenMintCmd) claims(ctx context.Context, s *staff) (resource.Claims, error) {
	now := time.Now()
	c := resource.Claims{
		Issuer:    s.cfg.Identity.Issuer,
		Audience:  cmd.Audience,
		IssuedAt:  now.Unix(),
		ExpiresAt: now.Add(s.cfg.Tokens.AccessLifetime()).Unix(),
		ID:        authserver.NewID(),
	}
	if len(c.Audience) == 0 {
		c.Audience = []string{s.cfg.Identity.Audience}
	}
	allowed, err := cmd.fillSubject(ctx, s, &c)
	if err != nil {
		return c, err
	}
	scope := authserver.FittingScope(allowed)
	if cmd.Scope != nil {
		asked, ok := authserver.ParseScope(*cmd.Scope)
		if !ok {
			return c, &usageError{"--scope takes names with spaces between, such as \"read profile\""}
		}
		for _, name := range asked {
			if !slices.Contains(allowed, name) {
				return c, fmt.Errorf("the scope %q may not be held here; these may: %s", name, joined(allowed))
			}
		}
		scope = asked
	}
	c.Scope = joined(scope)
	if !slices.Contains(scope, authserver.ScopeProfile) {
		c.Name = ""
	}
	return c, nil
}

// fillSubject writes whose the token is into c, and returns the scopes that may
// be in it.
func (cmd tokenMintCmd) fillSubject(ctx context.Context, s *staff, c *resource.Claims) (allowed []string, err error) {
	if cmd.Client != "" {
		client, err := s.clients.Find(ctx, cmd.Client)
		if err != nil {
			return nil, clientArg{cmd.Client}.about(err)
		}
		c.Subject, c.ClientID = client.ID, client.ID
		return client.Scopes, nil
	}
	u, err := userArg{cmd.User}.find(ctx, s.users)
	if err != nil {
		return nil, err
	}
	if !u.Active {
		return nil, fmt.Errorf("%s is disabled, so that every token is refused: run tokenwright user enable %s first", u.Username, u.Username)
	}
	c.Subject, c.ClientID = u.Subject, authserver.FirstPartyClientID
	c.Roles, c.UserID, c.Username, c.Name = u.Roles, u.ID, u.Username, u.FullName
	c.Epoch, c.SessionEpoch = u.Epoch, u.SessionEpoch
	c.SessionID = authserver.NewID()
	scopes, err := s.db.Scopes(ctx)
	if err != nil {
		return nil, err
	}
	allowed = []string{authserver.ScopeProfile}
	for name, scope := range scopes {
		if name != authserver.ScopeProfile && (scope.RequiresRole == "" || s.deps.Roles.Holds(u.Roles, scope.RequiresRole)) {
			allowed = append(allowed, name)
		}
	}
	slices.Sort(allowed)
	return allowed, nil
}
