package account_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/password"
)

func goodFile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/apply.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (f *fixture) apply(t *testing.T, text string, o account.Options) ([]string, error) {
	t.Helper()
	file, err := account.ParseFile([]byte(text))
	if err != nil {
		return nil, err
	}
	changes, err := account.Apply(t.Context(), f.Deps, file, o)
	var all []string
	for _, c := range changes {
		all = append(all, c.String())
	}
	return all, err
}

func (f *fixture) mustApply(t *testing.T, text string, o account.Options) []string {
	t.Helper()
	changes, err := f.apply(t, text, o)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// edit replaces one piece of text and fails if it is not there.
func edit(t *testing.T, text, old, new string) string {
	t.Helper()
	if strings.Count(text, old) == 0 {
		t.Fatalf("%q is not in the file", old)
	}
	return strings.Replace(text, old, new, 1)
}

func TestApplyMakesWhatTheFileSays(t *testing.T) {
	f := newFixture(t)
	want := []string{
		"add scope admin", "add scope write", "add scope read", "add scope profile",
		"add resource https://api.example.test",
		"add client conf", "add client pub",
		"add user alice", "add user carol",
	}
	if diff := cmp.Diff(want, f.mustApply(t, goodFile(t), account.Options{DryRun: true})); diff != "" {
		t.Errorf("a dry run says:\n%s", diff)
	}
	if _, total, _ := f.users.List(t.Context(), authserver.Page{}); total != 0 {
		t.Error("a dry run made users")
	}
	if diff := cmp.Diff(want, f.mustApply(t, goodFile(t), account.Options{})); diff != "" {
		t.Errorf("the run says:\n%s", diff)
	}
	for _, o := range []account.Options{{}, {Prune: true}, {DryRun: true}} {
		if again := f.mustApply(t, goodFile(t), o); len(again) != 0 {
			t.Errorf("a second run with %+v: %v", o, again)
		}
	}

	scopes, _ := f.db.Scopes(t.Context())
	if diff := cmp.Diff(authserver.Scopes{"admin": {RequiresRole: "admin"}, "write": {RequiresRole: "user"}, "read": {}, "profile": {}}, scopes); diff != "" {
		t.Error(diff)
	}
	c, err := f.clients.Find(t.Context(), "conf")
	if err != nil || c.Public || !c.Introspect || c.RefreshGrace == nil || *c.RefreshGrace != 0 || c.Incarnation == 0 || len(c.Grants) != 3 {
		t.Errorf("client %+v, %v", c, err)
	}
	if err := f.authenticate(t, "192.0.2.1", "conf", confSecret); err != nil {
		t.Errorf("the client's secret: %v", err)
	}
	if _, err := f.login(t.Context(), "alice", "correct horse"); err != nil {
		t.Errorf("the user's password: %v", err)
	}
	if u := f.user(t, "carol"); u.Active || u.Email != "carol@example.com" {
		t.Errorf("user %+v", u)
	}
	if f.changed.Load() != 0 {
		t.Error("something ended")
	}
}

func TestApplyTakesHashes(t *testing.T) {
	f := newFixture(t)
	hash, err := newHasher(t, password.Config{Algorithm: password.Bcrypt}).Hash(t.Context(), goodWords)
	if err != nil {
		t.Fatal(err)
	}
	f.mustApply(t, fmt.Sprintf("users: [{username: dora, email: dora@example.com, password_hash: %q}]", hash), account.Options{})
	if _, err := f.login(t.Context(), "dora", goodWords); err != nil {
		t.Error(err)
	}
}

func TestApplyChangesWhatDiffers(t *testing.T) {
	for _, tc := range []struct {
		name     string
		old, new string
		want     string
		tokens   bool // alice's access tokens end
		sessions bool
	}{
		{"a scope's role", "{requires_role: user}", "{requires_role: editor}", "change scope write: requires_role", false, false},
		{"a scope's role taken off", "{requires_role: user}", "{}", "change scope write: requires_role", false, false},
		{"a resource's name", "name: Example API", "name: Another", "change resource https://api.example.test: name", false, false},
		{"a client's secret", confSecret, "another-secret-0123456789", "change client conf: secret", false, false},
		{"a client's grants", "grants: [password, refresh_token, client_credentials]", "grants: [client_credentials]", "change client conf: grants", false, false},
		{"a client's grace", "refresh_grace_seconds: 0", "refresh_grace_seconds: 5", "change client conf: refresh_grace_seconds", false, false},
		{"a client made public", "public: true\n", "public: false\n    secret: " + confSecret + "\n", "change client pub: public, secret", false, false},
		{"an e-mail address", "alice@example.com", "alicia@example.com", "change user alice: email", false, false},
		{"a full name", "Alice Example", "Alice Sample", "change user alice: full_name", false, false},
		{"a role more", "roles: [user]}   # alice", "roles: [user, editor]}", "change user alice: roles", false, false},
		{"another role", "roles: [user]}   # alice", "roles: [viewer]}", "change user alice: roles", true, false},
		{"a name in another case", "username: alice", "username: Alice", "change user alice: username", true, false},
		{"a user disabled", "roles: [user]}   # alice", "roles: [user], is_active: false}", "change user alice: is_active", true, true},
		{"a password, which is used only when the user is made", "password: correct horse", "password: another horse", "", false, false},
		{"what the file leaves open", ", roles: [user]}   # alice", "}", "", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t)
			f.mustApply(t, goodFile(t), account.Options{})
			before := f.user(t, "alice")
			text := edit(t, goodFile(t), tc.old, tc.new)
			changes := f.mustApply(t, text, account.Options{})
			if got := strings.Join(changes, "; "); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if again := f.mustApply(t, text, account.Options{}); len(again) != 0 {
				t.Errorf("a second run: %v", again)
			}
			after := f.user(t, "alice")
			if (after.Epoch > before.Epoch) != tc.tokens || (after.SessionEpoch > before.SessionEpoch) != tc.sessions {
				t.Errorf("got %+v", after)
			}
			if (f.changed.Load() > 0) != tc.tokens {
				t.Errorf("Changed was called %d times", f.changed.Load())
			}
		})
	}
}

