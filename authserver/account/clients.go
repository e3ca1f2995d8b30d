package account

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// Clients are the registered clients. It is safe for concurrent use.
type Clients struct {
	d     Deps
	quiet quiet
}

// NewClients returns the clients that d keeps.
func NewClients(d Deps) *Clients { return &Clients{d: d} }

// Authenticate checks what a request gave as client id and secret (empty: none)
// against client, which is what the store knows under that id; nil is unknown.
// ErrWrongClientSecret for everything that is wrong, after the same work;
// *limit.ExceededError whatever the secret.
func (cs *Clients) Authenticate(ctx context.Context, client *authserver.Client, id, secret string) error {
	if client != nil && client.Public && secret == "" {
		return nil // RFC 6749 §2.1: it has nothing to prove, and nothing was tried
	}
	var hash []byte
	if client != nil {
		hash = client.SecretHash
	}
	right := cs.d.Master.ClientSecretMatches(hash, secret) && client != nil && !client.Public
	who := id + " " + authserver.CallerFrom(ctx).IP
	if !right {
		cs.quiet.end(who)
	} else if cs.quiet.has(who) {
		return nil
	}
	tries := cs.d.attempt()
	if err := tries.spend(ctx, from(ctx, cs.d.ClientRate, id+" ")...); err != nil {
		cs.quiet.end(who)
		return err
	}
	if !right {
		return ErrWrongClientSecret
	}
	tries.giveBack(ctx)
	cs.quiet.begin(who)
	if !cs.d.Master.HashesAlike(hash) {
		cs.upgrade(ctx, id, hash, secret)
	}
	return nil
}

// upgrade stores secret under the current SECRET_KEY. The client has
// authenticated whatever becomes of this; the next time tries again.
func (cs *Clients) upgrade(ctx context.Context, id string, old []byte, secret string) {
	if err := cs.d.Clients.UpgradeSecretHash(ctx, id, old, cs.d.Master.HashClientSecret(secret)); err != nil {
		cs.d.Logger.WarnContext(ctx, "client secret hash not upgraded", "client", id, "err", err)
	}
}

// Scopes are all registered scopes.
func (cs *Clients) Scopes(ctx context.Context) (authserver.Scopes, error) {
	scopes, err := cs.d.Clients.Scopes(ctx)
	if err != nil {
		return nil, fmt.Errorf("list scopes: %w", err)
	}
	return scopes, nil
}

// Find returns ErrNotFound if there is no client of that id.
func (cs *Clients) Find(ctx context.Context, id string) (authserver.Client, error) {
	c, err := cs.d.Clients.Client(ctx, id)
	if err != nil {
		return authserver.Client{}, fmt.Errorf("find client: %w", err)
	}
	return c, nil
}

// List returns all clients.
func (cs *Clients) List(ctx context.Context) ([]authserver.Client, error) {
	clients, err := cs.d.Clients.Clients(ctx)
	if err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	return clients, nil
}

// Add makes a client and returns its secret, which is kept nowhere: the one of
// s, or if that is empty and the client is confidential, a random one. Scopes
// that nobody has registered are registered for everyone. *InvalidError;
// ErrConflict if the id is taken, or was until a short while ago.
func (cs *Clients) Add(ctx context.Context, s ClientSpec, actor string) (authserver.Client, string, error) {
	if !s.Public && s.Secret == "" {
		s.Secret = newSecret()
	}
	known, err := cs.knownResources(ctx)
	if err != nil {
		return authserver.Client{}, "", err
	}
	if err := errors.Join(s.faults(known)...); err != nil {
		return authserver.Client{}, "", err
	}
	c := s.client(cs.d.Master)
	if err := cs.registerScopes(ctx, c.Scopes, actor); err != nil {
		return authserver.Client{}, "", err
	}
	if c, err = cs.add(ctx, c, actor); err != nil {
		return authserver.Client{}, "", err
	}
	return c, s.Secret, nil
}

// RotateSecret gives a confidential client a new random secret and returns it;
// the old one is refused from then on. ErrNotFound; *InvalidError for a public
// client.
func (cs *Clients) RotateSecret(ctx context.Context, id, actor string) (string, error) {
	c, err := cs.Find(ctx, id)
	if err != nil {
		return "", err
	}
	if c.Public {
		return "", &InvalidError{"secret", "value_error", "the client is public and has no secret"}
	}
	secret := newSecret()
	c.SecretHash = cs.d.Master.HashClientSecret(secret)
	return secret, cs.replace(ctx, c, "client.rotate_secret", actor)
}

func (cs *Clients) add(ctx context.Context, c authserver.Client, actor string) (authserver.Client, error) {
	c.Incarnation, c.CreatedAt = newIncarnation(), time.Now().UTC()
	e := event(ctx, "client.add", actor)
	e.ClientID = c.ID
	err := cs.d.Clients.AddClient(ctx, c, e)
	if errors.Is(err, authserver.ErrConflict) {
		return authserver.Client{}, fmt.Errorf("client id %q is taken, or a user's subject, or tokens of a removed client of that id still live: use another: %w", c.ID, err)
	}
	if err != nil {
		return authserver.Client{}, fmt.Errorf("add client: %w", err)
	}
	return c, nil
}

func (cs *Clients) replace(ctx context.Context, c authserver.Client, act, actor string) error {
	e := event(ctx, act, actor)
	e.ClientID = c.ID
	if err := cs.d.Clients.ReplaceClient(ctx, c, e); err != nil {
		return fmt.Errorf("replace client: %w", err)
	}
	return nil
}

// Remove forgets a client: its sessions and tokens end. ErrNotFound.
func (cs *Clients) Remove(ctx context.Context, id, actor string) error {
	e := event(ctx, "client.remove", actor)
	e.ClientID, e.Reason = id, string(authserver.ReasonClientRemoved)
	if err := cs.d.Clients.RemoveClient(ctx, id, e); err != nil {
		return fmt.Errorf("remove client: %w", err)
	}
	cs.d.changed(ctx)
	return nil
}

// registerScopes lets metadata list scopes that no file has named.
func (cs *Clients) registerScopes(ctx context.Context, names []string, actor string) error {
	known, err := cs.d.Clients.Scopes(ctx)
	if err != nil {
		return fmt.Errorf("list scopes: %w", err)
	}
	for _, name := range names {
		if _, ok := known[name]; ok {
			continue
		}
		e := event(ctx, "scope.put", actor)
		e.Reason = name
		if err := cs.d.Clients.PutScope(ctx, name, authserver.Scope{}, e); err != nil {
			return fmt.Errorf("register scope: %w", err)
		}
	}
	return nil
}

// knownResources are the identifiers that a client may name.
func (cs *Clients) knownResources(ctx context.Context) ([]string, error) {
	resources, err := cs.d.Clients.Resources(ctx)
	if err != nil {
		return nil, fmt.Errorf("list resources: %w", err)
	}
	known := []string{cs.d.Audience}
	for _, r := range resources {
		known = append(known, r.Identifier)
	}
	return known, nil
}

// newSecret has the letters only that no client needs to encode in Basic.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func newIncarnation() int64 {
	var b [8]byte
	rand.Read(b[:])
	return int64(binary.BigEndian.Uint64(b[:])>>1 | 1)
}
