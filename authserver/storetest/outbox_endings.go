package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/backchannel"
)

func outboxEndings(t *testing.T, db WithOutbox) {
	told(t, db)
	browser := sessionEnding("b", "sub", authserver.BrowserClientID)
	evicted := sessionEnding("evicted", "sub", "web")
	evicted.Reason = authserver.ReasonEvicted
	evictedBrowser := browser
	evictedBrowser.ID, evictedBrowser.Reason = "c", authserver.ReasonEvicted
	what := []authserver.Ending{
		browser, sessionEnding("s", "sub", "web"), sessionEnding("quiet", "sub", "silent"), sessionEnding("gone", "sub", "nobody"),
		evicted, evictedBrowser, {Kind: authserver.KindToken, ID: "jti", Subject: "sub", SessionID: "t", ClientID: "web"},
	}
	for range 2 {
		mustEnd(t, db, what...)
		same(t, []string{"logout evicted", "logout s", "sessions b"}, items(t, db))
	}
	list, _, err := db.Items(t.Context(), authserver.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		want := "web"
		if i.Kind == backchannel.KindSessions {
			want = "sub"
		}
		if i.Receiver != want || i.Tries != 0 || i.Claim != "" || time.Since(i.DueAt) > 10*time.Second || i.Facts == "" {
			t.Errorf("%+v", i)
		}
	}
	// Finished, it is not written again.
	claimed := claim(t, db, "all", nil)
	for _, i := range claimed {
		if err := db.FinishItem(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	mustEnd(t, db, what...)
	same(t, []string{}, items(t, db))
}

func outboxSessions(t *testing.T, db WithOutbox) {
	told(t, db)
	u := mustAdd(t, db, "alice", "alice@example.com")
	kept := authserver.Asker{Subject: u.Subject, SessionID: "kept", SessionEpoch: u.SessionEpoch}
	u, err := db.ChangeUser(t.Context(), u.Subject, authserver.UserChange{
		EndSessions: true, Keep: kept, End: []authserver.Ending{sessionEnding("listed", u.Subject, "web")}, Reason: authserver.ReasonPasswordChanged,
	}, event("user.change_password"))
	if err != nil {
		t.Fatal(err)
	}
	raised := fmt.Sprintf("sessions %s %d", u.Subject, u.SessionEpoch)
	same(t, []string{"logout listed", raised}, items(t, db))

	mustGrant(t, db, consent(u, "web", "read"))
	if err := db.Withdraw(t.Context(), u.Subject, "web", nil, event("consent.withdraw")); err != nil {
		t.Fatal(err)
	}
	taken, err := db.Consent(t.Context(), u.Subject, "web")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"logout listed", raised, fmt.Sprintf("sessions %s web %d", u.Subject, taken.Epoch)}
	same(t, want, items(t, db))

	at := now().Add(-time.Minute)
	for range 2 {
		err := db.TellEnded(t.Context(), []authserver.Ending{
			sessionEnding("listed", u.Subject, "web"), sessionEnding("found", u.Subject, "web"), sessionEnding("quiet", u.Subject, "silent"),
		}, at)
		if err != nil {
			t.Fatal(err)
		}
		same(t, slices.Insert(slices.Clone(want), 0, "logout found"), items(t, db))
	}
	f, err := db.Facts(t.Context(), authserver.Ask{SessionID: "found"})
	if err != nil || f.Ended == nil || !f.Ended.EndedAt.Equal(at) {
		t.Errorf("mark of what was found: %+v, %v", f.Ended, err)
	}
}

func outboxNobody(t *testing.T, db WithOutbox) {
	silent := newClient("silent")
	silent.BackchannelLogoutURI = ""
	mustAddClient(t, db, silent)
	u := mustAdd(t, db, "alice", "alice@example.com")
	mustGrant(t, db, consent(u, "silent", "read"))
	if err := db.Withdraw(t.Context(), u.Subject, "silent", nil, event("consent.withdraw")); err != nil {
		t.Fatal(err)
	}
	disabled := false
	if _, err := db.ChangeUser(t.Context(), u.Subject, authserver.UserChange{Active: &disabled, EndTokens: true, EndSessions: true}, event("user.disable")); err != nil {
		t.Fatal(err)
	}
	mustEnd(t, db, sessionEnding("b", u.Subject, authserver.BrowserClientID))
	same(t, []string{}, items(t, db))
	if n, oldest, err := db.WaitingItems(t.Context()); n != 0 || !oldest.IsZero() || err != nil {
		t.Errorf("%d wait since %v, %v", n, oldest, err)
	}
}

func outboxRolledBack(t *testing.T, db WithOutbox) {
	told(t, db)
	u := mustAdd(t, db, "alice", "alice@example.com")
	mustAdd(t, db, "bob", "bob@example.com")
	_, err := db.ChangeUser(t.Context(), u.Subject, authserver.UserChange{
		Username: ptr("bob"), EndSessions: true, End: []authserver.Ending{sessionEnding("s", u.Subject, "web")},
	}, event("user.change"))
	if !errors.Is(err, authserver.ErrUsernameTaken) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.End(ctx, []authserver.Ending{sessionEnding("s", u.Subject, "web")}, event("session.end")); err == nil {
		t.Fatal("it ended for a caller who had hung up")
	}
	same(t, []string{}, items(t, db))
}
