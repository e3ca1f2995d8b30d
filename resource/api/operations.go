package api

import (
	"net/http"

	"github.com/tokenwright/tokenwright/resource"
)

// Operation is a route with the rules that its documentation and its guard are
// both made from.
type Operation struct {
	ID      string // of the OpenAPI document
	Method  string
	Path    string
	Summary string
	// Guarded says whether a token is needed at all; Rules come on top.
	Guarded bool
	Rules   []resource.Rule
}

// Operations are the routes of this package.
type Operations struct {
	Public, Private, Admin, Moderator, Users Operation
}

// NewOperations returns the routes with their gates for the roles of h.
func NewOperations(h resource.Hierarchy) Operations {
	gate := func(roles ...string) []resource.Rule { return []resource.Rule{h.AnyRole(roles...)} }
	return Operations{
		Public: Operation{
			ID: "public", Method: http.MethodGet, Path: "/api/public",
			Summary: "Open to everyone",
		},
		Private: Operation{
			ID: "private", Method: http.MethodGet, Path: "/api/private",
			Summary: "Any good access token", Guarded: true,
		},
		Admin: Operation{
			ID: "admin", Method: http.MethodGet, Path: "/api/admin",
			Summary: "Role admin", Guarded: true, Rules: gate("admin"),
		},
		Moderator: Operation{
			ID: "moderator", Method: http.MethodGet, Path: "/api/moderator",
			Summary: "Role admin or moderator", Guarded: true, Rules: gate("admin", "moderator"),
		},
		Users: Operation{
			ID: "list_users", Method: http.MethodGet, Path: "/api/users",
			Summary: "All users, for role admin", Guarded: true, Rules: gate("admin"),
		},
	}
}
