package upgrade

import (
	"database/sql"
	"strings"
	"testing"
	"time"
)

// outliveMigration has the schema change under a server of the version before.
//
// That server goes on, with all that it does, for as long as it runs: no request
// fails on what was added. It is not started anew there. A start could not know
// what the newer schema means, so it is refused; whoever rolls a deployment
// forward starts the next version in the place of what ends.
func outliveMigration(t *testing.T, h *home, v versions) {
	ok := good(t)
	h.settle(t, v.previous)
	p, s := h.serve(t, v.previous)
	kept := ok(s.login("app", "alice"))

	v.next.Run(t, h.dir, h.env, "migrate", "up")
	past := append(h.live(t, v.next, s), session{"from before the migration", "app", kept, true})
	v.next.Apply(t, h.dir, h.env, `
clients: [{id: late, public: true, grants: [password, refresh_token], scopes: [profile]}]
users: [{username: frank, email: frank@example.com, password: `+newPhrase+`, roles: [user]}]
`)
	frank := ok(s.post(200, "/oauth/token", form("late", "grant_type", "password", "username", "frank", "password", newPhrase)))
	past = append(past, session{"of a client and a user made by the next version", "late", frank, true})

	// What the old version wrote has what the new schema gives it.
	h.look(t, func(db *sql.DB) error {
		var users, clients int
		err := db.QueryRow("select count(*) from users where username = 'erin' and locale is null and quota = 7").Scan(&users)
		if err == nil {
			err = db.QueryRow("select count(*) from clients where contact = 'nobody'").Scan(&clients)
		}
		if err == nil && (users != 1 || clients != 4) {
			t.Errorf("%d users and %d clients have the defaults of what was added, want 1 and 4", users, clients)
		}
		return err
	})

	for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"user", "list"}, {"migrate", "up"}} {
		out, err := v.previous.Command(h.dir, h.env, args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "run the newer tokenwright") {
			t.Errorf("the old binary's %s on the new schema: %v, %s", args[0], err, out)
		}
	}

	beside, next := h.serve(t, v.next)
	// Commands wake nobody: the old server hears of them within the bound.
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		err := take(t, s, past).differs(take(t, next, past))
		if err == nil {
			break
		}
		if time.Since(began) > bound() {
			t.Fatal(err)
		}
	}
	goOn(t, s, past)
	next.stop(t, beside)
	s.stop(t, p)
	h.verify(t, v.next)
}
