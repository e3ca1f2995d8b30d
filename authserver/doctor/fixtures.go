package doctor

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Fixtures are what the issuer was told beforehand, so that it can be asked about
// it. All of it is optional; what is missing makes lines not applicable. A file
// for tokenwright apply will do, with API and Origin added to it.
type Fixtures struct {
	Clients []Client `yaml:"clients"`
	// Users: the first active one is the one that logs in; it must not be let
	// into API.AdminURL.
	Users []User `yaml:"users"`
	API   API    `yaml:"api"`
	// Origin is an origin that the issuer lets read its answers (CORS).
	Origin string `yaml:"origin"`
	// Pages are for a login by redirect.
	Pages Pages `yaml:"pages"`

	// An apply file has them; nothing is asked about them.
	Resources any `yaml:"resources"`
	Scopes    any `yaml:"scopes"`
}

// Client is a registered client; without a secret it is a public one.
type Client struct {
	ID     string   `yaml:"id"`
	Secret string   `yaml:"secret"`
	Public *bool    `yaml:"public"` // may say again what Secret says
	Grants []string `yaml:"grants"`
	// Scopes are those it is registered for.
	Scopes []string `yaml:"scopes"`
	// Resources are what it may ask tokens for beside API.Identifier.
	Resources  []string `yaml:"resources"`
	Introspect bool     `yaml:"introspect"`
	// Serves are the resources whose tokens it may introspect; nil leaves it
	// open, and it is taken to serve API.Identifier.
	Serves []string `yaml:"serves"`
	// RefreshGrace is for how many seconds a refresh token may be presented
	// again; nil leaves it open.
	RefreshGrace *int `yaml:"refresh_grace_seconds"`
	// RedirectURIs: its answers go to the first. Nobody needs to be there.
	RedirectURIs []string `yaml:"redirect_uris"`
	// Trusted clients are given codes without asking the person.
	Trusted bool `yaml:"trusted"`
	// RequirePKCE is false for one that may ask without a challenge.
	RequirePKCE *bool `yaml:"require_pkce"`
	// RequirePushed is for one that has to push its requests (RFC 9126 §6).
	RequirePushed bool `yaml:"require_pushed_authorization_requests"`
	// PostLogoutRedirectURIs: people return to the first. Nobody needs to be there.
	PostLogoutRedirectURIs []string `yaml:"post_logout_redirect_uris"`

	// An apply file has them; nothing is asked about them.
	Name                 string   `yaml:"name"`
	AllowSchemes         []string `yaml:"allow_schemes"`
	BackchannelLogoutURI string   `yaml:"backchannel_logout_uri"`
	IDTokenAlgorithm     string   `yaml:"id_token_signed_response_alg"`
}

// IsPublic reports whether c has no secret (RFC 6749 §2.1).
func (c *Client) IsPublic() bool { return c.Secret == "" }

// May reports whether c is said to have the grant.
func (c *Client) May(grant string) bool { return slices.Contains(c.Grants, grant) }

// User is an account with its password; without one it plays no part.
type User struct {
	Username string `yaml:"username"`
	Password string `yaml:"password"`
	IsActive *bool  `yaml:"is_active"` // nil is true

	// An apply file has them; nothing is asked about them.
	Email        string   `yaml:"email"`
	FullName     string   `yaml:"full_name"`
	Roles        []string `yaml:"roles"`
	PasswordHash string   `yaml:"password_hash"`
}

// Active reports whether u may log in, as the fixtures say.
func (u *User) Active() bool { return u.IsActive == nil || *u.IsActive }

// API is a resource server that takes the issuer's tokens.
type API struct {
	// Identifier is the audience that tokens get if no resource is asked for.
	Identifier string `yaml:"identifier"`
	// URL answers a GET with any of its users' tokens.
	URL string `yaml:"url"`
	// AdminURL answers 403 to the first user.
	AdminURL string `yaml:"admin_url"`
}

// Pages say how the forms of the login and consent pages are filled in; empty
// members are as tokenwright has them. A button is named by name=value, or by its
// name or id alone.
type Pages struct {
	Username string `yaml:"username"` // name of the field
	Password string `yaml:"password"` // name of the field
	Login    string `yaml:"login"`
	Cancel   string `yaml:"cancel"`
	Allow    string `yaml:"allow"`
	Deny     string `yaml:"deny"`
	Logout   string `yaml:"logout"`
}

func (p Pages) orUsual() Pages {
	return Pages{
		Username: cmp.Or(p.Username, "username"), Password: cmp.Or(p.Password, "password"),
		Login: cmp.Or(p.Login, "act=login"), Cancel: cmp.Or(p.Cancel, "act=cancel"),
		Allow: cmp.Or(p.Allow, "act=allow"), Deny: cmp.Or(p.Deny, "act=deny"), Logout: cmp.Or(p.Logout, "act=logout"),
	}
}

// unknownField is how the YAML package names a member that is not there.
var unknownField = regexp.MustCompile(`^(line \d+): field (\S+) not found`)

// ParseFixtures reads YAML in the form that tokenwright doctor --help shows. Its
// errors name lines and members, never values: those may be secrets.
func ParseFixtures(text []byte) (Fixtures, error) {
	var f Fixtures
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	err := dec.Decode(&f)
	if errors.Is(err, io.EOF) {
		return f, errors.New("the file is empty: give it at least one of clients, users, api, origin")
	}
	if wrong, ok := errors.AsType[*yaml.TypeError](err); ok {
		var faults []string
		for _, text := range wrong.Errors {
			line, _, _ := strings.Cut(text, ":")
			if m := unknownField.FindStringSubmatch(text); m != nil {
				faults = append(faults, fmt.Sprintf("%s: unknown member %q", line, m[2]))
			} else if strings.Contains(text, "already defined") {
				faults = append(faults, text)
			} else {
				faults = append(faults, line+": a value of another form is wanted here")
			}
		}
		return Fixtures{}, fmt.Errorf("%s; tokenwright doctor --help shows the form", strings.Join(faults, ", "))
	}
	if err != nil {
		line := 0
		if n, _ := fmt.Sscanf(err.Error(), "yaml: line %d:", &line); n == 1 {
			return Fixtures{}, fmt.Errorf("near line %d: not YAML: check indentation and brackets, and quote values that have special characters", line)
		}
		return Fixtures{}, errors.New("not YAML: quote values that have special characters, such as those that begin with * or &")
	}
	return f, f.check()
}

func (f *Fixtures) check() error {
	for i, c := range f.Clients {
		if c.ID == "" {
			return fmt.Errorf("client %d has no id: give each its id", i+1)
		}
		if len(c.Grants) == 0 && !c.Introspect {
			return fmt.Errorf("client %q: say with grants what it may do, such as [password, refresh_token]", c.ID)
		}
		if c.Public != nil && *c.Public != c.IsPublic() {
			return fmt.Errorf("client %q: a public client has no secret, and any other needs it here", c.ID)
		}
		if c.May("authorization_code") && len(c.RedirectURIs) == 0 {
			return fmt.Errorf("client %q: with the grant authorization_code it needs redirect_uris", c.ID)
		}
		if c.Introspect && c.IsPublic() {
			return fmt.Errorf("client %q: one that introspects needs its secret", c.ID)
		}
	}
	for i, u := range f.Users {
		if u.Username == "" || u.Password == "" && u.PasswordHash == "" {
			return fmt.Errorf("user %d lacks username or password: give each both", i+1)
		}
	}
	return nil
}
