//go:build proof

package revocation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

// REF-032: whatever Redis has forgotten or brings back, what has ended stays so,
// and the audit log says why each refresh was refused.
func TestRedisBringsNothingBack(t *testing.T) {
	for _, tc := range []struct {
		name string
		// after is done to Redis when all has ended, before to make that possible.
		before, after func(t *testing.T, s *redistest.Server, c *redis.Client)
		// of a session that has not ended
		live string
	}{
		{
			name: "restored from an older dump",
			before: func(t *testing.T, _ *redistest.Server, c *redis.Client) {
				if err := c.Save(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
			},
			after: func(_ *testing.T, s *redistest.Server, _ *redis.Client) { s.Stop(); s.Start() },
			live:  "recovered",
		},
		{
			name:  "restarted without persistence",
			after: func(_ *testing.T, s *redistest.Server, _ *redis.Client) { s.Stop(); s.Start() },
			live:  "unknown_session",
		},
		{
			name: "flushed",
			after: func(t *testing.T, _ *redistest.Server, c *redis.Client) {
				if err := c.FlushAll(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
			},
			live: "unknown_session",
		},
	} {
		t.Run("REF-032 "+tc.name, func(t *testing.T) {
			server := redistest.New(t, "")
			client := redis.NewClient(&redis.Options{Addr: server.Addr})
			defer client.Close()
			d := deploy(t, shape{auth: 2, redis: server.URL, users: kinds + 1, leaving: 1})

			made := d.prepareAll()
			good, err := d.login(d.auth[0], userName(kinds), "spa")
			if err != nil {
				t.Fatal(err)
			}
			if tc.before != nil {
				tc.before(t, server, client)
			}
			rotated, err := d.refresh(d.auth[0], "spa", good.Refresh) // which the dump does not know
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range made {
				if err := m.make(); err != nil {
					t.Fatalf("%s: %v", m.name, err)
				}
			}
			tc.after(t, server, client)
			time.Sleep(bound) // access tokens are given that
			for _, p := range d.auth {
				d.ready(p)
			}
			d.wantEnded(made)
			for i, p := range d.auth {
				if tc.live == "recovered" {
					if _, err := d.refresh(p, "spa", rotated.Refresh); err != nil {
						t.Errorf("a session that goes on: %v", err)
					}
					continue
				}
				if err := d.refused(p, "spa", rotated.Refresh, http.StatusBadRequest, "invalid_grant"); err != nil {
					t.Errorf("a session that Redis lost, try %d: %v", i, err)
				}
			}
			for _, p := range d.auth { // the last refusals are written when it ends
				p.stop(t)
			}
			d.wantReasons(made, rotated, tc.live)
		})
	}
}

// made is a session and how it ended.
type made struct {
	name   string
	make   func() error
	access string
	token  string // the newest refresh token
	client string
	status int
	code   string
	reason string // of the refusal of token, as the audit log has it
	act    string
}

// prepareAll opens a session for every way to end one.
func (d *deployment) prepareAll() []made {
	d.t.Helper()
	p := d.auth[0]
	open := func(i int, client string) tokens {
		d.t.Helper()
		s, err := d.login(p, userName(i), client)
		if err != nil {
			d.t.Fatal(err)
		}
		return s
	}
	refused := func(name string, s tokens, make func() error, reason string) made {
		return made{
			name: name, make: make, access: s.Access, token: s.Refresh, client: "spa",
			status: http.StatusBadRequest, code: "invalid_grant", reason: reason, act: "refresh.failure",
		}
	}
	var all []made
	s := open(0, "spa")
	all = append(all, refused("log out", s, func() error { return d.logout(p, s.Access) }, "ended"))
	r := open(1, "spa")
	all = append(all, refused("revoke", r, func() error { return d.revoke(p, "spa", r.Refresh) }, "ended"))

	first := open(2, "spa")
	third, err := d.usedTwice(p, first)
	if err != nil {
		d.t.Fatal(err)
	}
	all = append(all, refused("present a used refresh token", third, func() error {
		return d.refused(p, "spa", first.Refresh, http.StatusBadRequest, "invalid_grant")
	}, "ended"))

	here, elsewhere := open(3, "spa"), open(3, "spa")
	all = append(all, refused("change the password", elsewhere, func() error {
		return d.changePassword(p, here.Access, "another horse battery")
	}, "ended"))
	all = append(all, refused("set the password", open(4, "spa"), func() error {
		_, err := d.operator([]byte("another horse battery\n"), "user", "set-password", userName(4))
		return err
	}, "ended"))
	all = append(all, refused("disable the user", open(5, "spa"), func() error {
		_, err := d.operator(nil, "user", "disable", userName(5))
		return err
	}, "user_inactive"))
	all = append(all, refused("disable the user and enable again", open(6, "spa"), func() error {
		_, err := d.operator(nil, "user", "disable", userName(6))
		_, again := d.operator(nil, "user", "enable", userName(6))
		return errors.Join(err, again)
	}, "ended"))
	removed := refused("remove the client", open(7, leavingClient(0)), func() error {
		_, err := d.operator(nil, "client", "remove", leavingClient(0))
		return err
	}, "unknown_client")
	removed.client, removed.status, removed.code, removed.act = leavingClient(0), http.StatusUnauthorized, "invalid_client", "client.failure"
	return append(all, removed)
}

// wantEnded wants all refused, and refused again.
func (d *deployment) wantEnded(all []made) {
	d.t.Helper()
	for range 2 {
		for _, p := range d.auth {
			for _, m := range all {
				if err := d.refused(p, m.client, m.token, m.status, m.code); err != nil {
					d.t.Errorf("%s: %v", m.name, err)
				}
				if took, err := d.takes(p, m.access); err != nil || took {
					d.t.Errorf("%s: %s takes the access token: %v, %v", m.name, p.name, took, err)
				}
			}
		}
	}
}

// wantReasons wants the audit log to say why each was refused.
func (d *deployment) wantReasons(all []made, live tokens, liveReason string) {
	d.t.Helper()
	ctx := context.Background()
	db, err := sqlstore.Open(ctx, sqlstore.Config{URL: d.database})
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close()
	events, err := db.Events(ctx, authserver.Page{})
	if err != nil {
		d.t.Fatal(err)
	}
	counts := map[string]int{} // by act, reason and session
	for _, e := range events {
		times := max(1, int(e.Times))
		counts[fmt.Sprint(e.Act, " ", e.Reason, " ", e.SessionID)] += times
		counts[fmt.Sprint(e.Act, " ", e.Reason)] += times
		if e.SessionID != "" && e.Act == "refresh.failure" {
			counts["refresh.failure "+e.SessionID] += times
		}
	}
	want := 2 * len(d.auth)
	for _, m := range all {
		key := fmt.Sprint(m.act, " ", m.reason, " ", claimsOf(d.t, m.access).SessionID)
		if m.act == "client.failure" { // it has no session that is known
			key = fmt.Sprint(m.act, " ", m.reason)
		}
		if counts[key] != want {
			d.t.Errorf("%s: the audit log has %d rows %q, want %d", m.name, counts[key], key, want)
		}
		if n := counts["refresh.failure "+claimsOf(d.t, m.access).SessionID]; m.act == "refresh.failure" && n != want {
			d.t.Errorf("%s: %d refusals are in the audit log, want %d", m.name, n, want)
		}
	}
	sid := claimsOf(d.t, live.Access).SessionID
	if liveReason == "recovered" {
		if counts["refresh.recovered  "+sid] != 1 {
			d.t.Errorf("a session that Redis had lost writes of: %d rows refresh.recovered, want 1", counts["refresh.recovered  "+sid])
		}
		return
	}
	if n := counts["refresh.failure "+liveReason+" "+sid]; n != len(d.auth) {
		d.t.Errorf("a session that Redis had lost: %d rows with %s, want %d", n, liveReason, len(d.auth))
	}
}
