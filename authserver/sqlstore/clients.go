package sqlstore

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

const clientColumns = `clients.id, clients.incarnation, clients.public, clients.secret_hash, clients.grants, clients.scopes,
	clients.resources, clients.serves, clients.introspect, clients.refresh_grace, clients.created_at,
	clients.name, clients.redirect_uris, clients.post_logout_redirect_uris, clients.backchannel_logout_uri,
	clients.trusted, clients.pkce_optional, clients.require_pushed_requests, clients.id_token_algorithm`

// AddClient makes a client.
func (d *DB) AddClient(ctx context.Context, c authserver.Client, e authserver.Event) error {
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		// A removal under way has its entry after this.
		if err := lock(ctx, tx, "revocation"); err != nil {
			return err
		}
		var removed int
		err := tx.QueryRowContext(ctx, `
			select count(*) from revocations where kind = $1 and id = $2 and until > $3`,
			authserver.KindClient, c.ID, time.Now().UnixMilli()).Scan(&removed)
		if err != nil {
			return err
		}
		if removed > 0 {
			return authserver.ErrConflict
		}
		if _, ok := authserver.ParseSubject(strings.ToLower(c.ID)); ok {
			if err := nobodys(ctx, tx, c.ID); err != nil {
				return err
			}
		}
		res, err := tx.ExecContext(ctx, `
			insert into clients (id, incarnation, created_at, public, secret_hash, grants, scopes, resources, serves, introspect, refresh_grace,
				name, redirect_uris, post_logout_redirect_uris, backchannel_logout_uri, trusted, pkce_optional, require_pushed_requests,
				id_token_algorithm)
			values ($1, $18, $19, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
			on conflict (id) do nothing`,
			append(replaceable(c), c.Incarnation, millis(c.CreatedAt))...)
		if err = changed(res, err, authserver.ErrConflict); err != nil {
			return err
		}
		return d.record(ctx, tx, e)
	})
	return failed("add client", err)
}

// replaceable are a client's id and what ReplaceClient overwrites.
func replaceable(c authserver.Client) []any {
	return []any{
		c.ID, c.Public, bytes(c.SecretHash), join(c.Grants), join(c.Scopes), join(c.Resources), join(c.Serves),
		c.Introspect, graceMillis(c.RefreshGrace), c.Name, join(c.RedirectURIs), join(c.PostLogoutRedirectURIs),
		c.BackchannelLogoutURI, c.Trusted, c.PKCEOptional, c.RequirePushedRequests, c.IDTokenAlgorithm,
	}
}

// nobodys returns ErrConflict if id is, or until a short while ago was, the
// subject of a user, and keeps it from becoming one until tx ends.
func nobodys(ctx context.Context, tx *sql.Tx, id string) error {
	if err := lock(ctx, tx, "user"); err != nil {
		return err
	}
	var users int
	err := tx.QueryRowContext(ctx, `
		select (select count(*) from users where subject = $1)
			+ (select count(*) from revocations where kind = $2 and id = $1 and until > $3)`,
		strings.ToLower(id), authserver.KindUser, time.Now().UnixMilli()).Scan(&users)
	if err == nil && users > 0 {
		return authserver.ErrConflict
	}
	return err
}

// ReplaceClient overwrites all but ID, Incarnation and CreatedAt.
func (d *DB) ReplaceClient(ctx context.Context, c authserver.Client, e authserver.Event) error {
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `
			update clients set public = $2, secret_hash = $3, grants = $4, scopes = $5, resources = $6, serves = $7,
				introspect = $8, refresh_grace = $9, name = $10, redirect_uris = $11, post_logout_redirect_uris = $12,
				backchannel_logout_uri = $13, trusted = $14, pkce_optional = $15, require_pushed_requests = $16, id_token_algorithm = $17
			where id = $1`, replaceable(c)...)
		if err = changed(res, err, authserver.ErrNotFound); err != nil {
			return err
		}
		return d.record(ctx, tx, e)
	})
	return failed("replace client", err)
}

