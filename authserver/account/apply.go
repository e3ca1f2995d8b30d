package account

import (
	"context"
	"fmt"
	"strings"

	"github.com/tokenwright/tokenwright/authserver"
)

// Options say how a file is applied.
type Options struct {
	// DryRun changes nothing.
	DryRun bool
	// Prune removes clients, resources and scopes that the file lacks; never
	// users.
	Prune bool
}

// Change is one thing that Apply did, or would do.
type Change struct {
	Action string   `json:"action"` // "add", "change" or "remove"
	Kind   string   `json:"kind"`   // "resource", "scope", "client" or "user"
	Name   string   `json:"name"`
	Fields []string `json:"fields,omitempty"` // what changes, as the file names it
}

func (c Change) String() string {
	s := c.Action + " " + c.Kind + " " + c.Name
	if len(c.Fields) > 0 {
		s += ": " + strings.Join(c.Fields, ", ")
	}
	return s
}

// Apply makes the stores say what f says and returns what that changed; a second
// time it changes nothing. Everything is looked at before anything is written:
// after a *FileError, which has all faults at once, nothing has changed. What is
// written is one transaction for each Change; after an error between two of
// them, the changes so far are returned, and a further run does the rest.
func Apply(ctx context.Context, d Deps, f File, o Options) ([]Change, error) {
	p := &plan{d: d, users: NewUsers(d), clients: NewClients(d), file: f, options: o, faults: f.faults}
	for _, part := range []func(context.Context) error{p.look, p.planScopes, p.planResources, p.planClients, p.planUsers, p.planPruning} {
		if err := part(ctx); err != nil {
			return nil, err
		}
	}
	if err := fileError(p.faults); err != nil {
		return nil, err
	}
	var done []Change
	for _, s := range p.steps {
		if !o.DryRun {
			if err := s.do(ctx); err != nil {
				return done, fmt.Errorf("%s: %w", s.Change, err)
			}
		}
		done = append(done, s.Change)
	}
	return done, nil
}

// plan is what is to be done for a file.
type plan struct {
	d       Deps
	users   *Users
	clients *Clients
	file    File
	options Options

	// What is there.
	haveScopes    authserver.Scopes
	haveResources map[string]authserver.Resource
	haveClients   map[string]authserver.Client

	faults []fault
	steps  []step
}

type step struct {
	Change
	do func(context.Context) error
}

func (p *plan) look(ctx context.Context) error {
	var err error
	if p.haveScopes, err = p.d.Clients.Scopes(ctx); err != nil {
		return fmt.Errorf("list scopes: %w", err)
	}
	resources, err := p.d.Clients.Resources(ctx)
	if err != nil {
		return fmt.Errorf("list resources: %w", err)
	}
	p.haveResources = map[string]authserver.Resource{}
	for _, r := range resources {
		p.haveResources[r.Identifier] = r
	}
	clients, err := p.clients.List(ctx)
	if err != nil {
		return err
	}
	p.haveClients = map[string]authserver.Client{}
	for _, c := range clients {
		p.haveClients[c.ID] = c
	}
	return nil
}

// bad takes note of what is wrong with the thing on that line; err may be nil.
func (p *plan) bad(line int, kind, name string, errs ...error) {
	for _, err := range errs {
		if err != nil {
			p.faults = append(p.faults, fault{line, fmt.Sprintf("%s %q: %s", kind, name, err)})
		}
	}
}

func (p *plan) then(c Change, do func(context.Context) error) {
	p.steps = append(p.steps, step{Change: c, do: do})
}