func TestApplyPrunesButUsers(t *testing.T) {
	f := newFixture(t)
	f.mustApply(t, goodFile(t), account.Options{})
	const less = `
clients: [{id: pub, public: true, grants: [password, refresh_token], scopes: [read]}]
users: [{username: alice, email: alice@example.com}]
`
	if changes := f.mustApply(t, less, account.Options{}); len(changes) != 0 {
		t.Errorf("without prune: %v", changes)
	}
	want := []string{
		"remove client conf", "remove resource https://api.example.test",
		"remove scope admin", "remove scope profile", "remove scope write",
	}
	if diff := cmp.Diff(want, f.mustApply(t, less, account.Options{Prune: true})); diff != "" {
		t.Error(diff)
	}
	if f.changed.Load() != 1 {
		t.Errorf("Changed was called %d times", f.changed.Load())
	}
	f.user(t, "carol")
	if scopes, _ := f.db.Scopes(t.Context()); len(scopes) != 1 {
		t.Errorf("scopes %v", scopes)
	}
	if changes := f.mustApply(t, less, account.Options{Prune: true}); len(changes) != 0 {
		t.Errorf("a second run: %v", changes)
	}
	t.Run("a file may not name what it prunes", func(t *testing.T) {
		f := newFixture(t)
		f.mustApply(t, goodFile(t), account.Options{})
		text := edit(t, less, "scopes: [read]", "scopes: [read], resources: [https://api.example.test]")
		if _, err := f.apply(t, text, account.Options{}); err != nil {
			t.Errorf("without prune: %v", err)
		}
		if _, err := f.apply(t, text, account.Options{Prune: true}); err == nil {
			t.Error("with prune: no error")
		}
	})
}

func TestApplySaysWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name     string
		old, new string
		want     string
	}{
		{"an unknown key", "introspect:", "introspekt:", `line 14: a client has no key "introspekt": use allow_schemes, backchannel_logout_uri, grants, id`},
		{"an unknown part", "clients:", "client:", `line 4: the file has no key "client": use clients, resources, scopes, users`},
		{"a repeated key", "    public: false", "    secret: x\n    public: false", `line 7: a client has the key "secret" twice, first on line 6: leave one out`},
		{"a role that does not exist", "roles: [user]}   # alice", "roles: [root]}", `line 21: user "alice": roles: give only roles of ROLE_HIERARCHY`},
		{"a scope for a role that does not exist", "{requires_role: user}", "{requires_role: root}", `line 3: scope "write": requires_role: there is no role "root"`},
		{"a client twice", "- id: pub", "- id: conf", `line 16: client "conf" is already on line 5: leave one out`},
		{"a user twice, by case", "username: carol", "username: ALICE", `line 22: user "ALICE" is already on line 21: leave one out`},
		{"an address twice, by case", "carol@example.com", "Alice@example.com", `line 22: e-mail address "Alice@example.com" is already on line 21`},
		{"a number for text", "name: Example API", "name: 12", `line 2: name must be text: put it in quotes`},
		{"a name that turns text around", "name: Example API", `name: "Example \u202eIPA"`, `line 2: resource "https://api.example.test": name: use UTF-8 text without control and formatting`},
		{"text for a list", "grants: [password, refresh_token, client_credentials]", "grants: password", `line 8: grants must be a list`},
		{"text for true", "introspect: true", "introspect: aye", `line 14: introspect must be true or false`},
		{"a fraction of a second", "refresh_grace_seconds: 0", "refresh_grace_seconds: 0.5", `line 15: refresh_grace_seconds must be a whole number`},
		{"a grace that is too long", "refresh_grace_seconds: 0", "refresh_grace_seconds: 301", `line 5: client "conf": refresh_grace_seconds: use 0 to 300`},
		{"a list for a mapping", "scopes:    {admin", "scopes:    [{admin", "near line 2: not YAML"},
		{"a short secret", confSecret, "short", `line 5: client "conf": secret: use at least 16 characters`},
		{"no secret", "    secret: " + confSecret + "\n", "", `line 5: client "conf": secret: use at least 16 characters`},
		{"a public client with a secret", "public: true\n", "public: true\n    secret: " + confSecret + "\n", `line 16: client "pub": secret: a public client has none`},
		{"an unknown resource", "resources: [https://api.example.test]", "resources: [https://nowhere.test]", `line 5: client "conf": resources: no resource "https://nowhere.test" is registered`},
		{"a resource that is no URI", "identifier: https://api.example.test", "identifier: api", `line 2: resource "api": identifier: give an absolute URI without fragment`},
		{"a client id that is too long", "- id: pub", "- id: " + strings.Repeat("a", 256), `id: use at most 255 characters`},
		{"a client id that is no ASCII", "- id: pub", "- id: püb", `id: use printable ASCII`},
		{"AUT-026 a wildcard", "public: true", "public: true\n    redirect_uris: [https://*/cb]", `line 16: client "pub": redirect_uris: "https://*/cb" has a wildcard`},
		{"AUT-026 a fragment", "public: true", "public: true\n    redirect_uris: " + `["https://x/cb#f"]`, `has a fragment`},
		{"AUT-026 http to a host", "public: true", "public: true\n    redirect_uris: [http://example.com/cb]", `is http to another machine`},
		{"AUT-026 a scheme without a dot", "public: true", "public: true\n    redirect_uris: [\"myapp:/cb\"]", `has a private-use scheme without a dot`},
		{"AUT-026 user information", "public: true", "public: true\n    redirect_uris: [https://user:hidden@x/cb]", `"…@x/cb" has user information`},
		{"a script for a redirect URI", "public: true", "public: true\n    redirect_uris: [\"javascript:alert(1)\"]", `means something else to browsers`},
		{"a script for a scheme", "public: true", "public: true\n    allow_schemes: [javascript]", `"javascript" means something else`},
		{"a relative redirect URI", "public: true", "public: true\n    redirect_uris: [/cb]", `"/cb" is no absolute URI`},
		{"a redirect URI with a line's end", "public: true", "public: true\n    redirect_uris: " + `["https://x/cb\n"]`, `has a character that no URI has`},
		{"a redirect URI that is too long", "public: true", "public: true\n    redirect_uris: [https://x/" + strings.Repeat("a", 2048) + "]", `is too long`},
		{"a private-use scheme of a confidential client", "public: false", "public: false\n    redirect_uris: [\"com.example:/cb\"]", `which only public clients may have`},
		{"no redirect URI", "grants: [password, refresh_token]", "grants: [authorization_code]", `redirect_uris: give at least one with the grant authorization_code`},
		{"a public client without PKCE", "public: true", "public: true\n    require_pkce: false", `require_pkce: a public client always needs PKCE`},
		{"an algorithm for ID tokens", "public: true", "public: true\n    id_token_signed_response_alg: none", `"none" is not one of RS256`},
		{"a receiver of logouts", "public: true", "public: true\n    backchannel_logout_uri: ftp://x/", `is not of the scheme https`},
		{"a client's name that turns text around", "public: true", "public: true\n    name: " + `"\u202eshop"`, `name: use UTF-8 text without control`},
		{"a description of two lines", "{requires_role: user}", `{requires_role: user, description: "a\nb"}`, `description: use UTF-8 text without control`},
		{"a bad user name", "username: alice", "username: al ice", `line 21: user "al ice": username: use letters`},
		{"no address", "email: alice@example.com, ", "", `line 21: user "alice": email: give an e-mail address`},
		{"a common password", "password: correct horse", "password: password1", `line 21: user "alice": password: this is among the passwords that are tried first`},
		{"no password", "password: correct horse, ", "", `line 21: user "alice": the user is new: give a password or a password_hash`},
		{"a password and a hash", "password: correct horse", "password: correct horse, password_hash: x", `password and password_hash are both there`},
		{"a hash of no known kind", "password: correct horse", "password_hash: md5$abc", `password_hash has no known format`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			_, err := f.apply(t, edit(t, goodFile(t), tc.old, tc.new), account.Options{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v\nwant %s", err, tc.want)
			}
			clients, _ := f.clients.List(t.Context())
			_, users, _ := f.users.List(t.Context(), authserver.Page{})
			scopes, _ := f.db.Scopes(t.Context())
			if len(clients)+users+len(scopes) != 0 {
				t.Error("something was made")
			}
		})
	}
}

