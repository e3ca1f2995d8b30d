package account

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tokenwright/tokenwright/authserver"
)

// File is what an apply file says: resources, scopes, clients and users, in the
// YAML that `tokenwright apply --help` shows.
type File struct {
	faults    []fault
	resources []fileResource
	scopes    []fileScope
	clients   []fileClient
	users     []fileUser
}

type fileResource struct {
	line int
	authserver.Resource
}

type fileScope struct {
	line int
	name string
	authserver.Scope
}

type fileClient struct {
	line int
	ClientSpec
}

// fileUser has nil for what the file leaves open: a new user gets the default, an
// old one keeps what it has.
type fileUser struct {
	line         int
	username     string
	email        string
	fullName     *string
	roles        []string
	active       *bool
	password     string
	passwordHash string
	exempt       bool // from the rules for new passwords
}

// FileError is everything that is wrong with a file. No secret is in it.
type FileError struct {
	Faults []string // in the order of lines, each with its line, the thing and the fix
}

func (e *FileError) Error() string { return strings.Join(e.Faults, "\n") }

// ParseFile reads YAML. An error says that it is none; what is wrong with what
// it says, unknown keys and wrong types too, is for Apply to tell, all at once.
func ParseFile(text []byte) (File, error) {
	root, err := parseYAML(text)
	if err != nil {
		return File{}, err
	}
	if root == nil {
		return File{}, fmt.Errorf("the file is empty: give it at least one of resources, scopes, clients, users")
	}
	var f File
	r := &yamlReader{}
	r.fields(root, "the file", map[string]func(*yaml.Node){
		"resources": func(n *yaml.Node) { r.items(n, "resources", func(n *yaml.Node) { f.readResource(r, n) }) },
		"scopes":    func(n *yaml.Node) { r.pairs(n, "scopes", func(k, v *yaml.Node) { f.readScope(r, k, v) }) },
		"clients":   func(n *yaml.Node) { r.items(n, "clients", func(n *yaml.Node) { f.readClient(r, n) }) },
		"users":     func(n *yaml.Node) { r.items(n, "users", func(n *yaml.Node) { f.readUser(r, n) }) },
	})
	f.checkTwice(r)
	f.faults = r.faults
	return f, nil
}

func (f *File) readResource(r *yamlReader, n *yaml.Node) {
	x := fileResource{line: n.Line}
	r.fields(n, "a resource", map[string]func(*yaml.Node){
		"identifier": r.text("identifier", &x.Identifier),
		"name":       r.text("name", &x.Name),
		"scopes":     r.texts("scopes", &x.Scopes),
	})
	x.Scopes = distinct(x.Scopes)
	f.resources = append(f.resources, x)
}

func (f *File) readScope(r *yamlReader, key, n *yaml.Node) {
	x := fileScope{line: key.Line, name: key.Value}
	r.fields(n, "a scope", map[string]func(*yaml.Node){
		"requires_role": r.text("requires_role", &x.RequiresRole),
		"description":   r.text("description", &x.Description),
	})
	f.scopes = append(f.scopes, x)
}

func (f *File) readClient(r *yamlReader, n *yaml.Node) {
	x := fileClient{line: n.Line}
	requirePKCE := true
	r.fields(n, "a client", map[string]func(*yaml.Node){
		"id":                    r.text("id", &x.ID),
		"secret":                r.text("secret", &x.Secret),
		"public":                r.truth("public", &x.Public),
		"grants":                r.texts("grants", &x.Grants),
		"scopes":                r.texts("scopes", &x.Scopes),
		"resources":             r.texts("resources", &x.Resources),
		"serves":                r.texts("serves", &x.Serves),
		"introspect":            r.truth("introspect", &x.Introspect),
		"refresh_grace_seconds": r.seconds("refresh_grace_seconds", &x.RefreshGrace),

		"name":                                  r.text("name", &x.Name),
		"redirect_uris":                         r.texts("redirect_uris", &x.RedirectURIs),
		"allow_schemes":                         r.texts("allow_schemes", &x.AllowSchemes),
		"post_logout_redirect_uris":             r.texts("post_logout_redirect_uris", &x.PostLogoutRedirectURIs),
		"backchannel_logout_uri":                r.text("backchannel_logout_uri", &x.BackchannelLogoutURI),
		"trusted":                               r.truth("trusted", &x.Trusted),
		"require_pkce":                          r.truth("require_pkce", &requirePKCE),
		"require_pushed_authorization_requests": r.truth("require_pushed_authorization_requests", &x.RequirePushedRequests),
		"id_token_signed_response_alg":          r.text("id_token_signed_response_alg", &x.IDTokenAlgorithm),
	})
	x.PKCEOptional = !requirePKCE
	f.clients = append(f.clients, x)
}

func (f *File) readUser(r *yamlReader, n *yaml.Node) {
	x := fileUser{line: n.Line}
	var fullName string
	var active bool
	r.fields(n, "a user", map[string]func(*yaml.Node){
		"username":      r.text("username", &x.username),
		"email":         r.text("email", &x.email),
		"full_name":     func(n *yaml.Node) { x.fullName = &fullName; r.text("full_name", &fullName)(n) },
		"password":      r.text("password", &x.password),
		"password_hash": r.text("password_hash", &x.passwordHash),
		"roles":         r.texts("roles", &x.roles),
		"is_active":     func(n *yaml.Node) { x.active = &active; r.truth("is_active", &active)(n) },
	})
	f.users = append(f.users, x)
}

// checkTwice finds what is named more than once.
func (f *File) checkTwice(r *yamlReader) {
	twice := func(what string) func(line int, name, compared string) {
		first := map[string]int{}
		return func(line int, name, compared string) {
			if compared == "" {
				return
			}
			if at, ok := first[compared]; ok {
				r.fault(line, "%s %q is already on line %d: leave one out", what, name, at)
				return
			}
			first[compared] = line
		}
	}
	resource, client := twice("resource"), twice("client")
	username, email := twice("user"), twice("e-mail address")
	for _, x := range f.resources {
		resource(x.line, x.Identifier, x.Identifier)
	}
	for _, x := range f.clients {
		client(x.line, x.ID, x.ID)
	}
	for _, x := range f.users {
		username(x.line, x.username, authserver.Fold(x.username))
		email(x.line, x.email, authserver.Fold(x.email))
	}
}

// fileError puts the faults into the order of their lines; nil if there are none.
func fileError(faults []fault) error {
	if len(faults) == 0 {
		return nil
	}
	slices.SortStableFunc(faults, func(a, b fault) int { return a.line - b.line })
	e := &FileError{}
	for _, x := range faults {
		text := x.text
		if x.line > 0 {
			text = fmt.Sprintf("line %d: %s", x.line, text)
		}
		e.Faults = append(e.Faults, text)
	}
	return e
}
