//go:build proof

package revocation

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/audit"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
)

// A change is all there or not at all, wherever the server is killed in it; and
// what was answered is there.
func TestKilledInTheMiddleOfChanges(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(t *testing.T) shape
	}{
		{"SQLite", func(*testing.T) shape { return shape{} }},
		{"SQLite and Redis", func(t *testing.T) shape { return shape{redis: redistest.Start(t)} }},
		{"PostgreSQL", func(t *testing.T) shape { return shape{database: pgtest.Start(t)} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rounds := size(10, 60)
			s := tc.make(t)
			s.users = rounds * crashUsers
			d := deploy(t, s)
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			chance := rand.New(rand.NewPCG(seed, 0))
			answered, open := 0, 0
			for round := range rounds {
				a, o := d.crash(round, chance)
				answered, open = answered+a, open+o
			}
			t.Logf("%d changes were answered, %d were cut off or not made", answered, open)
		})
	}
}

const (
	crashUsers    = 20 // of a round, each with a change of its own
	crashParallel = 4  // changes under way at once
)

// attempt is a change that was under way when the server was killed.
type attempt struct {
	name     string
	session  tokens // which it ends, or whose access token it does
	by       tokens
	make     func(*attempt) error
	whole    bool // the session ends, not the access token alone
	answered bool
}

// crash kills the server in the middle of changes, a moment after one of them
// has been answered, starts it again and looks at what is there.
func (d *deployment) crash(round int, chance *rand.Rand) (answered, open int) {
	d.t.Helper()
	p := d.auth[0]
	attempts := d.attempts(p, round)
	var workers sync.WaitGroup
	queue := make(chan *attempt, len(attempts))
	for _, a := range attempts {
		queue <- a
	}
	close(queue)
	done := make(chan struct{}, len(attempts))
	for range crashParallel {
		workers.Go(func() {
			for a := range queue {
				a.answered = a.make(a) == nil
				done <- struct{}{}
			}
		})
	}
	for range chance.IntN(len(attempts) - crashParallel) {
		<-done
	}
	time.Sleep(time.Duration(chance.Int64N(int64(2 * time.Millisecond))))
	p.Kill()
	workers.Wait()
	d.http.CloseIdleConnections()
	d.again(p)
	d.wantWhole(attempts)
	for _, a := range attempts {
		if a.answered {
			answered++
		}
	}
	return answered, len(attempts) - answered
}

// attempts are changes of a round's users, ready to be made.
func (d *deployment) attempts(p *server, round int) []*attempt {
	d.t.Helper()
	var all []*attempt
	for i := range crashUsers {
		user := userName(round*crashUsers + i)
		s, err := d.login(p, user, "spa")
		if err != nil {
			d.t.Fatal(err)
		}
		switch i % 5 {
		case 0:
			all = append(all, &attempt{name: "log out", session: s, whole: true,
				make: func(a *attempt) error { return d.logout(p, a.session.Access) }})
		case 1:
			all = append(all, &attempt{name: "revoke an access token", session: s,
				make: func(a *attempt) error { return d.revoke(p, "spa", a.session.Access) }})
		case 2:
			all = append(all, &attempt{name: "revoke a refresh token", session: s, whole: true,
				make: func(a *attempt) error { return d.revoke(p, "spa", a.session.Refresh) }})
		case 3:
			other, err := d.login(p, user, "spa")
			if err != nil {
				d.t.Fatal(err)
			}
			all = append(all, &attempt{name: "change the password", session: other, by: s, whole: true,
				make: func(a *attempt) error { return d.changePassword(p, a.by.Access, "another horse battery") }})
		case 4:
			newest, err := d.usedTwice(p, s)
			if err != nil {
				d.t.Fatal(err)
			}
			all = append(all, &attempt{name: "present a used refresh token", session: newest, by: s, whole: true,
				make: func(a *attempt) error {
					return d.refused(p, "spa", a.by.Refresh, http.StatusBadRequest, "invalid_grant")
				}})
		}
	}
	return all
}

// wantWhole wants each change to be all there, or not at all.
func (d *deployment) wantWhole(attempts []*attempt) {
	d.t.Helper()
	p := d.auth[0]
	there := d.consistent()
	for _, a := range attempts {
		c := claimsOf(d.t, a.session.Access)
		made := there.ended[c.SessionID] || there.tokens[c.ID]
		if a.answered && !made {
			d.t.Errorf("%s was answered, and is not there", a.name)
		}
		took, err := d.takes(p, a.session.Access)
		if err != nil || took == made {
			d.t.Errorf("%s: it is there: %v, and the access token is taken: %v, %v", a.name, made, took, err)
		}
		if made && a.whole {
			err = d.refused(p, "spa", a.session.Refresh, http.StatusBadRequest, "invalid_grant")
		} else {
			_, err = d.refresh(p, "spa", a.session.Refresh)
		}
		if err != nil {
			d.t.Errorf("%s: it is there: %v, and %v", a.name, made, err)
		}
		if a.name != "change the password" {
			continue
		}
		_, err = d.login(p, there.names[c.Subject], "spa")
		if (err != nil) != made {
			d.t.Errorf("%s: it is there: %v, and a login with the old one: %v", a.name, made, err)
		}
	}
}