func TestApplySaysEverythingAtOnce(t *testing.T) {
	f := newFixture(t)
	text := goodFile(t)
	for _, e := range [][2]string{
		{"{requires_role: user}", "{requires_role: root}"}, {"introspect:", "introspekt:"}, {confSecret, "short"},
		{"name: Example API", "name: 12"}, {"roles: [user]}   # alice", "roles: [root]}"}, {"username: carol", "username: a b"},
	} {
		text = edit(t, text, e[0], e[1])
	}
	_, err := f.apply(t, text, account.Options{})
	e, ok := errors.AsType[*account.FileError](err)
	if !ok || len(e.Faults) != 6 {
		t.Fatalf("got %v", err)
	}
	for i, line := range []int{2, 3, 5, 14, 21, 22} {
		if !strings.HasPrefix(e.Faults[i], fmt.Sprintf("line %d: ", line)) {
			t.Errorf("fault %d: %s, want line %d", i, e.Faults[i], line)
		}
	}
}

// A secret may stand on any line by mistake.
func TestFileErrorsNeverHaveAValue(t *testing.T) {
	const marker = "s3cr3t-Marker-0123456789"
	for _, text := range []string{
		"clients: [{id: c, public: " + marker + "}]",
		"clients: [{id: c, introspect: " + marker + "}]",
		"clients: [{id: c, grants: " + marker + "}]",
		"clients: [{id: c, refresh_grace_seconds: " + marker + "}]",
		"clients: " + marker,
		"clients: [" + marker + "]",
		"users: {alice: " + marker + "}",
		"users: [{username: alice, email: alice@example.com, is_active: " + marker + "}]",
		"users: [{username: alice, email: alice@example.com, roles: [" + marker + "]}]",
		"users: [{username: alice, email: alice@example.com, password: *" + marker + "}]",
		"users: [{username: alice, email: alice@example.com, password: %" + marker + "}]",
		"users: [{username: alice, email: alice@example.com, password: \"" + marker + "}]",
		"users: [{username: alice, email: alice@example.com, password_hash: " + marker + "}]",
		"users: [{username: alice, email: alice@example.com, full_name: !!binary " + marker + "}]",
		"users: [{username: alice, email: " + marker + ", password: x}]",
		"users:\n\t- password: " + marker,
		marker,
		"- " + marker,
	} {
		f := newFixture(t)
		_, err := f.apply(t, text, account.Options{})
		if err == nil {
			t.Errorf("%s: no error", text)
		} else if strings.Contains(err.Error(), marker[:8]) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestFilesThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "the file is empty",
		"# only a comment\n":            "the file is empty",
		"users: []\n---\nclients: []":   "line 2: a second document begins",
		"users: [\n":                    "not YAML",
		"a: 1\n b: 2":                   "not YAML",
		"a: \xff":                       "not YAML",
		"users: &x [*x]\nclients: []":   "",
		"users: [{? [a] : b}]":          "",
		"? {a: b}\n: c":                 "",
		strings.Repeat("[", 100_000):    "not YAML",
		"users: [{username: &n alice}]": "",
	} {
		f := newFixture(t)
		if _, err := f.apply(t, text, account.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", text, err, want)
		}
	}
}

