package oauth

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
)

// No token is issued that the verifier would refuse for its length.
func TestEveryTokenThatIsIssuedIsTaken(t *testing.T) {
	f := newFixture(t)
	put := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 400 {
		put(f.db.PutScope(t.Context(), fmt.Sprintf("%s-%03d", strings.Repeat("s", 40), i), authserver.Scope{}, authserver.Event{Act: "test"}))
	}
	login := func(more ...string) (Response, error) {
		form := url.Values{"username": {"alice"}, "password": {"correct horse alice"}}
		if len(more) > 0 {
			form.Set(more[0], more[1])
		}
		return f.Login(request(""), form)
	}
	// The first-party client may ask for every scope; by default it gets what fits.
	res, err := login()
	if err != nil {
		t.Fatal(err)
	}
	c := f.claims(res.AccessToken)
	if len(c.Scope) > authserver.MaxScopeLength || len(c.Scope) < authserver.MaxScopeLength-50 || !strings.HasPrefix(c.Scope, authserver.ScopeProfile+" ") {
		t.Errorf("the scope has %d bytes: %.60s…", len(c.Scope), c.Scope)
	}
	res, err = login("scope", "read")
	if err != nil || f.claims(res.AccessToken).Scope != "read" {
		t.Errorf("got scope %q, %v", res.Scope, err)
	}

	// Resources have no bound of their own.
	long := "https://api.example.test/" + strings.Repeat("x", 17<<10)
	put(f.db.PutResource(t.Context(), authserver.Resource{Identifier: long}, authserver.Event{Act: "test"}))
	conf, err := f.db.Client(t.Context(), "conf")
	put(err)
	conf.Resources = append(conf.Resources, long)
	put(f.db.ReplaceClient(t.Context(), conf, authserver.Event{Act: "test"}))
	_, err = f.post(passwordForm, "client_id=conf", "client_secret="+confSecret, "resource="+long)
	wantCode(t, err, CodeInvalidRequest)
}