// kept is what the database says has ended.
type kept struct {
	ended  map[string]bool   // sessions
	tokens map[string]bool   // access tokens
	names  map[string]string // of users, by subject
}

// consistent reads the database as it is, and wants every ending in it to have
// its entry and its audit row, and the other way round.
func (d *deployment) consistent() kept {
	d.t.Helper()
	ctx := context.Background()
	db, err := sqlstore.Open(ctx, sqlstore.Config{URL: d.database})
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close()
	k := kept{ended: map[string]bool{}, tokens: map[string]bool{}, names: map[string]string{}}

	rows := map[string]int{} // of the audit log
	events, err := db.Events(ctx, authserver.Page{})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range events {
		switch {
		case e.Result != "success":
		case slices.Contains([]string{"session.logout", "session.revoke", "refresh.reuse_detected"}, e.Act):
			rows["session "+e.SessionID]++
		case e.Act == "user.change_password":
			rows["password "+e.Subject]++
		case e.Act == "user.disable", e.Act == "user.set_roles":
			rows["user "+e.Subject]++
		case e.Act == "token.revoke":
			rows["tokens"]++
		}
	}
	entries, _, err := db.Revocations(ctx, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	sessions, users, raised, epochs := map[string]bool{}, map[string]int{}, map[string]int{}, map[string]int64{}
	for _, e := range entries {
		switch e.Kind {
		case authserver.KindSession:
			sessions[e.ID] = true
		case authserver.KindToken:
			k.tokens[e.ID] = true
		case authserver.KindUser:
			if e.SessionEpoch > 0 { // it alone was raised
				raised[e.ID]++
				continue
			}
			users[e.ID]++
			epochs[e.ID] = max(epochs[e.ID], e.Epoch)
		}
	}
	if len(k.tokens) != rows["tokens"] {
		d.t.Errorf("%d access tokens have an entry, %d an audit row", len(k.tokens), rows["tokens"])
	}
	list, _, err := db.Users(ctx, authserver.Page{})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, u := range list {
		k.names[u.Subject] = u.Username
		stones, _, err := db.Tombstones(ctx, u.Subject, authserver.Page{})
		if err != nil {
			d.t.Fatal(err)
		}
		for _, s := range stones {
			k.ended[s.SessionID] = true
			row := "session " + s.SessionID
			if s.Reason == authserver.ReasonPasswordChanged {
				row = "password " + u.Subject
			}
			if !sessions[s.SessionID] || rows[row] == 0 {
				d.t.Errorf("%s: a session ended by %s, its entry is there: %v, its audit rows: %d",
					u.Username, s.Reason, sessions[s.SessionID], rows[row])
			}
			delete(rows, "session "+s.SessionID)
		}
		if users[u.Subject] != rows["user "+u.Subject] || epochs[u.Subject] != u.Epoch {
			d.t.Errorf("%s: epoch %d, %d entries up to %d, %d audit rows",
				u.Username, u.Epoch, users[u.Subject], epochs[u.Subject], rows["user "+u.Subject])
		}
		if raised[u.Subject] != rows["password "+u.Subject] {
			d.t.Errorf("%s: the session epoch was raised by %d entries, with %d audit rows", u.Username, raised[u.Subject], rows["password "+u.Subject])
		}
		if !u.Active && users[u.Subject] == 0 {
			d.t.Errorf("%s is disabled without an entry", u.Username)
		}
	}
	if len(sessions) != len(k.ended) {
		d.t.Errorf("%d sessions have an entry, %d a tombstone", len(sessions), len(k.ended))
	}
	for row := range rows {
		if id, ok := strings.CutPrefix(row, "session "); ok && !k.ended[id] {
			d.t.Errorf("an audit row tells of a session that did not end")
		}
	}
	d.unbroken(ctx, db)
	return k
}

// unbroken wants the chains of the audit log to be whole.
func (d *deployment) unbroken(ctx context.Context, db *sqlstore.DB) {
	d.t.Helper()
	master, err := keys.NewMaster(secretKey)
	if err != nil {
		d.t.Fatal(err)
	}
	report, err := audit.Verify(ctx, db, master.AuditKeys())
	if err != nil {
		d.t.Fatal(err)
	}
	for _, f := range report.Faults {
		d.t.Errorf("the audit log: %s", f)
	}
}

// An operator's command that is killed has done all or nothing.
func TestKilledCommand(t *testing.T) {
	n := size(12, 100)
	d := deploy(t, shape{users: n})
	p := d.auth[0]
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	sessions := make([]tokens, n)
	for i := range n {
		s, err := d.login(p, userName(i), "spa")
		if err != nil {
			t.Fatal(err)
		}
		sessions[i] = s
	}
	began := time.Now()
	if _, err := d.operator(nil, "user", "show", userName(0)); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(began)
	killed := 0
	for i := range n {
		cmd := binary.Command(d.dir, d.env, "user", "disable", userName(i))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Most of what it does is to start.
		time.Sleep(whole/2 + time.Duration(chance.Int64N(int64(whole))))
		cmd.Process.Kill()
		if cmd.Wait() != nil {
			killed++
		}
	}
	time.Sleep(bound)
	d.consistent()
	disabled := 0
	for i, s := range sessions {
		took, err := d.takes(p, s.Access)
		if err != nil {
			t.Fatal(err)
		}
		if took {
			_, err = d.refresh(p, "spa", s.Refresh)
		} else {
			disabled++
			err = d.refused(p, "spa", s.Refresh, http.StatusBadRequest, "invalid_grant")
		}
		if err != nil {
			t.Errorf("%s, whose access token is taken: %v: %v", userName(i), took, err)
		}
	}
	t.Logf("%d of %d commands were killed, %d had disabled their user", killed, n, disabled)
}

// RSV-034: resource servers go on while the issuer is away, let nothing that has
// ended pass, and hear of what ended meanwhile as soon as it is back.
func TestKilledUnderItsFollowers(t *testing.T) {
	rounds := size(3, 20)
	d := deploy(t, shape{auth: 1, api: 2, users: 2*rounds + loadTokens})
	issuer := d.auth[0]
	var dead []string
	for round := range rounds {
		before, err := d.login(issuer, userName(2*round), "spa")
		if err != nil {
			t.Fatal(err)
		}
		during, err := d.login(issuer, userName(2*round+1), "spa")
		if err != nil {
			t.Fatal(err)
		}
		good, err := d.login(issuer, userName(2*rounds+round%loadTokens), "spa")
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(d.everywhere(before.Access, true), d.everywhere(during.Access, true)); err != nil {
			t.Fatal(err)
		}
		if err := d.logout(issuer, before.Access); err != nil {
			t.Fatal(err)
		}
		answered := time.Now()
		for _, p := range d.api {
			if took, err := d.refusal(p, before.Access, answered); err != nil || took > bound {
				t.Fatalf("%s: %v, %v", p.name, took, err)
			}
		}
		dead = append(dead, before.Access)

		issuer.Kill()
		if _, err := d.operator(nil, "user", "disable", userName(2*round+1)); err != nil {
			t.Fatal(err)
		}
		d.wantAtAPI(dead, false)
		d.wantAtAPI([]string{good.Access, during.Access}, true) // nobody can know yet
		d.again(issuer)
		back := time.Now()
		slowest := time.Duration(0)
		for _, p := range d.api {
			took, err := d.refusal(p, during.Access, back)
			if err != nil {
				t.Fatal(err)
			}
			slowest = max(slowest, took)
		}
		// It tries again after a second at most.
		if slowest > 2*bound {
			t.Errorf("what ended while the issuer was away is heard of after %v", slowest)
		}
		t.Logf("what ended while the issuer was away: refused %v after it was back", slowest.Round(time.Millisecond))
		dead = append(dead, during.Access)
		d.wantAtAPI(dead, false)
		d.wantAtAPI([]string{good.Access}, true)
	}
}

func (d *deployment) wantAtAPI(access []string, want bool) {
	d.t.Helper()
	for _, p := range d.api {
		for _, token := range access {
			if took, err := d.takes(p, token); err != nil || took != want {
				d.t.Errorf("RSV-034 %s takes a token: %v, %v; want %v", p.name, took, err, want)
			}
		}
	}
}

// A server is killed that others on its database and resource servers count on:
// they connect to the other one.
func TestOneOfTwoIsKilled(t *testing.T) {
	d := deploy(t, shape{auth: 2, api: 2, users: 16 + loadTokens})
	l := startLoad(d, 16, d.api)
	defer l.stop()
	for i := range 8 {
		gone, stays := d.auth[i%2], d.auth[1-i%2]
		s, err := d.login(stays, userName(i), "spa")
		if err != nil {
			t.Fatal(err)
		}
		gone.Kill()
		if err := d.logout(stays, s.Access); err != nil {
			t.Fatal(err)
		}
		answered := time.Now()
		for _, p := range append([]*server{stays}, d.api...) {
			took, err := d.refusal(p, s.Access, answered)
			if err != nil {
				t.Fatal(err)
			}
			if took > bound {
				t.Errorf("%s refuses %v after the answer", p.name, took)
			}
		}
		d.again(gone)
		if err := d.everywhere(s.Access, false); err != nil {
			t.Error(err)
		}
	}
	l.stop()
	l.report(t)
}
