package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/tokenwright/tokenwright/authserver"
)

// change finds the user, makes one change, and says what was done.
func (a userArg) change(ctx context.Context, con *console, done string, act func(s *staff, u authserver.User) error) error {
	return con.withStaff(ctx, func(s *staff) error {
		u, err := a.find(ctx, s.users)
		if err != nil {
			return err
		}
		if err := act(s, u); err != nil {
			return err
		}
		fmt.Fprintf(con.out, "%s: %s\n", u.Username, done)
		return nil
	})
}

type userRenameCmd struct {
	userArg
	Username string `arg:"" name:"new-name" help:"The new user name."`
}

func (userRenameCmd) Help() string {
	return "Example:\n\n\ttokenwright user rename alice alice.example\n"
}

func (cmd userRenameCmd) Run(ctx context.Context, con *console) error {
	return cmd.change(ctx, con, "is now "+cmd.Username, func(s *staff, u authserver.User) error {
		return s.users.Rename(ctx, u.Subject, cmd.Username, authserver.ActorCLI)
	})
}

type userSetEmailCmd struct {
	userArg
	Email string `arg:"" name:"address" help:"The new e-mail address."`
}

func (userSetEmailCmd) Help() string {
	return "Example:\n\n\ttokenwright user set-email alice alice@example.org\n"
}

func (cmd userSetEmailCmd) Run(ctx context.Context, con *console) error {
	return cmd.change(ctx, con, "has the address "+cmd.Email, func(s *staff, u authserver.User) error {
		return s.users.SetEmail(ctx, u.Subject, cmd.Email, authserver.ActorCLI)
	})
}

type userSetPasswordCmd struct {
	userArg
}

func (userSetPasswordCmd) Help() string {
	return "The password is asked for twice at a terminal, and read as one line from stdin elsewhere.\n\n" +
		"Example:\n\n\ttokenwright user set-password alice\n"
}

func (cmd userSetPasswordCmd) Run(ctx context.Context, con *console) error {
	return cmd.change(ctx, con, "has a new password, and every session has ended", func(s *staff, u authserver.User) error {
		password, err := con.newPassword(u.Username)
		if err != nil {
			return err
		}
		return s.users.SetPassword(ctx, u.Subject, password, authserver.ActorCLI)
	})
}

type userSetRolesCmd struct {
	userArg
	Roles []string `arg:"" optional:"" help:"The roles that the user is to have, and no others."`
	None  bool     `help:"Take every role away."`
}

func (userSetRolesCmd) Help() string {
	return "Example:\n\n\ttokenwright user set-roles alice user moderator\n"
}

func (cmd userSetRolesCmd) Validate() error {
	if cmd.None == (len(cmd.Roles) > 0) {
		return &usageError{"name the roles that the user is to have, or say --none to take them all away"}
	}
	return nil
}

func (cmd userSetRolesCmd) Run(ctx context.Context, con *console) error {
	done := "has the roles " + strings.Join(cmd.Roles, " ")
	if cmd.None {
		done = "has no role"
	}
	return cmd.change(ctx, con, done, func(s *staff, u authserver.User) error {
		return s.users.SetRoles(ctx, u.Subject, cmd.Roles, authserver.ActorCLI)
	})
}

type userDisableCmd struct {
	userArg
}

func (userDisableCmd) Help() string {
	return "Example:\n\n\ttokenwright user disable alice\n"
}

func (cmd userDisableCmd) Run(ctx context.Context, con *console) error {
	return cmd.change(ctx, con, "disabled, and every session and token has ended", func(s *staff, u authserver.User) error {
		return s.users.Disable(ctx, u.Subject, authserver.ActorCLI)
	})
}

type userEnableCmd struct {
	userArg
}

func (userEnableCmd) Help() string {
	return "Example:\n\n\ttokenwright user enable alice\n"
}

func (cmd userEnableCmd) Run(ctx context.Context, con *console) error {
	return cmd.change(ctx, con, "may log in again", func(s *staff, u authserver.User) error {
		return s.users.Enable(ctx, u.Subject, authserver.ActorCLI)
	})
}

type userRemoveCmd struct {
	userArg
}

func (userRemoveCmd) Help() string {
	return "Example:\n\n\ttokenwright user remove alice\n"
}

func (cmd userRemoveCmd) Run(ctx context.Context, con *console) error {
	return con.withSessions(ctx, func(s *sessionStaff) error {
		u, err := cmd.find(ctx, s.users)
		if err != nil {
			return err
		}
		if err := s.sessions.EndAll(ctx, u.Subject, authserver.ActorCLI); err != nil {
			return err
		}
		if err := s.users.Remove(ctx, u.Subject, authserver.ActorCLI); err != nil {
			return err
		}
		if err := s.sessions.Forget(ctx, u.Subject); err != nil {
			s.deps.Logger.WarnContext(ctx, "records of the user's sessions stay in Redis until they expire, with addresses", "user", u.Subject, "err", err)
		}
		fmt.Fprintf(con.out, "%s: removed, and every session and token has ended\n", u.Username)
		return nil
	})
}
