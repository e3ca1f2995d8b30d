package oauth

import (
	"slices"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
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
	must(f.Endings.Logout(ctx, logout))
	reasons[logout.SessionID] = authserver.ReasonLogout

	reused := f.login("client_id=strict")
	f.rotate("strict", reused.RefreshToken)
	f.post(refreshForm("strict", reused.RefreshToken))
	reasons[f.claims(f.login().AccessToken).SessionID] = authserver.ReasonPasswordChanged
	kept := f.claims(f.login().AccessToken)
	must(f.ChangePassword(ctx, kept, "correct horse alice", "a new and longer one"))

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
// takes. What is asked with it then does not bring the session back.
func TestEndedSessionKeepsNothing(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	res := f.login()
	c := f.claims(res.AccessToken)
	for _, step := range []struct {
		name string
		ask  func() error
	}{
		{"DELETE /auth/sessions", func() error { return f.Endings.EndOthers(ctx, c) }},
		{"POST /auth/password", func() error { return f.ChangePassword(ctx, c, "correct horse alice", "a new and longer one") }},
	} {
		if err := f.Users.Disable(ctx, c.Subject, "test"); err != nil {
			t.Fatal(err)
		}
		if err := f.Users.Enable(ctx, c.Subject, "test"); err != nil {
			t.Fatal(err)
		}
		if err := step.ask(); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		_, err := f.post(refreshForm("pub", res.RefreshToken))
		wantCode(t, err, CodeInvalidGrant)
	}
}

// A session that one raising keeps ends with the next that does not.
func TestKeptSessionEndsLater(t *testing.T) {
	f := newFixture(t)
	c := f.claims(f.login().AccessToken)
	if err := f.Endings.EndOthers(t.Context(), c); err != nil {
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
