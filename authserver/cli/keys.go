package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/keys"
)

type keysCmd struct {
	List   keysListCmd   `cmd:"" help:"List the signing keys."`
	Rotate keysRotateCmd `cmd:"" help:"Make the next signing key; it is published now and signs in an hour."`
	Burn   keysBurnCmd   `cmd:"" help:"Destroy a signing key that may be in wrong hands; every token that it signed ends."`
	Reseal keysResealCmd `cmd:"" help:"Encrypt the signing keys again, under the current SECRET_KEY."`
}

// withRing is withStaff with the signing keys opened.
func (c *console) withRing(ctx context.Context, act func(*staff, *keys.Ring) error) error {
	return c.withStaff(ctx, func(s *staff) error {
		ring, err := keys.Open(ctx, s.db, s.master, s.cfg.Keys.Algorithm)
		if err != nil {
			return err
		}
		return act(s, ring)
	})
}

// wake makes servers read the keys at once; those that it does not reach read
// them by themselves.
func (s *staff) wake(ctx context.Context) {
	wakers{s.db}.wake(ctx, s.deps.Logger)
}

// keyView is a signing key as commands print it.
type keyView struct {
	KID        string     `json:"kid"`
	Algorithm  string     `json:"alg"`
	State      keys.State `json:"state"`
	Signing    bool       `json:"signing"`
	CreatedAt  string     `json:"created_at"`
	ActiveFrom string     `json:"active_from"`
	RemovedAt  string     `json:"removed_at,omitempty"`
}

func viewKey(k keys.Listed) keyView {
	v := keyView{
		KID: k.KID, Algorithm: k.Algorithm, State: k.State, Signing: k.State == keys.Signing,
		CreatedAt: stamp(k.CreatedAt), ActiveFrom: stamp(k.Begins()),
	}
	if !k.RemoveAt.IsZero() {
		v.RemovedAt = stamp(k.RemoveAt)
	}
	return v
}

type keysListCmd struct {
	output
}

func (keysListCmd) Help() string {
	return "A key is waiting (published, to sign later), signing, idle (it signs no more, or not under this ALGORITHM),\n" +
		"retiring (published until its last token has expired), removed or burnt.\n\n" +
		"Example:\n\n\ttokenwright keys list\n"
}

func (cmd keysListCmd) Run(ctx context.Context, con *console) error {
	return con.withStaff(ctx, func(s *staff) error {
		all, err := keys.List(ctx, s.db, s.cfg.Keys.Algorithm)
		if err != nil {
			return err
		}
		list := struct {
			Keys []keyView `json:"keys"`
		}{[]keyView{}}
		for _, k := range all {
			list.Keys = append(list.Keys, viewKey(k))
		}
		return cmd.print(con, list, func(w io.Writer) {
			fmt.Fprintln(w, "KEY\tALGORITHM\tSTATE\tCREATED\tACTIVE FROM\tREMOVED AT")
			for _, v := range list.Keys {
				removed := v.RemovedAt
				if removed == "" {
					removed = "-"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", v.KID, v.Algorithm, v.State, v.CreatedAt, v.ActiveFrom, removed)
			}
		})
	})
}

type keysRotateCmd struct {
	output
}

func (keysRotateCmd) Help() string {
	return "Servers do this by themselves every KEY_ROTATION_DAYS. Nobody is logged out: the key before stays published until\n" +
		"its last token has expired. To be rid of a key at once, burn it.\n\n" +
		"Example:\n\n\ttokenwright keys rotate\n"
}

func (cmd keysRotateCmd) Run(ctx context.Context, con *console) error {
	return con.withRing(ctx, func(s *staff, ring *keys.Ring) error {
		next, made, err := ring.Rotate(ctx, authserver.ActorCLI)
		if err != nil {
			return err
		}
		s.wake(ctx)
		v := struct {
			KID        string `json:"kid"`
			Made       bool   `json:"made"`
			ActiveFrom string `json:"active_from"`
		}{next.KID, made, stamp(next.Begins())}
		return cmd.print(con, v, func(w io.Writer) {
			already := ""
			if !made {
				already = " already"
			}
			fmt.Fprintf(w, "%s: published%s, and signs from %s on\n", v.KID, already, v.ActiveFrom)
		})
	})
}

type keysBurnCmd struct {
	KID string `arg:"" name:"kid" help:"The key's id, as keys list shows it; after -- if it begins with a hyphen."`
}

func (keysBurnCmd) Help() string {
	return "If it is the key that signs, another takes over first, which takes two seconds. Users are not logged out: clients\n" +
		"get new access tokens with their refresh tokens.\n\n" +
		"Example:\n\n\ttokenwright keys burn -- NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs\n"
}

func (cmd keysBurnCmd) Run(ctx context.Context, con *console) error {
	return con.withRing(ctx, func(s *staff, ring *keys.Ring) error {
		err := ring.Burn(ctx, cmd.KID, authserver.ActorCLI, s.wake)
		if errors.Is(err, authserver.ErrNotFound) && s.cfg.Keys.Algorithm == "HS256" {
			return keys.ErrSecretIsKey
		}
		if err != nil {
			return about(err, `no signing key has the id %q; list them with: tokenwright keys list`, cmd.KID)
		}
		fmt.Fprintf(con.out, "%s: burnt, and every token that it signed has ended\n", cmd.KID)
		return nil
	})
}

type keysResealCmd struct {
	output
}

func (keysResealCmd) Help() string {
	return "To change SECRET_KEY, add the next one to SECRET_KEY_PREVIOUS of every server; then swap the two on every server;\n" +
		"then run this. Nobody is logged out. It says what still needs the previous one.\n\n" +
		"Example:\n\n\ttokenwright keys reseal\n"
}

// resealView is what was done, and what the previous SECRET_KEY is still for.
type resealView struct {
	Resealed int `json:"resealed"`
	// Clients have a secret that is hashed under a previous key.
	Clients []string `json:"clients"`
	// RefreshUntil is when the last refresh token made under a previous key until
	// now has been used or has expired.
	RefreshUntil string `json:"refresh_tokens_until"`
}

func (cmd keysResealCmd) Run(ctx context.Context, con *console) error {
	return con.withStaff(ctx, func(s *staff) error {
		resealed, err := s.master.Reseal(ctx, s.db, metaSecretCheck, authserver.ActorCLI)
		if err != nil {
			return err
		}
		clients, err := s.clients.List(ctx)
		if err != nil {
			return err
		}
		v := resealView{Resealed: resealed, Clients: []string{}, RefreshUntil: stamp(time.Now().Add(s.cfg.Tokens.IdleLifetime()))}
		for _, c := range clients {
			if !c.Public && !s.master.HashesAlike(c.SecretHash) {
				v.Clients = append(v.Clients, c.ID)
			}
		}
		return cmd.print(con, v, v.text)
	})
}

func (v resealView) text(w io.Writer) {
	fmt.Fprintf(w, "%d signing keys resealed; all are under the current SECRET_KEY.\n", v.Resealed)
	fmt.Fprintln(w, "Keep the previous one in SECRET_KEY_PREVIOUS")
	if len(v.Clients) > 0 {
		fmt.Fprintf(w, "- until these clients have authenticated once more, or have got a new secret: %s\n", strings.Join(v.Clients, " "))
	}
	fmt.Fprintf(w, "- until %s, if every server has the current one now: older refresh tokens are made under it\n", v.RefreshUntil)
	fmt.Fprintln(w, "- for audit verify, while the log has rows that were written under it")
}
