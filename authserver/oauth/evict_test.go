package oauth

import (
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
)

// What a raised session epoch has ended does not end a second time when the user
// has too many sessions.
func TestWhatAnEpochEndedIsNotEvicted(t *testing.T) {
	f := newFixture(t, func(d *Deps) { d.Settings.SessionsPerUser = 2 })
	f.login()
	second := f.login()
	subject := f.claims(second.AccessToken).Subject
	if _, err := f.db.ChangeUser(t.Context(), subject, authserver.UserChange{
		EndSessions: true, Reason: authserver.ReasonUserDisabled,
	}, authserver.Event{Act: "test"}); err != nil {
		t.Fatal(err)
	}
	f.login()
	f.login()
	if n := f.events("session.evict"); n != 0 {
		t.Errorf("%d sessions that had ended were evicted", n)
	}
	f.login()
	if n := f.events("session.evict"); n != 1 {
		t.Errorf("%d sessions were evicted, want the one that was too many", n)
	}
	stones, total, err := f.db.Tombstones(t.Context(), subject, authserver.Page{})
	if err != nil || total != 1 || stones[0].Reason != authserver.ReasonEvicted {
		t.Errorf("%d tombstones: %+v, %v", total, stones, err)
	}
}