// UpgradeSecretHash replaces old by new if old is still what is stored.
func (d *DB) UpgradeSecretHash(ctx context.Context, id string, old, new []byte) error {
	_, err := d.w.exec(ctx, `
		update clients set secret_hash = $3 where id = $1 and secret_hash = $2`, id, bytes(old), bytes(new))
	return failed("upgrade secret hash", err)
}

// Client finds by id.
func (d *DB) Client(ctx context.Context, id string) (authserver.Client, error) {
	c, err := scanClient(d.r.row(ctx, `select `+clientColumns+` from clients where id = $1`, id))
	return c, failed("find client", err)
}

// Clients lists all by id.
func (d *DB) Clients(ctx context.Context) ([]authserver.Client, error) {
	clients, err := list(ctx, &d.r, scanClient, `select `+clientColumns+` from clients order by id`)
	return clients, failed("list clients", err)
}

// RemoveClient forgets a client and ends its tokens. The entry also keeps the
// id from being made again while one of them could be alive.
func (d *DB) RemoveClient(ctx context.Context, id string, e authserver.Event) error {
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := lock(ctx, tx, "revocation"); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `delete from clients where id = $1`, id)
		if err = changed(res, err, authserver.ErrNotFound); err != nil {
			return err
		}
		if _, err := revoke(ctx, tx, entry{kind: authserver.KindClient, id: id, reason: authserver.ReasonClientRemoved}, time.Now()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `delete from consents where client_id = $1`, id); err != nil {
			return err
		}
		return d.record(ctx, tx, e)
	})
	return failed("remove client", err)
}

// clientRow is clientColumns of a client that may not be there.
type clientRow struct {
	id, grants, scopes, resources, serves                sql.NullString
	name, redirects, afterLogout, backchannel, algorithm sql.NullString
	incarnation, grace, createdAt                        sql.NullInt64
	public, introspect, trusted, pkceOptional, pushed    sql.NullBool
	secretHash                                           []byte
}

func (c *clientRow) fields() []any {
	return []any{&c.id, &c.incarnation, &c.public, &c.secretHash, &c.grants, &c.scopes,
		&c.resources, &c.serves, &c.introspect, &c.grace, &c.createdAt,
		&c.name, &c.redirects, &c.afterLogout, &c.backchannel, &c.trusted, &c.pkceOptional, &c.pushed, &c.algorithm}
}

func (c *clientRow) client() authserver.Client {
	client := authserver.Client{
		ID: c.id.String, Incarnation: c.incarnation.Int64, Public: c.public.Bool, SecretHash: c.secretHash,
		Grants: strings.Fields(c.grants.String), Scopes: strings.Fields(c.scopes.String),
		Resources: strings.Fields(c.resources.String), Serves: strings.Fields(c.serves.String),
		Introspect: c.introspect.Bool, CreatedAt: fromMillis(c.createdAt.Int64),
		Name: c.name.String, RedirectURIs: strings.Fields(c.redirects.String),
		PostLogoutRedirectURIs: strings.Fields(c.afterLogout.String), BackchannelLogoutURI: c.backchannel.String,
		Trusted: c.trusted.Bool, PKCEOptional: c.pkceOptional.Bool, RequirePushedRequests: c.pushed.Bool,
		IDTokenAlgorithm: c.algorithm.String,
	}
	if c.grace.Valid {
		grace := time.Duration(c.grace.Int64) * time.Millisecond
		client.RefreshGrace = &grace
	}
	return client
}

func scanClient(row scanner) (authserver.Client, error) {
	var c clientRow
	if err := row.Scan(c.fields()...); err != nil {
		return authserver.Client{}, err
	}
	return c.client(), nil
}

func graceMillis(grace *time.Duration) any {
	if grace == nil {
		return nil
	}
	return grace.Milliseconds()
}
