package bench

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/tokenwright/tokenwright/authserver/doctor"
)

// Operations are the names of what can be measured, in the order in which it is.
func Operations() []string {
	var names []string
	for _, op := range operations {
		names = append(names, op.name)
	}
	return names
}

var operations = []operation{
	{"client_credentials", lacksClient("client_credentials"), func(_ context.Context, t *target) (request, error) {
		client := t.client("client_credentials")
		return func(ctx context.Context) error {
			_, err := t.token(ctx, client, "grant_type", "client_credentials")
			return err
		}, nil
	}},
	{"refresh", lacksLogin, func(ctx context.Context, t *target) (request, error) {
		client := t.client("password", "refresh_token")
		held, err := t.logIn(ctx)
		return func(ctx context.Context) error {
			next, err := t.token(ctx, client, "grant_type", "refresh_token", "refresh_token", held.Refresh)
			if err == nil {
				held = next
			}
			return err
		}, err
	}},
	{"introspection", lacksIntrospection, func(ctx context.Context, t *target) (request, error) {
		client := t.introspector()
		held, err := t.logIn(ctx)
		return func(ctx context.Context) error {
			body, err := t.post(ctx, t.metadata.Introspection, client, "token", held.Access)
			var got struct {
				Active bool `json:"active"`
			}
			if err == nil && (json.Unmarshal(body, &got) != nil || !got.Active) {
				return errors.New("200 and not active")
			}
			return err
		}, err
	}},
	{"api", lacksAPI, func(ctx context.Context, t *target) (request, error) {
		held, err := t.logIn(ctx)
		return func(ctx context.Context) error {
			_, err := t.get(ctx, t.fixtures.API.URL, held.Access)
			return err
		}, err
	}},
	{"login", lacksLogin, func(_ context.Context, t *target) (request, error) {
		return func(ctx context.Context) error {
			_, err := t.logIn(ctx)
			return err
		}, nil
	}},
}

// client is the first one with all the grants, or nil.
func (t *target) client(grants ...string) *doctor.Client {
	for i := range t.fixtures.Clients {
		c := &t.fixtures.Clients[i]
		if !slices.ContainsFunc(grants, func(g string) bool { return !c.May(g) }) {
			return c
		}
	}
	return nil
}

func (t *target) introspector() *doctor.Client {
	for i, c := range t.fixtures.Clients {
		if c.Introspect {
			return &t.fixtures.Clients[i]
		}
	}
	return nil
}

// user is the first active one with a password, or nil.
func (t *target) user() *doctor.User {
	for i := range t.fixtures.Users {
		if u := &t.fixtures.Users[i]; u.Password != "" && u.Active() {
			return u
		}
	}
	return nil
}

// logIn is the password grant of the first user.
func (t *target) logIn(ctx context.Context) (tokens, error) {
	user := t.user()
	return t.token(ctx, t.client("password", "refresh_token"), "grant_type", "password", "username", user.Username, "password", user.Password)
}

func lacksClient(grants ...string) func(*target) string {
	return func(t *target) string {
		if t.client(grants...) == nil {
			return "the fixtures have no client for it"
		}
		return ""
	}
}

func lacksLogin(t *target) string {
	switch {
	case len(t.metadata.Grants) > 0 && !slices.Contains(t.metadata.Grants, "password"):
		return "the issuer has no password grant"
	case t.client("password", "refresh_token") == nil:
		return "the fixtures have no client with password and refresh_token"
	case t.user() == nil:
		return "the fixtures have no active user"
	}
	return ""
}

func lacksIntrospection(t *target) string {
	switch {
	case t.metadata.Introspection == "":
		return "the issuer has no introspection endpoint"
	case t.introspector() == nil:
		return "the fixtures have no client that introspects"
	}
	return lacksLogin(t)
}

func lacksAPI(t *target) string {
	if t.fixtures.API.URL == "" {
		return "the fixtures have no api with a url"
	}
	return lacksLogin(t)
}
