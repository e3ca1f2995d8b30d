package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/backchannel"
)

const consentColumns = `consents.subject, consents.client_id, consents.scopes, consents.resources, consents.epoch, consents.granted_at`

// Grant adds to what a user lets a client do.
func (d *DB) Grant(ctx context.Context, c authserver.Consent, e authserver.Event) (authserver.Consent, error) {
	var given authserver.Consent
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		// A removal of the user or the client has no row of theirs after this.
		if err := lock(ctx, tx, "revocation"); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			insert into consents (subject, client_id, scopes, resources, epoch, granted_at)
			select users.subject, clients.id, '', '', cast($3 as bigint), 0 from users, clients
			where users.subject = $1 and clients.id = $2
			on conflict (subject, client_id) do nothing`, c.Subject, c.ClientID, time.Now().Unix())
		if err != nil {
			return err
		}
		given, err = scanConsent(tx.QueryRowContext(ctx, `
			select `+consentColumns+` from consents where subject = $1 and client_id = $2`, c.Subject, c.ClientID))
		if err != nil {
			return err
		}
		given.Scopes, given.Resources = union(given.Scopes, c.Scopes), union(given.Resources, c.Resources)
		given.GrantedAt = fromMillis(millis(c.GrantedAt))
		_, err = tx.ExecContext(ctx, `
			update consents set scopes = $3, resources = $4, granted_at = $5 where subject = $1 and client_id = $2`,
			c.Subject, c.ClientID, join(given.Scopes), join(given.Resources), millis(given.GrantedAt))
		if err != nil {
			return err
		}
		return d.record(ctx, tx, e)
	})
	return given, failed("grant consent", err)
}

func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// Withdraw takes back what a user lets a client do and ends what it is given.
func (d *DB) Withdraw(ctx context.Context, subject, clientID string, end []authserver.Ending, e authserver.Event) error {
	now := time.Now()
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := lock(ctx, tx, "revocation"); err != nil {
			return err
		}
		gone := backchannel.Sessions{Subject: subject, ClientID: clientID, Reason: authserver.ReasonConsentWithdrawn, EndedAt: now}
		err := tx.QueryRowContext(ctx, `
			update consents set scopes = '', resources = '', epoch = case when epoch < $3 then $3 else epoch + 1 end
			where subject = $1 and client_id = $2 and (scopes <> '' or resources <> '')
			returning epoch`, subject, clientID, now.Unix()).Scan(&gone.ConsentEpoch)
		if err != nil {
			return err
		}
		if err := d.tellAll(ctx, tx, gone, subject+" "+clientID+" "+strconv.FormatInt(gone.ConsentEpoch, 10)); err != nil {
			return err
		}
		ends := ender{db: d, tx: tx, now: now}
		for _, ending := range end {
			if _, err := ends.session(ctx, ending); err != nil {
				return err
			}
		}
		return d.record(ctx, tx, e)
	})
	return failed("withdraw consent", err)
}

// Consent finds what a user lets a client do, also what was taken back.
func (d *DB) Consent(ctx context.Context, subject, clientID string) (authserver.Consent, error) {
	c, err := scanConsent(d.r.row(ctx, `
		select `+consentColumns+` from consents where subject = $1 and client_id = $2`, subject, clientID))
	return c, failed("find consent", err)
}

// Consents lists what a user lets clients do, the last given first.
func (d *DB) Consents(ctx context.Context, subject string) ([]authserver.Consent, error) {
	consents, err := list(ctx, &d.r, scanConsent, `
		select `+consentColumns+` from consents
		where subject = $1 and (scopes <> '' or resources <> '')
		order by granted_at desc, client_id`, subject)
	return consents, failed("list consents", err)
}

// consentRow is consentColumns of a consent that may not be there.
type consentRow struct {
	subject, clientID, scopes, resources sql.NullString
	epoch, grantedAt                     sql.NullInt64
}

func (c *consentRow) fields() []any {
	return []any{&c.subject, &c.clientID, &c.scopes, &c.resources, &c.epoch, &c.grantedAt}
}

// consent is nil if it is not there.
func (c *consentRow) consent() *authserver.Consent {
	if !c.subject.Valid {
		return nil
	}
	return &authserver.Consent{
		Subject: c.subject.String, ClientID: c.clientID.String,
		Scopes: strings.Fields(c.scopes.String), Resources: strings.Fields(c.resources.String),
		Epoch: c.epoch.Int64, GrantedAt: fromMillis(c.grantedAt.Int64),
	}
}

func scanConsent(row scanner) (authserver.Consent, error) {
	var c consentRow
	if err := row.Scan(c.fields()...); err != nil {
		return authserver.Consent{}, err
	}
	return *c.consent(), nil
}
