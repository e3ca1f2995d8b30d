package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
)

type clientCmd struct {
	Add          clientAddCmd    `cmd:"" help:"Register a client; a secret is made and printed once."`
	List         clientListCmd   `cmd:"" help:"List clients."`
	Show         clientShowCmd   `cmd:"" help:"Show one client."`
	RotateSecret clientRotateCmd `cmd:"" name:"rotate-secret" help:"Replace a client's secret; the new one is printed once."`
	Remove       clientRemoveCmd `cmd:"" help:"Forget a client; every session and token of it ends."`
}

// clientArg is the client that a command is about.
type clientArg struct {
	ID string `arg:"" name:"client" help:"Client id."`
}

func (a clientArg) about(err error) error {
	return about(err, `no client has the id %q; list them with: tokenwright client list`, a.ID)
}

// clientView is a client as commands print it. Secret is set once, when it was
// just made.
type clientView struct {
	ID           string   `json:"client_id"`
	Secret       string   `json:"client_secret,omitempty"`
	Public       bool     `json:"public"`
	Grants       []string `json:"grants"`
	Scopes       []string `json:"scopes"`
	Resources    []string `json:"resources"`
	Serves       []string `json:"serves"`
	Introspect   bool     `json:"introspect"`
	RefreshGrace *float64 `json:"refresh_grace_seconds,omitempty"`
	webView
	CreatedAt string `json:"created_at"`
}

func viewClient(c authserver.Client) clientView {
	v := clientView{
		ID: c.ID, Public: c.Public, Introspect: c.Introspect, CreatedAt: stamp(c.CreatedAt),
		Grants: append([]string{}, c.Grants...), Scopes: append([]string{}, c.Scopes...),
		Resources: append([]string{}, c.Resources...), Serves: append([]string{}, c.Serves...),
	}
	if c.RefreshGrace != nil {
		seconds := c.RefreshGrace.Seconds()
		v.RefreshGrace = &seconds
	}
	v.webView = viewWeb(c)
	return v
}

func (v clientView) text(w io.Writer) {
	fmt.Fprintf(w, "client\t%s\n", v.ID)
	if v.Secret != "" {
		fmt.Fprintf(w, "secret\t%s\t(keep it now: it is not shown again)\n", v.Secret)
	}
	fmt.Fprintf(w, "public\t%s\n", yesNo(v.Public))
	fmt.Fprintf(w, "grants\t%s\n", strings.Join(v.Grants, " "))
	fmt.Fprintf(w, "scopes\t%s\n", strings.Join(v.Scopes, " "))
	fmt.Fprintf(w, "resources\t%s\n", strings.Join(v.Resources, " "))
	fmt.Fprintf(w, "serves\t%s\n", strings.Join(v.Serves, " "))
	fmt.Fprintf(w, "introspect\t%s\n", yesNo(v.Introspect))
	if v.RefreshGrace != nil {
		fmt.Fprintf(w, "refresh grace\t%gs\n", *v.RefreshGrace)
	}
	v.webView.text(w)
	fmt.Fprintf(w, "created\t%s\n", v.CreatedAt)
}

type clientAddCmd struct {
	output
	ID           string         `arg:"" name:"client" help:"Client id: printable ASCII."`
	Public       bool           `help:"A client that cannot keep a secret: it has none."`
	Grant        []string       `required:"" placeholder:"GRANT" help:"A grant it may use: authorization_code, password, refresh_token or client_credentials."`
	Scope        []string       `placeholder:"SCOPE" help:"A scope it may ask for."`
	Resource     []string       `placeholder:"URI" help:"A resource it may ask tokens for, besides the bundled API."`
	Serves       []string       `placeholder:"URI" help:"A resource whose tokens it may introspect."`
	Introspect   bool           `help:"Let it introspect tokens of the resources that it serves."`
	RefreshGrace *time.Duration `placeholder:"DURATION" help:"Its own grace period for refresh tokens, such as 0s for strict single use."`
	SecretStdin  bool           `help:"Read the secret from stdin instead of making one."`
	webFlags
}

