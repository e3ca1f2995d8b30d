package upgrade

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// session is what a client holds of one.
type session struct {
	name   string // after "the access token"
	client string
	tokens program.Answer
	lives  bool // its refresh token is good
}

// takeOver has one version make data of all kinds, and another live on with it.
func takeOver(t *testing.T, h *home, earlier, later program.Binary) {
	h.settle(t, earlier)
	p, s := h.serve(t, earlier)
	past := h.live(t, earlier, s)
	s.stop(t, p)
	// As if the hour had passed that a key is published before it signs: from here
	// on one key signs, another only verifies, and one is burnt.
	h.look(t, func(db *sql.DB) error {
		_, err := db.Exec("update signing_keys set active_at = created_at")
		return err
	})
	p, s = h.serve(t, earlier)
	signed := session{"under the new key", "app", good(t)(s.login("app", "alice")), true}
	past = append(past, signed)
	if kidOf(t, signed.tokens.Access) == kidOf(t, past[0].tokens.Access) {
		t.Fatal("all tokens are of one key")
	}
	was := take(t, s, past)
	was.list(t, h, earlier)
	s.stop(t, p)
	rows := export(t, h, earlier)

	p, s = h.serve(t, later)
	is := take(t, s, past)
	is.list(t, h, later)
	if err := was.differs(is); err != nil {
		t.Error(err)
	}
	if now := export(t, h, later); len(now) < len(rows) {
		t.Errorf("the event log has %d rows, want the %d of the version before and more", len(now), len(rows))
	} else if err := within(rows, now[:len(rows)]); err != nil {
		t.Errorf("the event log: %v", err)
	}
	goOn(t, s, past)
	s.stop(t, p)
	h.verify(t, later)
}

// live makes what a deployment has after a while: sessions that live and that
// have ended in every way, users and clients that are no longer what they were,
// and keys of every age.
func (h *home) live(t *testing.T, by program.Binary, s server) []session {
	t.Helper()
	ok := good(t)
	operator := func(args ...string) { t.Helper(); by.Run(t, h.dir, h.env, args...) }

	first := ok(s.login("app", "alice"))
	refreshed := ok(s.refresh(200, "app", first.Refresh))
	confidential := ok(s.login("conf", "alice"))
	revoked := ok(s.login("app", "alice"))
	ok(s.post(200, "/oauth/revoke", form("app", "token", revoked.Refresh)))
	withoutAccess := ok(s.login("conf", "alice"))
	ok(s.post(200, "/oauth/revoke", form("conf", "token", withoutAccess.Access)))
	loggedOut := ok(s.login("app", "alice"))
	ok(s.call(204, "POST", "/auth/logout", loggedOut.Access, ""))
	reused := ok(s.login("app", "alice"))
	ok(s.refresh(200, "app", ok(s.refresh(200, "app", reused.Refresh)).Refresh))
	ok(s.refresh(400, "app", reused.Refresh))
	ofBob := ok(s.login("app", "bob"))
	operator("user", "disable", "bob")
	ofCarol := ok(s.login("conf", "carol"))
	operator("user", "set-roles", "carol", "user")
	elsewhere := ok(s.login("conf", "dave"))
	here := ok(s.login("app", "dave"))
	ok(s.call(204, "POST", "/auth/password", here.Access, `{"current_password":"`+phrase+`","new_password":"`+newPhrase+`"}`))
	ofGone := ok(s.login("gone", "alice"))
	operator("client", "remove", "gone")
	ok(s.call(200, "POST", "/auth/register", "", `{"username":"erin","email":"erin@example.com","password":"`+newPhrase+`"}`))

	operator("keys", "rotate")
	var keys struct{ Keys []struct{ KID, State string } }
	if err := json.Unmarshal([]byte(by.Run(t, h.dir, h.env, "keys", "list", "--output", "json")), &keys); err != nil {
		t.Fatal(err)
	}
	for _, k := range keys.Keys {
		if k.State == "waiting" {
			operator("keys", "burn", "--", k.KID)
		}
	}
	operator("keys", "rotate")
	return []session{
		{"of the first login", "app", first, true},
		{"after a refresh", "app", refreshed, true},
		{"of a confidential client", "conf", confidential, true},
		{"of a session revoked", "app", revoked, false},
		{"that was itself revoked", "conf", withoutAccess, true},
		{"of a session logged out", "app", loggedOut, false},
		{"of a session ended by reuse", "app", reused, false},
		{"of a disabled user", "app", ofBob, false},
		{"of a user who lost a role", "conf", ofCarol, true},
		{"of the session that changed the password", "app", here, true},
		{"of another session when the password changed", "conf", elsewhere, false},
		{"of a client removed", "gone", ofGone, false},
	}
}

// goOn does with a version what follows from what another has left.
func goOn(t *testing.T, s server, past []session) {
	t.Helper()
	ok := good(t)
	first, refreshed := past[0].tokens, past[1].tokens
	// REF-024: the answer of the earlier version may have been lost; its client
	// asks again and is given the successor that the earlier version made.
	if again := ok(s.refresh(200, "app", first.Refresh)); again.Refresh != refreshed.Refresh {
		t.Error("REF-024 a repeat after the upgrade has another successor")
	}
	newest := ok(s.refresh(200, "app", refreshed.Refresh))
	ok(s.call(200, "GET", "/api/private", newest.Access, ""))
	// REF-013: reuse of a token that the earlier version consumed.
	ok(s.refresh(400, "app", first.Refresh))
	ok(s.refresh(400, "app", newest.Refresh))
	ok(s.call(401, "GET", "/api/private", newest.Access, ""))
	for _, x := range past[2:] {
		if x.lives {
			next := ok(s.refresh(200, x.client, x.tokens.Refresh))
			ok(s.call(200, "GET", "/api/private", next.Access, ""))
		}
	}
	ok(s.post(200, "/oauth/token", form("conf", "grant_type", "client_credentials")))
	wrong := form("conf", "grant_type", "client_credentials")
	wrong.Set("client_secret", clientSecret+"x")
	ok(s.post(401, "/oauth/token", wrong))
	ok(s.login("app", "alice"))
	ok(s.post(400, "/oauth/token", form("app", "grant_type", "password", "username", "bob", "password", phrase)))
	ok(s.post(400, "/oauth/token", form("app", "grant_type", "password", "username", "dave", "password", phrase)))
	ok(s.post(200, "/oauth/token", form("app", "grant_type", "password", "username", "dave", "password", newPhrase)))
	ok(s.post(200, "/oauth/token", form("app", "grant_type", "password", "username", "erin@example.com", "password", newPhrase)))
}

// export is the whole event log.
func export(t *testing.T, h *home, by program.Binary) (rows []any) {
	t.Helper()
	for line := range strings.Lines(by.Run(t, h.dir, h.env, "audit", "export")) {
		rows = append(rows, decode(t, line))
	}
	return rows
}

// verify wants a version to find no fault in the event log.
func (h *home) verify(t *testing.T, by program.Binary) {
	t.Helper()
	if report := by.Run(t, h.dir, h.env, "audit", "verify", "--output", "json"); !strings.Contains(report, `"sound": true`) {
		t.Errorf("the event log: %s", report)
	}
}

// kidOf is the key that an access token says it was signed with.
func kidOf(t *testing.T, access string) string {
	t.Helper()
	head, _, _ := strings.Cut(access, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		t.Fatal(err)
	}
	kid, _ := decode(t, string(text)).(map[string]any)["kid"].(string)
	return kid
}
