package doctor_test

import (
	"os"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver/doctor"
)

func TestParseFixturesNamesLinesAndNoSecrets(t *testing.T) {
	const secret = "hunter2hunter2hunter2"
	for _, tc := range []struct{ name, text, want string }{
		{"an unknown member", "clients:\n  - id: app\n    grants: [password]\n    pasword: " + secret, `line 4: unknown member "pasword"`},
		{"a secret where a client should be", "clients:\n  - " + secret, "line 2: a value of another form"},
		{"a member that is there twice", "origin: a\norigin: b", "already defined at line 1"},
		{"no YAML", "users: [{username: alice, password: " + secret, "near line 1: not YAML"},
		{"an anchor that is none", "users: [{username: alice, password: *" + secret + "}]", "not YAML"},
		{"nothing", "# later\n", "the file is empty"},
		{"a client without an id", "clients: [{secret: " + secret + "}]", "client 1 has no id"},
		{"a client without grants", "clients: [{id: app}]", `client "app": say with grants`},
		{"one that introspects without a secret", "clients: [{id: rs, introspect: true}]", `client "rs": one that introspects needs its secret`},
		{"a public client with a secret", "clients: [{id: app, public: true, secret: " + secret + ", grants: [password]}]", `client "app": a public client has no secret`},
		{"a client whose secret is not known", "clients: [{id: app, public: false, grants: [password]}]", `client "app": a public client has no secret`},
		{"a client that nobody can be sent back to", "clients: [{id: app, grants: [authorization_code]}]", `client "app": with the grant authorization_code it needs redirect_uris`},
		{"a user without a password", "users: [{username: alice}]", "user 1 lacks username or password"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := doctor.ParseFixtures([]byte(tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), secret[:8]) {
				t.Errorf("the secret is in %q", err)
			}
		})
	}
}

func TestAnApplyFileWillDo(t *testing.T) {
	text, err := os.ReadFile("../account/testdata/apply.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := doctor.ParseFixtures(append(text, "api: {url: https://api.example.test/private}\n"...))
	if err != nil || len(f.Clients) == 0 || len(f.Users) == 0 {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestAnApplyFileWithRedirectsWillDo(t *testing.T) {
	f, err := doctor.ParseFixtures([]byte(`
clients:
  - id: shop
    secret: shop-secret-0123456789abcdef
    grants: [authorization_code, refresh_token]
    name: Example Shop
    redirect_uris: [https://shop.example.test/cb, com.example.shop:/cb]
    allow_schemes: [cursor]
    post_logout_redirect_uris: [https://shop.example.test/]
    backchannel_logout_uri: https://shop.example.test/logout
    trusted: true
    require_pkce: false
    require_pushed_authorization_requests: true
    id_token_signed_response_alg: RS256
`))
	if err != nil || len(f.Clients) != 1 || f.Clients[0].IsPublic() {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestTheDemosFixturesParse(t *testing.T) {
	text, err := os.ReadFile("../../deploy/doctor-demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := doctor.ParseFixtures(text)
	if err != nil || len(f.Clients) != 4 || len(f.Users) != 2 {
		t.Errorf("got %+v, %v", f, err)
	}
}
