package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/web"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/api"
)

// registration is what POST /auth/register takes.
type registration struct {
	Email    string   `json:"email" example:"newuser@example.com"`
	Username string   `json:"username" doc:"1 to 64 of A-Z a-z 0-9 . _ -" example:"newuser"`
	Password string   `json:"password" format:"password" doc:"8 to 1024 bytes, not among the commonest"`
	FullName *string  `json:"full_name,omitempty" nullable:"true" example:"New User"`
	Roles    []string `json:"roles,omitempty" doc:"Other than the default: only by an admin" example:"[\"user\"]"`
	IsActive *bool    `json:"is_active,omitempty" nullable:"true" doc:"Other than the default: only by an admin"`
	ID       any      `json:"id,omitempty" hidden:"true"`
}

// usual reports whether r asks for nothing that only an admin may give.
func (r registration) usual() bool {
	usualRoles := r.Roles == nil || slices.Equal(r.Roles, []string{account.DefaultRole})
	return usualRoles && (r.IsActive == nil || *r.IsActive) && r.ID == nil
}

type registerInput struct {
	Body    registration
	request *http.Request
}

// Resolve keeps the request: who registers decides what may be asked for.
func (in *registerInput) Resolve(ctx huma.Context) []error {
	in.request = humagin.Unwrap(ctx).Request
	return nil
}

func (s *server) registerUser(ctx context.Context, in *registerInput) (*body[api.User], error) {
	r := in.Body
	asked := account.Registration{Email: r.Email, Username: r.Username, Password: r.Password, Roles: r.Roles, Active: r.IsActive == nil || *r.IsActive}
	if r.FullName != nil {
		asked.FullName = *r.FullName
	}
	if !r.usual() || s.Settings.RegistrationClosed {
		admin, err := s.admin(in.request)
		if err != nil {
			return nil, err
		}
		asked.Actor = admin.Subject
	}
	u, err := s.Users.Register(ctx, asked)
	if err != nil {
		return nil, fmt.Errorf("register user: %w", err)
	}
	return &body[api.User]{Body: showUser(u)}, nil
}

// admin is the admin whose token the request carries. A stranger is told no more
// than a user.
func (s *server) admin(r *http.Request) (*resource.Claims, error) {
	claims, challenge := s.Guard.Authenticate(r, s.Roles.AnyRole("admin"))
	switch {
	case challenge == nil:
		return claims, nil
	case challenge.Status == http.StatusServiceUnavailable:
		return nil, fmt.Errorf("check admin: %w", authserver.ErrUnavailable)
	case s.Settings.RegistrationClosed:
		return nil, web.NewProblem(http.StatusForbidden, "Registration is closed; an administrator can make the account")
	}
	return nil, forbidden()
}

func (s *server) me(ctx context.Context, _ *struct{}) (*body[api.User], error) {
	u, err := s.UserStore.User(ctx, claims(ctx).Subject)
	if errors.Is(err, authserver.ErrNotFound) { // removed; the news is on its way
		return nil, unauthorized("Could not validate credentials")
	}
	if err != nil {
		return nil, fmt.Errorf("find user: %w", err)
	}
	return &body[api.User]{Body: showUser(u)}, nil
}

// Page is the part of a listing that is asked for. It is exported because huma
// sees the parameters of exported types only where one is embedded.
type Page struct {
	Limit  int `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	Offset int `query:"offset" default:"0" minimum:"0"`
}

func (p Page) store() authserver.Page { return authserver.Page{Limit: p.Limit, Offset: p.Offset} }

func (s *server) users(ctx context.Context, p *Page) (*body[api.Users], error) {
	list, err := LocalUsers{s.UserStore}.ListUsers(ctx, "", p.Limit, p.Offset)
	if err != nil {
		return nil, err
	}
	return &body[api.Users]{Body: list}, nil
}

// usersInput is a page with the caller's token, which another process may want
// to see.
type usersInput struct {
	Page
	Authorization string `header:"Authorization" hidden:"true"`
}

func (s *server) apiUsers(ctx context.Context, in *usersInput) (*body[api.Users], error) {
	_, token, _ := strings.Cut(in.Authorization, " ") // the guard has seen that it is Bearer
	list, err := s.API.ListUsers(ctx, strings.TrimSpace(token), in.Limit, in.Offset)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return &body[api.Users]{Body: list}, nil
}

// LocalUsers lists the users of a store in the same process; it needs no token.
type LocalUsers struct{ Store authserver.UserStore }

// ListUsers lists by ID.
func (l LocalUsers) ListUsers(ctx context.Context, _ string, limit, offset int) (api.Users, error) {
	users, total, err := l.Store.Users(ctx, authserver.Page{Limit: limit, Offset: offset})
	if err != nil {
		return api.Users{}, fmt.Errorf("list users: %w", err)
	}
	list := api.Users{Users: make([]api.User, len(users)), Total: total}
	for i, u := range users {
		list.Users[i] = showUser(u)
	}
	return list, nil
}

func showUser(u authserver.User) api.User {
	shown := api.User{ID: u.ID, Username: u.Username, Email: u.Email, Roles: u.Roles, IsActive: u.Active}
	if u.FullName != "" {
		shown.FullName = &u.FullName
	}
	if shown.Roles == nil {
		shown.Roles = []string{}
	}
	return shown
}
