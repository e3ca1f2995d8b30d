package oauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sessions"
	"github.com/tokenwright/tokenwright/resource"
)

func (f *fixture) ended(subject string, p authserver.Page) ([]authserver.Tombstone, int) {
	f.t.Helper()
	ended, total, err := f.Endings.Ended(f.t.Context(), subject, p)
	if err != nil {
		f.t.Fatal(err)
	}
	return ended, total
}

// What has ended can be asked for, with when and why: each in its own way.
func TestEndedSessions(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	reasons := map[string]authserver.Reason{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	logout := f.claims(f.login().AccessToken)
	must(f.Endings.Logout(ctx, sessions.Of(logout)))
	reasons[logout.SessionID] = authserver.ReasonLogout

	reused := f.login("client_id=strict")
	f.rotate("strict", reused.RefreshToken)
	f.post(refreshForm("strict", reused.RefreshToken))
	reasons[f.claims(f.login().AccessToken).SessionID] = authserver.ReasonPasswordChanged
	kept := f.claims(f.login().AccessToken)
	must(f.ChangePassword(ctx, sessions.Of(kept), "correct horse alice", "a new and longer one"))

	if got, total := f.ended(kept.Subject, authserver.Page{}); total != 3 || len(got) != 3 {
		t.Errorf("after three: %d of %d", len(got), total)
	}
	// One row ends these; the session store still has them.
	more := f.claims(f.login("password=a new and longer one").AccessToken)
	must(f.Users.Disable(ctx, kept.Subject, "test"))
	reasons[kept.SessionID], reasons[more.SessionID] = authserver.ReasonUserDisabled, authserver.ReasonUserDisabled
	must(f.Users.Enable(ctx, kept.Subject, "test"))
	must(f.Users.SetPassword(ctx, kept.Subject, "yet another long one", "test")) // ends what has ended already
	alive := f.claims(f.login("password=yet another long one").AccessToken)

	got, total := f.ended(kept.Subject, authserver.Page{})
	if total != 5 || len(got) != 5 {
		t.Fatalf("got %d of %d, want 5", len(got), total)
	}
	for i, e := range got {
		want, ok := reasons[e.SessionID]
		if !ok {
			want = authserver.ReasonReuse
		}
		if e.Reason != want || e.Subject != kept.Subject || e.ClientID == "" || time.Since(e.EndedAt) > time.Minute {
			t.Errorf("got %+v, want %s", e, want)
		}
		if e.SessionID == alive.SessionID {
			t.Error("a live session is among the ended")
		}
		if i > 0 && e.EndedAt.After(got[i-1].EndedAt) {
			t.Error("not the last ended first")
		}
	}
	for offset := range 6 {
		page, total := f.ended(kept.Subject, authserver.Page{Limit: 2, Offset: offset})
		if want := got[min(offset, 5):min(offset+2, 5)]; total != 5 || !slices.Equal(page, want) {
			t.Errorf("from %d: got %v of %d, want %v", offset, page, total, want)
		}
	}
	if got, total := f.ended("nobody", authserver.Page{}); total != 0 || len(got) != 0 {
		t.Errorf("of nobody: %v", got)
	}
}

// REF-019: the access token of a session may outlive it for as long as a feed
// takes. What is asked with it then changes nothing.
func TestEndedSessionChangesNothing(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	c := f.claims(f.login().AccessToken)
	if err := f.Users.SetPassword(ctx, c.Subject, "a new and longer one", "test"); err != nil {
		t.Fatal(err)
	}
	owner := f.login("password=a new and longer one")
	for name, ask := range map[string]func(*resource.Claims) error{
		"POST /auth/logout":     func(c *resource.Claims) error { return f.Endings.Logout(ctx, sessions.Of(c)) },
		"DELETE /auth/sessions": func(c *resource.Claims) error { return f.Endings.EndOthers(ctx, sessions.Of(c)) },
		"DELETE /auth/sessions/{sid}": func(c *resource.Claims) error {
			return f.Endings.EndOne(ctx, sessions.Of(c), f.claims(owner.AccessToken).SessionID)
		},
		"POST /auth/password": func(c *resource.Claims) error {
			return f.ChangePassword(ctx, sessions.Of(c), "a new and longer one", "one of the thief's")
		},
	} {
		// Ended by an epoch, and by itself.
		marked := f.claims(f.login("password=a new and longer one").AccessToken)
		if err := f.Endings.Logout(ctx, sessions.Of(marked)); err != nil {
			t.Fatal(err)
		}
		rows := f.rows()
		for _, c := range []*resource.Claims{c, marked} {
			if err := ask(c); !errors.Is(err, authserver.ErrSessionEnded) {
				t.Errorf("%s: got %v, want %v", name, err, authserver.ErrSessionEnded)
			}
		}
		if now := f.rows(); now != rows {
			t.Errorf("%s wrote %v, where %v were", name, now, rows)
		}
		f.wantAccess(owner.AccessToken, true)
		owner = f.rotate("pub", owner.RefreshToken)
	}
}

// rows counts what endings write: entries, alice's tombstones and successes.
func (f *fixture) rows() (n [3]int) {
	f.t.Helper()
	ctx := f.t.Context()
	live, _, err := f.db.Revocations(ctx, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	u, err := f.db.UserByLogin(ctx, "alice")
	if err != nil {
		f.t.Fatal(err)
	}
	_, tombstones, err := f.db.Tombstones(ctx, u.Subject, authserver.Page{})
	if err != nil {
		f.t.Fatal(err)
	}
	n[0], n[1] = len(live), tombstones
	for _, act := range []string{"session.logout", "session.end", "session.end_others", "session.revoke"} {
		n[2] += f.events(act)
	}
	return n
}

// A refresh token whose session a raised epoch has ended is revoked already.
func TestRevokingWhatAnEpochEnded(t *testing.T) {
	f := newFixture(t)
	res := f.login()
	if err := f.Users.Disable(t.Context(), f.claims(res.AccessToken).Subject, "test"); err != nil {
		t.Fatal(err)
	}
	rows := f.rows()
	if err := f.Revoke(tokenForm("pub", res.RefreshToken)); err != nil {
		t.Fatal(err)
	}
	if now := f.rows(); now != rows {
		t.Errorf("it wrote %v, where %v were", now, rows)
	}
}

// A session is listed as live only if it would be refreshed, whatever the session
// store still has.
func TestOnlyWhatLivesIsListed(t *testing.T) {
	store := &silent{}
	f := newFixture(t, func(d *Deps) { store.SessionStore = d.Sessions; d.Sessions = store })
	ctx := t.Context()
	c := f.claims(f.login().AccessToken)
	listed := func(want int) {
		t.Helper()
		if live, total, err := f.Endings.List(ctx, c.Subject, authserver.Page{}); err != nil || total != want || len(live) != want {
			t.Errorf("%d of %d listed, %v; want %d", len(live), total, err, want)
		}
	}
	out := f.login()
	f.login("client_id=reader", "scope=read")
	listed(3)
	store.keeps = true // as if it could not be asked to drop
	if err := f.Endings.Logout(ctx, sessions.Of(f.claims(out.AccessToken))); err != nil {
		t.Fatal(err)
	}
	listed(2)
	if err := f.Clients.Remove(ctx, "reader", "test"); err != nil {
		t.Fatal(err)
	}
	listed(1)
}

// during is a session store that lets something happen just before a session is
// opened: after the login was decided on.
type during struct {
	authserver.SessionStore
	happen func()
}

func (d *during) Open(ctx context.Context, s authserver.Session, perUser int) ([]string, error) {
	if d.happen != nil {
		d.happen()
	}
	return d.SessionStore.Open(ctx, s, perUser)
}

// A login is answered only if what it was decided on still holds when its
// session is open.
func TestALoginUnderWay(t *testing.T) {
	store := &during{}
	f := newFixture(t, func(d *Deps) { store.SessionStore = d.Sessions; d.Sessions = store })
	ctx := t.Context()
	c := f.claims(f.login().AccessToken)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name   string
		happen func()
		want   Code
	}{
		{"all others are ended", func() { must(f.Endings.EndOthers(ctx, sessions.Of(c))) }, CodeInvalidGrant},
		{"the user is disabled and enabled again", func() {
			must(f.Users.Disable(ctx, c.Subject, "test"))
			must(f.Users.Enable(ctx, c.Subject, "test"))
		}, CodeInvalidGrant},
		{"a role is taken away", func() {
			must(f.Users.SetRoles(ctx, c.Subject, nil, "test"))
			must(f.Users.SetRoles(ctx, c.Subject, []string{"user"}, "test"))
		}, CodeInvalidGrant},
		{"the client loses the grant", func() {
			pub, err := f.db.Client(ctx, "pub")
			must(err)
			pub.Grants = []string{authserver.GrantRefreshToken}
			must(f.db.ReplaceClient(ctx, pub, authserver.Event{Act: "test"}))
		}, CodeInvalidClient},
	} {
		store.happen = tc.happen
		_, err := f.post(passwordForm)
		wantCode(t, err, tc.want)
		if live, _, err := f.db.Sessions(ctx, c.Subject, authserver.Page{}); err != nil || len(live) > 1 {
			t.Errorf("%s: %d sessions are there, %v", tc.name, len(live), err)
		}
	}
}

// One second after all others were ended, no access token of another session
// works, whenever that was opened.
func TestLoginsWhileAllOthersEnd(t *testing.T) {
	f := newFixture(t, func(d *Deps) { d.Settings.SessionsPerUser = 0 }) // or the one that asks is evicted
	own := f.claims(f.login().AccessToken)
	var (
		mu     sync.Mutex
		got    []string
		logins sync.WaitGroup
		ended  atomic.Bool
	)
	for range 4 {
		logins.Go(func() {
			for !ended.Load() {
				res, err := f.post(passwordForm)
				if err != nil {
					continue
				}
				mu.Lock()
				got = append(got, res.AccessToken)
				mu.Unlock()
			}
		})
	}
	for range 20 {
		if err := f.Endings.EndOthers(t.Context(), sessions.Of(own)); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	before := len(got)
	mu.Unlock()
	ended.Store(true)
	logins.Wait()
	user, err := f.db.User(t.Context(), own.Subject)
	if err != nil {
		t.Fatal(err)
	}
	epoch := user.SessionEpoch
	for i, token := range got[:before] {
		if c, err := f.verifier.Verify(t.Context(), token); err == nil && c.SessionEpoch < epoch {
			t.Errorf("token %d of session epoch %d lives after %d", i, c.SessionEpoch, epoch)
		}
	}
	if len(got) == 0 {
		t.Error("nobody logged in meanwhile")
	}
}

// silent is a session store that cannot be asked once it is set.
type silent struct {
	authserver.SessionStore
	away  bool
	keeps bool // what it is told to drop
}

func (s *silent) err() error {
	if s.away {
		return authserver.ErrUnavailable
	}
	return nil
}

func (s *silent) Session(ctx context.Context, id string) (authserver.Session, error) {
	if err := s.err(); err != nil {
		return authserver.Session{}, err
	}
	return s.SessionStore.Session(ctx, id)
}

func (s *silent) Sessions(ctx context.Context, subject string, p authserver.Page) ([]authserver.Session, int, error) {
	if err := s.err(); err != nil {
		return nil, 0, err
	}
	return s.SessionStore.Sessions(ctx, subject, p)
}

func (s *silent) Drop(ctx context.Context, id string) error {
	if err := s.err(); err != nil || s.keeps {
		return err
	}
	return s.SessionStore.Drop(ctx, id)
}

// What has ended is the database's to say: it needs no session store.
func TestEndingsWithoutTheSessionStore(t *testing.T) {
	for name, tc := range map[string]struct {
		end  func(f *fixture, res Response) error
		ends bool // the session that asks, else all others
	}{
		"logout": {func(f *fixture, res Response) error {
			return f.Endings.Logout(t.Context(), sessions.Of(f.claims(res.AccessToken)))
		}, true},
		"revocation": {func(f *fixture, res Response) error { return f.Revoke(tokenForm("pub", res.RefreshToken)) }, true},
		"end all others": {func(f *fixture, res Response) error {
			return f.Endings.EndOthers(t.Context(), sessions.Of(f.claims(res.AccessToken)))
		}, false},
		"password": {func(f *fixture, res Response) error {
			return f.ChangePassword(t.Context(), sessions.Of(f.claims(res.AccessToken)), "correct horse alice", "a new and longer one")
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			store := &silent{}
			f := newFixture(t, func(d *Deps) { store.SessionStore = d.Sessions; d.Sessions = store })
			asks, other := f.login(), f.login()
			store.away = true
			if err := tc.end(f, asks); err != nil {
				t.Fatal(err)
			}
			store.away = false
			ended, lives := other, asks
			if tc.ends {
				ended, lives = asks, other
			}
			f.wantAccess(ended.AccessToken, false)
			f.wantAccess(lives.AccessToken, true)
			_, err := f.post(refreshForm("pub", ended.RefreshToken))
			wantCode(t, err, CodeInvalidGrant)
			f.rotate("pub", lives.RefreshToken)
		})
	}
}

// A user of very many sessions can end them, and log in where fewer are allowed.
func TestVeryManySessions(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	res := f.login()
	own := f.claims(res.AccessToken)
	session, err := f.db.Session(ctx, own.SessionID)
	if err != nil {
		t.Fatal(err)
	}
	const n = 300
	for i := range n {
		session.ID = fmt.Sprintf("session-%d", i)
		if _, err := f.db.Open(ctx, session, 0); err != nil {
			t.Fatal(err)
		}
	}
	entries := func() int {
		live, _, err := f.db.Revocations(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		return len(live)
	}
	f.login() // 202 too many
	if n := entries(); n == 0 || n > 100 {
		t.Errorf("a login evicted %d, want some of them", n)
	}
	before := entries()
	if err := f.Endings.EndOthers(ctx, sessions.Of(own)); err != nil {
		t.Fatal(err)
	}
	if n := entries() - before; n < 1 || n > 101 {
		t.Errorf("ending all others made %d entries", n)
	}
	if live, total, err := f.Endings.List(ctx, own.Subject, authserver.Page{}); err != nil || total != 1 || live[0].ID != own.SessionID {
		t.Errorf("%d live, %v; want the one that asked", total, err)
	}
}

// A session that one raising keeps ends with the next that does not.
func TestKeptSessionEndsLater(t *testing.T) {
	f := newFixture(t)
	c := f.claims(f.login().AccessToken)
	if err := f.Endings.EndOthers(t.Context(), sessions.Of(c)); err != nil {
		t.Fatal(err)
	}
	if got, _ := f.ended(c.Subject, authserver.Page{}); len(got) != 0 {
		t.Errorf("the kept session has ended: %v", got)
	}
	if err := f.Users.SetPassword(t.Context(), c.Subject, "a new and longer one", "test"); err != nil {
		t.Fatal(err)
	}
	got, _ := f.ended(c.Subject, authserver.Page{})
	if len(got) != 1 || got[0].SessionID != c.SessionID || got[0].Reason != authserver.ReasonPasswordChanged {
		t.Errorf("got %v, want the session, for its password's change", got)
	}
}
