package login

import (
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// Each row edits what is known when somebody has logged in ten minutes ago and
// consented a day ago: then the request is answered.
func TestNext(t *testing.T) {
	t.Parallel()
	begun := time.Unix(1_800_000_000, 123_456_789)
	prompt := func(values ...string) func(*Known) { return func(k *Known) { k.Request.Prompt = values } }
	maxAge := func(d time.Duration) func(*Known) { return func(k *Known) { k.Request.MaxAge = &d } }
	acr := func(values ...string) func(*Known) { return func(k *Known) { k.Request.ACRValues = values } }
	subject := func(s string) func(*Known) { return func(k *Known) { k.Request.Subject = s } }
	essential := func(values ...string) func(*Known) { return func(k *Known) { k.Request.EssentialACR = values } }
	stranger := func(k *Known) { k.Login = nil }
	trusted := func(k *Known) { k.Trusted = true }
	unasked := func(k *Known) { k.Consent = nil }
	withdrawn := func(k *Known) { k.Consent.Scopes, k.Consent.Resources = nil, nil }
	twoFactors := func(k *Known) { k.Login.AMR = []string{"pwd", "otp", "mfa"} }
	// A store keeps milliseconds: in the one in which the request began.
	loggedIn := func(k *Known) { k.Login.AuthTime = begun.Truncate(time.Millisecond) }
	consented := func(k *Known) { k.Consent.GrantedAt = begun.Truncate(time.Millisecond) }

	for _, tc := range []struct {
		name  string
		edits []func(*Known)
		want  Step
	}{
		{"nothing is missing", nil, Done},
		{"nobody is there", []func(*Known){stranger}, Authenticate},
		{"nobody is there, though trusted", []func(*Known){stranger, trusted}, Authenticate},

		{"AUT-020 none, nobody is there", []func(*Known){prompt("none"), stranger}, LoginRequired},
		{"AUT-020 none, without consent", []func(*Known){prompt("none"), unasked}, ConsentRequired},
		{"AUT-020 none, logged in", []func(*Known){prompt("none")}, Done},
		{"none, too old", []func(*Known){prompt("none"), maxAge(time.Minute)}, LoginRequired},
		{"none, trusted", []func(*Known){prompt("none"), unasked, trusted}, Done},

		{"AUT-021 login", []func(*Known){prompt("login")}, Authenticate},
		{"AUT-043 login, done", []func(*Known){prompt("login"), loggedIn}, Done},
		{"select_account", []func(*Known){prompt("select_account")}, Authenticate},
		{"select_account, done", []func(*Known){prompt("select_account"), loggedIn}, Done},
		{"create, nobody is there", []func(*Known){prompt("create"), stranger}, Register},
		{"create, somebody is there", []func(*Known){prompt("create")}, Register},
		{"create, done", []func(*Known){prompt("create"), loggedIn}, Done},

		{"max_age, young enough", []func(*Known){maxAge(time.Hour)}, Done},
		{"AUT-021 max_age, too old", []func(*Known){maxAge(9 * time.Minute)}, Authenticate},
		{"AUT-021 max_age=0", []func(*Known){maxAge(0)}, Authenticate},
		{"AUT-043 max_age=0, done", []func(*Known){maxAge(0), loggedIn}, Done},
		{"AUT-043 both, done", []func(*Known){maxAge(0), prompt("login"), loggedIn}, Done},
		{"AUT-030 max_age=0, done on a page left open for a day", []func(*Known){maxAge(0), loggedIn, func(k *Known) { k.Now = begun.Add(25 * time.Hour) }}, Done},

		{"acr that one factor meets", []func(*Known){acr("aal2", "aal1")}, Done},
		{"acr that it does not meet", []func(*Known){acr("aal2")}, UnmetAuthentication},
		{"acr that two meet", []func(*Known){acr("aal2"), twoFactors}, Done},
		{"acr of others", []func(*Known){acr("urn:mace:incommon:iap:silver")}, Done},
		{"OID-006 a hint of another user", []func(*Known){subject("other")}, Authenticate},
		{"OID-006 a hint of another user, none", []func(*Known){subject("other"), prompt("none")}, LoginRequired},
		{"a hint of this user", []func(*Known){subject("s"), prompt("none")}, Done},
		{"an essential acr that one factor does not meet", []func(*Known){essential("aal2")}, UnmetAuthentication},
		{"an essential acr that it meets", []func(*Known){essential("x", "aal1")}, Done},
		{"acr, nobody is there", []func(*Known){acr("aal2"), stranger}, Authenticate},

		{"AUT-029 not asked yet", []func(*Known){unasked}, Ask},
		{"AUT-029 taken back", []func(*Known){withdrawn}, Ask},
		{"a further scope", []func(*Known){func(k *Known) { k.Scopes = []string{"read", "write"} }}, Ask},
		{"a further resource", []func(*Known){func(k *Known) { k.Request.Resources = []string{"https://other.test"} }}, Ask},
		{"a scope that the roles do not allow", []func(*Known){func(k *Known) { k.Request.Scope = []string{"read", "admin"} }}, Done},
		{"trusted", []func(*Known){unasked, trusted}, Done},
		{"prompt=consent", []func(*Known){prompt("consent")}, Ask},
		{"prompt=consent, done", []func(*Known){prompt("consent"), consented}, Done},
		{"prompt=consent, trusted", []func(*Known){prompt("consent"), trusted}, Done},
		{"login before consent", []func(*Known){prompt("consent", "login"), unasked}, Authenticate},
		{"consent after login", []func(*Known){prompt("consent", "login"), loggedIn}, Ask},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			k := Known{
				Request: &authserver.AuthorizationRequest{Scope: []string{"read"}, Resources: []string{"https://api.test"}},
				Begun:   begun,
				Now:     begun.Add(time.Second),
				Login:   &authserver.Login{Subject: "s", AuthTime: begun.Add(-10 * time.Minute), AMR: []string{"pwd"}},
				Scopes:  []string{"read"},
				Consent: &authserver.Consent{Scopes: []string{"read"}, Resources: []string{"https://api.test"}, GrantedAt: begun.Add(-24 * time.Hour)},
			}
			for _, edit := range tc.edits {
				edit(&k)
			}
			if got := Next(k); got != tc.want {
				t.Errorf("got step %d, want %d", got, tc.want)
			}
		})
	}
}
