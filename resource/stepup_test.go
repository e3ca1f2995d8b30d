package resource_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/resource"
)

// OID-015: who has not logged in lately or surely enough is told what would be
// enough, and passes after that.
func TestStepUp(t *testing.T) {
	f := newFixture(t, "ES256")
	guard := resource.NewGuard(f.verifier, "")
	ask := func(edit func(*resource.Claims), rules ...resource.Rule) *resource.Challenge {
		c := f.User("alice")
		c.AuthTime, c.ACR = time.Now().Unix(), "aal1"
		edit(&c)
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer "+f.Token(f.key, c))
		_, challenge := guard.Authenticate(r, rules...)
		return challenge
	}
	recent, strong := resource.MaxAge(5*time.Minute), resource.AtLeastACR("aal2")
	old := func(c *resource.Claims) { c.AuthTime = time.Now().Add(-6 * time.Minute).Unix() }
	for _, tc := range []struct {
		name      string
		edit      func(*resource.Claims)
		rules     []resource.Rule
		status    int
		challenge string
	}{
		{"recent enough", func(*resource.Claims) {}, []resource.Rule{recent}, 0, ""},
		{"too long ago", old, []resource.Rule{recent}, 401, `Bearer error="insufficient_user_authentication", max_age="300"`},
		{"nobody knows when", func(c *resource.Claims) { c.AuthTime = 0 }, []resource.Rule{recent}, 401, `Bearer error="insufficient_user_authentication", max_age="300"`},
		{"not sure enough", func(*resource.Claims) {}, []resource.Rule{strong}, 401, `Bearer error="insufficient_user_authentication", acr_values="aal2"`},
		{"neither", old, []resource.Rule{recent, strong}, 401, `Bearer error="insufficient_user_authentication", max_age="300", acr_values="aal2"`},
		{"sure enough", func(c *resource.Claims) { c.ACR = "aal2" }, []resource.Rule{strong, resource.AtLeastACR("aal1")}, 0, ""},
		{"a class of others", func(c *resource.Claims) { c.ACR = "urn:x" }, []resource.Rule{resource.AtLeastACR("urn:x")}, 0, ""},
		{"not known how surely", func(c *resource.Claims) { c.ACR = "" }, []resource.Rule{resource.AtLeastACR("aal1")}, 401, `Bearer error="insufficient_user_authentication", acr_values="aal1"`},
		{"what no login would help", old, []resource.Rule{resource.Scope("root"), recent}, 403, `Bearer error="insufficient_scope", scope="root"`},
	} {
		c := ask(tc.edit, tc.rules...)
		switch {
		case tc.status == 0 && c != nil, tc.status != 0 && (c == nil || c.Status != tc.status || c.WWWAuthenticate != tc.challenge):
			t.Errorf("%s: got %+v", tc.name, c)
		}
	}
}
