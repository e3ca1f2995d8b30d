package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
)

type userCmd struct {
	Add         userAddCmd         `cmd:"" help:"Make an account."`
	List        userListCmd        `cmd:"" help:"List accounts."`
	Show        userShowCmd        `cmd:"" help:"Show one account."`
	Rename      userRenameCmd      `cmd:"" help:"Change a user name; access tokens that carry the old one end."`
	SetEmail    userSetEmailCmd    `cmd:"" name:"set-email" help:"Change an e-mail address."`
	SetPassword userSetPasswordCmd `cmd:"" name:"set-password" help:"Set a password; every session of the user ends."`
	SetRoles    userSetRolesCmd    `cmd:"" name:"set-roles" help:"Replace a user's roles; if one is taken away, access tokens end."`
	Disable     userDisableCmd     `cmd:"" help:"Lock a user out; every session and token ends."`
	Enable      userEnableCmd      `cmd:"" help:"Let a disabled user log in again; nothing that has ended comes back."`
	Remove      userRemoveCmd      `cmd:"" help:"Forget a user; every session and token ends."`
}

// userArg is the account that a command is about.
type userArg struct {
	User string `arg:"" name:"user" help:"User name or e-mail address."`
}

func (a userArg) find(ctx context.Context, users *account.Users) (authserver.User, error) {
	u, err := users.Find(ctx, a.User)
	return u, about(err, `no user is called %q; list them with: tokenwright user list`, a.User)
}

// userView is an account as commands print it; it never holds a password hash.
type userView struct {
	ID        int64    `json:"id"`
	Subject   string   `json:"subject"`
	Username  string   `json:"username"`
	Email     string   `json:"email"`
	FullName  string   `json:"full_name"`
	Roles     []string `json:"roles"`
	Active    bool     `json:"is_active"`
	CreatedAt string   `json:"created_at"`
}

func viewUser(u authserver.User) userView {
	return userView{
		ID: u.ID, Subject: u.Subject, Username: u.Username, Email: u.Email, FullName: u.FullName,
		Roles: append([]string{}, u.Roles...), Active: u.Active, CreatedAt: stamp(u.CreatedAt),
	}
}

func (v userView) text(w io.Writer) {
	fmt.Fprintf(w, "id\t%d\n", v.ID)
	fmt.Fprintf(w, "subject\t%s\n", v.Subject)
	fmt.Fprintf(w, "username\t%s\n", v.Username)
	fmt.Fprintf(w, "email\t%s\n", v.Email)
	fmt.Fprintf(w, "full name\t%s\n", v.FullName)
	fmt.Fprintf(w, "roles\t%s\n", strings.Join(v.Roles, " "))
	fmt.Fprintf(w, "active\t%s\n", yesNo(v.Active))
	fmt.Fprintf(w, "created\t%s\n", v.CreatedAt)
}

type userAddCmd struct {
	output
	Username string   `arg:"" help:"User name: letters, digits, dot, underscore and hyphen."`
	Email    string   `required:"" placeholder:"ADDRESS" help:"E-mail address; it works as a login too."`
	FullName string   `placeholder:"NAME" help:"Name as people write it."`
	Role     []string `placeholder:"ROLE" default:"user" help:"A role; give it again, or with commas, for more."`
	Disabled bool     `help:"Make the account without letting it log in."`
}

func (userAddCmd) Help() string {
	return "The password is asked for twice at a terminal, and read as one line from stdin elsewhere.\n\n" +
		"Example:\n\n\ttokenwright user add alice --email alice@example.com --role admin\n"
}

func (cmd userAddCmd) Run(ctx context.Context, con *console) error {
	return con.withStaff(ctx, func(s *staff) error {
		password, err := con.newPassword(cmd.Username)
		if err != nil {
			return err
		}
		u, err := s.users.Register(ctx, account.Registration{
			Username: cmd.Username, Email: cmd.Email, FullName: cmd.FullName,
			Password: password, Roles: cmd.Role, Active: !cmd.Disabled, Actor: authserver.ActorCLI,
		})
		if err != nil {
			return err
		}
		return cmd.print(con, viewUser(u), viewUser(u).text)
	})
}

type userListCmd struct {
	output
	Limit  int `default:"100" help:"How many to list at most; 0 lists all."`
	Offset int `default:"0" help:"How many to leave out first."`
}

func (userListCmd) Help() string {
	return "Example:\n\n\ttokenwright user list --limit 20 --output json\n"
}

func (cmd userListCmd) Validate() error {
	if cmd.Limit < 0 || cmd.Offset < 0 {
		return &usageError{"--limit and --offset are numbers from 0"}
	}
	return nil
}

type userList struct {
	Users []userView `json:"users"`
	Total int        `json:"total"`
}

func (cmd userListCmd) Run(ctx context.Context, con *console) error {
	return con.withStaff(ctx, func(s *staff) error {
		users, total, err := s.users.List(ctx, authserver.Page{Limit: cmd.Limit, Offset: cmd.Offset})
		if err != nil {
			return err
		}
		list := userList{Users: []userView{}, Total: total}
		for _, u := range users {
			list.Users = append(list.Users, viewUser(u))
		}
		return cmd.print(con, list, func(w io.Writer) {
			fmt.Fprintln(w, "ID\tUSERNAME\tEMAIL\tROLES\tACTIVE")
			for _, v := range list.Users {
				fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", v.ID, v.Username, v.Email, strings.Join(v.Roles, " "), yesNo(v.Active))
			}
			fmt.Fprintf(w, "%d of %d\n", len(list.Users), list.Total)
		})
	})
}

type userShowCmd struct {
	output
	userArg
}

func (userShowCmd) Help() string {
	return "Example:\n\n\ttokenwright user show alice@example.com\n"
}

func (cmd userShowCmd) Run(ctx context.Context, con *console) error {
	return con.withStaff(ctx, func(s *staff) error {
		u, err := cmd.find(ctx, s.users)
		if err != nil {
			return err
		}
		return cmd.print(con, viewUser(u), viewUser(u).text)
	})
}
