package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/tokenwright/tokenwright/authserver"
)

// parentColumns are tombstoneColumns of the parent's.
var parentColumns = strings.ReplaceAll(tombstoneColumns, "tombstones.", "parents.")

// Facts answers a token request's questions in one statement, so that all are
// of one moment.
func (d *DB) Facts(ctx context.Context, a authserver.Ask) (authserver.Facts, error) {
	username, email := loginKeys(a.Login)
	consentOf := ""
	if a.ConsentOf {
		consentOf = a.ClientID
	}
	var (
		c      clientRow
		u      userRow
		t, pt  tombstoneRow
		given  consentRow
		hash   sql.NullString
		scopes sql.NullString
	)
	// What was not asked for is null, which equals nothing. A quotation mark is
	// in no scope's name, and a line's end in no description.
	err := d.r.row(ctx, `
		select `+clientColumns+`, `+userColumns+`, users.password_hash, `+tombstoneColumns+`, `+parentColumns+`, `+consentColumns+`,
			(select string_agg(scopes.name || '"' || scopes.requires_role || '"' || case when $7 then scopes.description else '' end, '
') from scopes)
		from (select 1 as one) as ask
		left join clients on clients.id = $1
		left join users on users.subject = $2 or users.username_key = $3 or users.email_key = $4
		left join tombstones on tombstones.session_id = $5
		left join tombstones as parents on parents.session_id = $8
		left join consents on consents.subject = users.subject and consents.client_id = $6`,
		null(a.ClientID), null(a.Subject), null(username), null(email), null(a.SessionID), null(consentOf), a.ConsentOf,
		null(a.ParentID),
	).Scan(slices.Concat(c.fields(), u.fields(), []any{&hash}, t.fields(), pt.fields(), given.fields(), []any{&scopes})...)
	if err != nil {
		return authserver.Facts{}, failed("find facts", err)
	}
	f := authserver.Facts{PasswordHash: hash.String, Ended: t.tombstone(), ParentEnded: pt.tombstone(), Consent: given.consent(), Scopes: authserver.Scopes{}}
	if c.id.Valid {
		client := c.client()
		f.Client = &client
	}
	if u.subject.Valid {
		user := u.user()
		f.User = &user
	}
	if scopes.Valid {
		for line := range strings.SplitSeq(scopes.String, "\n") {
			name, rest, _ := strings.Cut(line, `"`)
			role, description, _ := strings.Cut(rest, `"`)
			f.Scopes[name] = authserver.Scope{RequiresRole: role, Description: description}
		}
	}
	return f, nil
}
