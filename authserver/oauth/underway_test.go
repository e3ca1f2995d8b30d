package oauth

import (
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
)

// A login is answered only if its client may still have what it asked for once the
// session is open.
func TestAClientThatChangesUnderWay(t *testing.T) {
	store := &during{}
	f := newFixture(t, func(d *Deps) { store.SessionStore = d.Sessions; d.Sessions = store })
	for _, tc := range []struct {
		name string
		edit func(*authserver.Client)
		form string
	}{
		{"scope", func(c *authserver.Client) { c.Scopes = []string{"read"} }, "client_id=conf"},
		{"resource", func(c *authserver.Client) { c.Resources = nil }, "resource=" + testResource},
		{"secret", func(c *authserver.Client) { c.SecretHash = []byte("another") }, "client_id=conf"},
	} {
		before, err := f.db.Client(t.Context(), "conf")
		if err != nil {
			t.Fatal(err)
		}
		store.happen = func() {
			c := before
			tc.edit(&c)
			if err := f.db.ReplaceClient(t.Context(), c, authserver.Event{Act: "test"}); err != nil {
				t.Fatal(err)
			}
		}
		res, err := f.post(passwordForm, "client_id=conf", "client_secret="+confSecret, tc.form)
		if err == nil {
			t.Errorf("client lost %s under way; answered with scope %q", tc.name, res.Scope)
		}
		if err := f.db.ReplaceClient(t.Context(), before, authserver.Event{Act: "test"}); err != nil {
			t.Fatal(err)
		}
	}
}
