package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

const userColumns = `users.id, users.subject, users.username, users.email, users.full_name, users.roles, users.active,
	users.epoch, users.session_epoch, users.kept_session, users.created_at, users.updated_at`

// returnedUser is userColumns of the one table that a statement changes.
var returnedUser = strings.ReplaceAll(userColumns, "users.", "")

// AddUser makes a user and gives it the next id.
func (d *DB) AddUser(ctx context.Context, u authserver.NewUser, e authserver.Event) (authserver.User, error) {
	u.CreatedAt = fromMillis(millis(u.CreatedAt))
	u.UpdatedAt = u.CreatedAt
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if u.ID, err = next(ctx, tx, "user"); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			insert into users (id, subject, username, username_key, email, email_key, full_name, password_hash, roles, active,
				epoch, session_epoch, kept_session, created_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			u.ID, u.Subject, u.Username, authserver.Fold(u.Username), u.Email, authserver.Fold(u.Email), u.FullName, u.PasswordHash,
			join(u.Roles), u.Active, u.Epoch, u.SessionEpoch, join(u.Kept), millis(u.CreatedAt))
		if err != nil {
			return err
		}
		// next has locked what AddClient locks for an id of this form.
		var clients int
		if err = tx.QueryRowContext(ctx, `select count(*) from clients where lower(id) = $1`, u.Subject).Scan(&clients); err != nil {
			return err
		}
		if clients > 0 {
			return authserver.ErrConflict
		}
		return d.record(ctx, tx, e)
	})
	if isUnique(err) {
		return authserver.User{}, d.taken(ctx, u.Subject, u.Username, u.Email)
	}
	if err != nil {
		return authserver.User{}, failed("add user", err)
	}
	return u.User, nil
}

// taken says which name of the user, who is to be subject, is another's.
func (d *DB) taken(ctx context.Context, subject, username, email string) error {
	var emails, usernames int
	err := d.r.row(ctx, `
		select count(case when email_key = $1 then 1 end), count(case when username_key = $2 then 1 end)
		from users
		where (email_key = $1 or username_key = $2) and subject <> $3`,
		null(authserver.Fold(email)), null(authserver.Fold(username)), subject).Scan(&emails, &usernames)
	switch {
	case err != nil:
		return failed("find taken names", err)
	case emails > 0:
		return authserver.ErrEmailTaken
	case usernames > 0:
		return authserver.ErrUsernameTaken
	}
	return fmt.Errorf("add user: %w", authserver.ErrConflict)
}

// User finds by subject.
func (d *DB) User(ctx context.Context, subject string) (authserver.User, error) {
	u, err := scanUser(d.r.row(ctx, `select `+userColumns+` from users where subject = $1`, subject))
	return u, failed("find user", err)
}

// UserByLogin finds by name or e-mail address.
func (d *DB) UserByLogin(ctx context.Context, login string) (authserver.User, error) {
	username, email := loginKeys(login)
	u, err := scanUser(d.r.row(ctx, `
		select `+userColumns+` from users where username_key = $1 or email_key = $2`, null(username), null(email)))
	return u, failed("find user", err)
}

// PasswordHash is the stored hash of a user's password.
func (d *DB) PasswordHash(ctx context.Context, subject string) (hash string, err error) {
	err = d.r.row(ctx, `select password_hash from users where subject = $1`, subject).Scan(&hash)
	return hash, failed("find password hash", err)
}

// PasswordHashes lists by id.
func (d *DB) PasswordHashes(ctx context.Context, after int64, most int) ([]string, int64, error) {
	var last int64
	hashes, err := list(ctx, &d.r, func(row scanner) (hash string, err error) {
		return hash, row.Scan(&last, &hash)
	}, `
		select id, password_hash from users where id > $1 order by id limit $2`, after, most)
	return hashes, last, failed("list password hashes", err)
}

// Users lists by id.
func (d *DB) Users(ctx context.Context, p authserver.Page) ([]authserver.User, int, error) {
	var total int
	if err := d.r.row(ctx, `select count(*) from users`).Scan(&total); err != nil {
		return nil, 0, failed("count users", err)
	}
	users, err := list(ctx, &d.r, scanUser, `
		select `+userColumns+` from users order by id limit $1 offset $2`, limit(p), p.Offset)
	return users, total, failed("list users", err)
}

// RemoveUser forgets a user and ends its tokens.
func (d *DB) RemoveUser(ctx context.Context, subject string, e authserver.Event) error {
	err := d.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := lock(ctx, tx, "revocation"); err != nil { // as in ChangeUser
			return err
		}
		var epoch int64
		now := time.Now()
		err := tx.QueryRowContext(ctx, `delete from users where subject = $1 returning epoch`, subject).Scan(&epoch)
		if err != nil {
			return err
		}
		if _, err := revoke(ctx, tx, entry{kind: authserver.KindUser, id: subject, epoch: max(epoch+1, now.Unix()), reason: authserver.ReasonUserRemoved}, now); err != nil {
			return err
		}
		// They have the user's addresses in them.
		if _, err := tx.ExecContext(ctx, `delete from sessions where subject = $1`, subject); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `delete from consents where subject = $1`, subject); err != nil {
			return err
		}
		return d.record(ctx, tx, e)
	})
	return failed("remove user", err)
}

// UpgradePasswordHash replaces old by new if old is still what is stored.
func (d *DB) UpgradePasswordHash(ctx context.Context, subject, old, new string) error {
	_, err := d.w.exec(ctx, `
		update users set password_hash = $3 where subject = $1 and password_hash = $2`, subject, old, new)
	return failed("upgrade password hash", err)
}

// loginKeys is what login is looked up by; one of the two is empty.
func loginKeys(login string) (username, email string) {
	if strings.Contains(login, "@") {
		return "", authserver.Fold(login)
	}
	return authserver.Fold(login), ""
}

// userRow is userColumns of a user who may not be there.
type userRow struct {
	subject, username, email, fullName, roles, keptSession sql.NullString
	id, epoch, sessionEpoch, createdAt, updatedAt          sql.NullInt64
	active                                                 sql.NullBool
}

func (u *userRow) fields() []any {
	return []any{&u.id, &u.subject, &u.username, &u.email, &u.fullName, &u.roles, &u.active,
		&u.epoch, &u.sessionEpoch, &u.keptSession, &u.createdAt, &u.updatedAt}
}

func (u *userRow) user() authserver.User {
	return authserver.User{
		ID: u.id.Int64, Subject: u.subject.String, Username: u.username.String, Email: u.email.String, FullName: u.fullName.String,
		Roles: strings.Fields(u.roles.String), Active: u.active.Bool, Epoch: u.epoch.Int64, SessionEpoch: u.sessionEpoch.Int64,
		Kept: strings.Fields(u.keptSession.String), CreatedAt: fromMillis(u.createdAt.Int64),
		UpdatedAt: fromMillis(max(u.createdAt.Int64, u.updatedAt.Int64)),
	}
}

func scanUser(row scanner) (authserver.User, error) {
	var u userRow
	if err := row.Scan(u.fields()...); err != nil {
		return authserver.User{}, err
	}
	return u.user(), nil
}