// Whatever the file is, it is either understood or refused in printable words,
// each fault with its line, and a dry run of it changes nothing.
func FuzzParseFile(f *testing.F) {
	text, err := os.ReadFile("testdata/apply.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add("users: &x [*x]")
	f.Add("users: [{username: alice, email: alice@example.com, password: correct horse, roles: [user]}]")
	f.Add("clients: [{id: \"a\\e\", secret: \"\\u202e\"}]")
	fx := newFixture(f)
	aFault := regexp.MustCompile(`^((near )?line \d+: |the file is empty|not YAML: )`)
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := fx.apply(t, text, account.Options{DryRun: true}); err != nil {
			for line := range strings.Lines(err.Error()) {
				line = strings.TrimSuffix(line, "\n")
				if !aFault.MatchString(line) || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("%q: got %q", text, line)
				}
			}
		}
		if clients, err := fx.clients.List(t.Context()); err != nil || len(clients) != 0 {
			t.Errorf("%q made %v, %v", text, clients, err)
		}
	})
}

func TestApplyFindsCollisionsWithWhatIsThere(t *testing.T) {
	f := newFixture(t)
	bob := alice()
	bob.Username, bob.Email = "bob", "ALICE@example.com"
	f.register(t, bob)
	_, err := f.apply(t, goodFile(t), account.Options{})
	if err == nil || !strings.Contains(err.Error(), `line 21: user "alice": the e-mail address is another user's`) {
		t.Errorf("got %v", err)
	}
	if clients, _ := f.clients.List(t.Context()); len(clients) != 0 {
		t.Error("something was made")
	}
}

func TestSeedDemo(t *testing.T) {
	f := newFixture(t)
	for range 2 {
		if err := account.SeedDemo(t.Context(), f.Deps, "/auth"); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]struct{ email, fullName, role, password string }{
		"admin":     {"admin@example.com", "Admin User", "admin", "admin123"},
		"testuser":  {"user@example.com", "Test User", "user", "user123"},
		"moderator": {"moderator@example.com", "", "moderator", "mod123"},
	} {
		u, err := f.login(t.Context(), want.email, want.password)
		if err != nil || u.Username != name || u.FullName != want.fullName || len(u.Roles) != 1 || u.Roles[0] != want.role {
			t.Errorf("%s: %+v, %v", name, u, err)
		}
	}
	if err := f.authenticate(t, "127.0.0.1", "demo-service", "demo-service-secret"); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"demo-app", "swagger-ui"} {
		c, err := f.clients.Find(t.Context(), id)
		if err != nil || !c.Public || len(c.Scopes) != 5 || !c.MayUse(authserver.GrantAuthorizationCode) || !c.MayUse(authserver.GrantPassword) || !c.MayUse(authserver.GrantRefreshToken) {
			t.Errorf("%s: %+v, %v", id, c, err)
		}
		for _, uri := range c.RedirectURIs {
			if !strings.HasPrefix(uri, "http://localhost/auth/") && !strings.HasPrefix(uri, "http://127.0.0.1/auth/") {
				t.Errorf("%s is sent back to %s, which is not below the issuer", id, uri)
			}
		}
	}
	scopes, _ := f.db.Scopes(t.Context())
	if diff := cmp.Diff(authserver.Scopes{
		"read": {Description: "Read your data"}, "write": {RequiresRole: "user", Description: "Change your data"},
		"admin": {RequiresRole: "admin", Description: "Administer the service"}, "profile": {Description: "See your name"}, "openid": {},
	}, scopes); diff != "" {
		t.Error(diff)
	}
	if u := f.user(t, "admin"); u.ID != 1 {
		t.Errorf("admin has ID %d; the tutorial's has 1", u.ID)
	}
}
