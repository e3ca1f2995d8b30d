package account

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// scopeNames are all that the file names.
func (f File) scopeNames() []string {
	var names []string
	for _, x := range f.scopes {
		names = append(names, x.name)
	}
	for _, x := range f.resources {
		names = append(names, x.Scopes...)
	}
	for _, x := range f.clients {
		names = append(names, x.Scopes...)
	}
	return distinct(names)
}

// planScopes registers every scope that the file names. Those that it names in
// passing keep what is registered of them.
func (p *plan) planScopes(context.Context) error {
	scopes := maps.Clone(p.haveScopes)
	if scopes == nil {
		scopes = authserver.Scopes{}
	}
	for _, x := range p.file.scopes {
		if x.RequiresRole != "" && !p.d.Roles.Known(x.RequiresRole) {
			p.bad(x.line, "scope", x.name, fmt.Errorf("requires_role: there is no role %q: use one of ROLE_HIERARCHY", x.RequiresRole))
		}
		p.bad(x.line, "scope", x.name, checkScope(x.name))
		if !showable(x.Description) {
			p.bad(x.line, "scope", x.name, &InvalidError{"description", "value_error", "use UTF-8 text without control and formatting characters"})
		}
		scopes[x.name] = x.Scope
	}
	for _, name := range p.file.scopeNames() {
		old, there := p.haveScopes[name]
		scope := scopes[name]
		c := Change{Action: "add", Kind: "scope", Name: name}
		if there {
			c.Action = "change"
			c.Fields = differing(
				field{"requires_role", old.RequiresRole == scope.RequiresRole},
				field{"description", old.Description == scope.Description})
		}
		if there && len(c.Fields) == 0 {
			continue
		}
		p.then(c, func(ctx context.Context) error {
			e := event(ctx, "scope.put", authserver.ActorCLI)
			e.Reason = name
			return p.d.Clients.PutScope(ctx, name, scope, e)
		})
	}
	return nil
}

func (p *plan) planResources(context.Context) error {
	for _, x := range p.file.resources {
		p.bad(x.line, "resource", x.Identifier, checkIdentifier(x.Identifier))
		if !showable(x.Name) {
			p.bad(x.line, "resource", x.Identifier, &InvalidError{"name", "value_error", "use UTF-8 text without control and formatting characters"})
		}
		for _, scope := range x.Scopes {
			p.bad(x.line, "resource", x.Identifier, checkScope(scope))
		}
		old, there := p.haveResources[x.Identifier]
		c := Change{Action: "add", Kind: "resource", Name: x.Identifier}
		if there {
			c.Action = "change"
			c.Fields = differing(
				field{"name", old.Name == x.Name},
				field{"scopes", sameSet(old.Scopes, x.Scopes)})
		}
		if there && len(c.Fields) == 0 {
			continue
		}
		p.then(c, func(ctx context.Context) error {
			e := event(ctx, "resource.put", authserver.ActorCLI)
			e.Reason = x.Identifier
			return p.d.Clients.PutResource(ctx, x.Resource, e)
		})
	}
	return nil
}

func (p *plan) planClients(context.Context) error {
	known := []string{p.d.Audience}
	for _, x := range p.file.resources {
		known = append(known, x.Identifier)
	}
	if !p.options.Prune {
		known = slices.AppendSeq(known, maps.Keys(p.haveResources))
	}
	for _, x := range p.file.clients {
		p.bad(x.line, "client", x.ID, x.faults(known)...)
		c := x.client(p.d.Master)
		old, there := p.haveClients[x.ID]
		if !there {
			p.then(Change{Action: "add", Kind: "client", Name: x.ID}, func(ctx context.Context) error {
				_, err := p.clients.add(ctx, c, authserver.ActorCLI)
				return err
			})
			continue
		}
		secretStays := old.Public == c.Public
		if !c.Public {
			secretStays = p.d.Master.ClientSecretMatches(old.SecretHash, x.Secret)
		}
		if secretStays {
			c.SecretHash = old.SecretHash
		}
		fields := differing(
			field{"public", old.Public == c.Public},
			field{"secret", secretStays},
			field{"grants", sameSet(old.Grants, c.Grants)},
			field{"scopes", sameSet(old.Scopes, c.Scopes)},
			field{"resources", sameSet(old.Resources, c.Resources)},
			field{"serves", sameSet(old.Serves, c.Serves)},
			field{"introspect", old.Introspect == c.Introspect},
			field{"refresh_grace_seconds", sameDuration(old.RefreshGrace, c.RefreshGrace)},
			field{"name", old.Name == c.Name},
			field{"redirect_uris", sameSet(old.RedirectURIs, c.RedirectURIs)},
			field{"post_logout_redirect_uris", sameSet(old.PostLogoutRedirectURIs, c.PostLogoutRedirectURIs)},
			field{"backchannel_logout_uri", old.BackchannelLogoutURI == c.BackchannelLogoutURI},
			field{"trusted", old.Trusted == c.Trusted},
			field{"require_pkce", old.PKCEOptional == c.PKCEOptional},
			field{"require_pushed_authorization_requests", old.RequirePushedRequests == c.RequirePushedRequests},
			field{"id_token_signed_response_alg", old.IDTokenAlgorithm == c.IDTokenAlgorithm})
		if len(fields) == 0 {
			continue
		}
		p.then(Change{"change", "client", x.ID, fields}, func(ctx context.Context) error {
			return p.clients.replace(ctx, c, "client.replace", authserver.ActorCLI)
		})
	}
	return nil
}

// planPruning removes clients before what they name.
func (p *plan) planPruning(context.Context) error {
	if !p.options.Prune {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(p.haveClients)) {
		if slices.ContainsFunc(p.file.clients, func(x fileClient) bool { return x.ID == id }) {
			continue
		}
		p.then(Change{Action: "remove", Kind: "client", Name: id}, func(ctx context.Context) error {
			return gone(p.clients.Remove(ctx, id, authserver.ActorCLI))
		})
	}
	for _, id := range slices.Sorted(maps.Keys(p.haveResources)) {
		if slices.ContainsFunc(p.file.resources, func(x fileResource) bool { return x.Identifier == id }) {
			continue
		}
		p.then(Change{Action: "remove", Kind: "resource", Name: id}, func(ctx context.Context) error {
			e := event(ctx, "resource.remove", authserver.ActorCLI)
			e.Reason = id
			return p.d.Clients.RemoveResource(ctx, id, e)
		})
	}
	named := p.file.scopeNames()
	for _, name := range slices.Sorted(maps.Keys(p.haveScopes)) {
		if slices.Contains(named, name) {
			continue
		}
		p.then(Change{Action: "remove", Kind: "scope", Name: name}, func(ctx context.Context) error {
			e := event(ctx, "scope.remove", authserver.ActorCLI)
			e.Reason = name
			return p.d.Clients.RemoveScope(ctx, name, e)
		})
	}
	return nil
}

// gone takes what somebody else has just removed as removed.
func gone(err error) error {
	if errors.Is(err, authserver.ErrNotFound) {
		return nil
	}
	return err
}

type field struct {
	name string
	same bool
}

func differing(fields ...field) []string {
	var names []string
	for _, f := range fields {
		if !f.same {
			names = append(names, f.name)
		}
	}
	return names
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(distinct(a))), slices.Sorted(slices.Values(distinct(b))))
}

func sameDuration(a, b *time.Duration) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
