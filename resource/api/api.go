// Package api is the API that comes with Tokenwright: a few routes that show
// what a guard decides. It owns their answers and their rules; how they are
// mounted, documented and written is left to who serves them. It knows the
// authorization server by its tokens alone.
package api

import (
	"context"

	"github.com/tokenwright/tokenwright/resource"
)

// PublicResponse is the answer of GET /api/public.
type PublicResponse struct {
	Message string `json:"message" example:"This is a public endpoint"`
}

// PrivateResponse is the answer of GET /api/private.
type PrivateResponse struct {
	Message string   `json:"message" example:"Hello Test User!"`
	UserID  *int64   `json:"user_id" doc:"null for a client's own token" example:"2"`
	Roles   []string `json:"roles" nullable:"false" example:"[\"user\"]"`
}

// AdminResponse is the answer of GET /api/admin.
type AdminResponse struct {
	Message       string `json:"message" example:"Admin access granted"`
	AdminUser     string `json:"admin_user" example:"admin"`
	SensitiveData string `json:"sensitive_data" example:"This is admin-only information"`
}

// ModeratorResponse is the answer of GET /api/moderator.
type ModeratorResponse struct {
	Message         string   `json:"message" example:"Moderator access granted"`
	User            string   `json:"user" example:"moderator"`
	Roles           []string `json:"roles" nullable:"false" example:"[\"moderator\"]"`
	ModerationTools []string `json:"moderation_tools" nullable:"false" example:"[\"ban_user\",\"delete_post\",\"edit_content\"]"`
}

// User is one of Users.
type User struct {
	ID       int64    `json:"id" example:"1"`
	Username string   `json:"username" example:"admin"`
	Email    string   `json:"email" example:"admin@example.com"`
	FullName *string  `json:"full_name" doc:"null if there is none" example:"Admin User"`
	Roles    []string `json:"roles" nullable:"false" example:"[\"admin\"]"`
	IsActive bool     `json:"is_active" example:"true"`
}

// Users is the answer of GET /api/users: one page, and how many there are in all.
type Users struct {
	Users []User `json:"users" nullable:"false"`
	Total int    `json:"total" doc:"all users, not only those listed" example:"3"`
}

// UserLister knows the users. In one process it asks their store; an API by
// itself asks the authorization server with the caller's token.
type UserLister interface {
	ListUsers(ctx context.Context, token string, limit, offset int) (Users, error)
}

// Public answers everyone.
func Public() PublicResponse {
	return PublicResponse{Message: "This is a public endpoint"}
}

// Private greets whoever stands behind the token, a client by its id.
func Private(c *resource.Claims) PrivateResponse {
	if !c.OfUser() {
		return PrivateResponse{Message: "Hello " + c.ClientID + "!", Roles: []string{}}
	}
	name := c.Name
	if name == "" {
		name = c.Username
	}
	return PrivateResponse{Message: "Hello " + name + "!", UserID: new(c.UserID), Roles: c.Roles}
}

// Admin answers administrators.
func Admin(c *resource.Claims) AdminResponse {
	return AdminResponse{
		Message:       "Admin access granted",
		AdminUser:     c.Username,
		SensitiveData: "This is admin-only information",
	}
}

// Moderator answers moderators and administrators.
func Moderator(c *resource.Claims) ModeratorResponse {
	return ModeratorResponse{
		Message:         "Moderator access granted",
		User:            c.Username,
		Roles:           c.Roles,
		ModerationTools: []string{"ban_user", "delete_post", "edit_content"},
	}
}