func (clientAddCmd) Help() string {
	return "Example:\n\n\ttokenwright client add reports --grant client_credentials --scope read\n\ttokenwright client add shop --public --grant authorization_code --grant refresh_token --redirect-uri https://shop.example.com/cb\n"
}

func (cmd clientAddCmd) Validate() error {
	if cmd.Public && cmd.SecretStdin {
		return &usageError{"a public client has no secret: leave out --public or --secret-stdin"}
	}
	return nil
}

func (cmd clientAddCmd) Run(ctx context.Context, con *console) error {
	return con.withStaff(ctx, func(s *staff) error {
		spec := account.ClientSpec{
			ID: cmd.ID, Public: cmd.Public, Grants: cmd.Grant, Scopes: cmd.Scope,
			Resources: cmd.Resource, Serves: cmd.Serves, Introspect: cmd.Introspect,
			RefreshGrace: cmd.RefreshGrace,
		}
		cmd.webFlags.into(&spec)
		if cmd.SecretStdin {
			secret, err := con.secretLine("client secret")
			if err != nil {
				return err
			}
			spec.Secret = secret
		}
		c, secret, err := s.clients.Add(ctx, spec, authserver.ActorCLI)
		if err != nil {
			return err
		}
		v := viewClient(c)
		if !cmd.SecretStdin {
			v.Secret = secret
		}
		return cmd.print(con, v, v.text)
	})
}

type clientListCmd struct {
	output
}

func (clientListCmd) Help() string {
	return "Example:\n\n\ttokenwright client list --output json\n"
}

func (cmd clientListCmd) Run(ctx context.Context, con *console) error {
	return con.withStaff(ctx, func(s *staff) error {
		clients, err := s.clients.List(ctx)
		if err != nil {
			return err
		}
		list := struct {
			Clients []clientView `json:"clients"`
		}{[]clientView{}}
		for _, c := range clients {
			list.Clients = append(list.Clients, viewClient(c))
		}
		return cmd.print(con, list, func(w io.Writer) {
			fmt.Fprintln(w, "CLIENT\tPUBLIC\tGRANTS\tSCOPES")
			for _, v := range list.Clients {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", v.ID, yesNo(v.Public), strings.Join(v.Grants, " "), strings.Join(v.Scopes, " "))
			}
		})
	})
}

type clientShowCmd struct {
	output
	clientArg
}

func (clientShowCmd) Help() string {
	return "Example:\n\n\ttokenwright client show reports\n"
}

func (cmd clientShowCmd) Run(ctx context.Context, con *console) error {
	return con.withStaff(ctx, func(s *staff) error {
		c, err := s.clients.Find(ctx, cmd.ID)
		if err != nil {
			return cmd.about(err)
		}
		return cmd.print(con, viewClient(c), viewClient(c).text)
	})
}

type clientRotateCmd struct {
	output
	clientArg
}

func (clientRotateCmd) Help() string {
	return "The old secret stops working at once.\n\nExample:\n\n\ttokenwright client rotate-secret reports\n"
}

func (cmd clientRotateCmd) Run(ctx context.Context, con *console) error {
	return con.withStaff(ctx, func(s *staff) error {
		secret, err := s.clients.RotateSecret(ctx, cmd.ID, authserver.ActorCLI)
		if err != nil {
			return cmd.about(err)
		}
		c, err := s.clients.Find(ctx, cmd.ID)
		if err != nil {
			return cmd.about(err)
		}
		v := viewClient(c)
		v.Secret = secret
		return cmd.print(con, v, v.text)
	})
}

type clientRemoveCmd struct {
	clientArg
}

func (clientRemoveCmd) Help() string {
	return "Example:\n\n\ttokenwright client remove reports\n"
}

func (cmd clientRemoveCmd) Run(ctx context.Context, con *console) error {
	return con.withStaff(ctx, func(s *staff) error {
		if err := s.clients.Remove(ctx, cmd.ID, authserver.ActorCLI); err != nil {
			return cmd.about(err)
		}
		fmt.Fprintf(con.out, "%s: removed, and every session and token of it has ended\n", cmd.ID)
		return nil
	})
}
