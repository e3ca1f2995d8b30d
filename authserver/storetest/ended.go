package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

func endAsked(t *testing.T, db Database) {
	subject := newSubject()
	var want []string
	for i := range 5 {
		e := ending(fmt.Sprint("s-", i))
		e.Subject = subject
		mustEnd(t, db, e, ending(fmt.Sprint("another's-", i)))
		want = append([]string{e.ID}, want...)
	}
	all, total, err := db.Tombstones(t.Context(), subject, authserver.Page{})
	if err != nil || total != 5 || len(all) != 5 {
		t.Fatalf("got %v of %d, %v; want 5", all, total, err)
	}
	var got []string
	for i, e := range all {
		got = append(got, e.SessionID)
		if d := time.Since(e.EndedAt); d < -time.Second || d > 10*time.Second || i > 0 && e.EndedAt.After(all[i-1].EndedAt) {
			t.Errorf("%s ended at %v", e.SessionID, e.EndedAt)
		}
		e.EndedAt = time.Time{}
		same(t, authserver.Tombstone{SessionID: e.SessionID, Subject: subject, ClientID: "web", Reason: authserver.ReasonLogout}, e)
	}
	slices.Sort(got) // several ended within one millisecond
	slices.Sort(want)
	same(t, want, got)
	sids := append(got, "another's-0", "none", "")
	for i := range 300 {
		sids = append(sids, fmt.Sprint("none-", i))
	}
	sids = append(sids, "another's-4")
	marks, err := db.Marks(t.Context(), sids)
	if err != nil || len(marks) != 7 || marks["another's-4"].Subject != "sub" {
		t.Errorf("got %d marks, %v; want 7", len(marks), err)
	}
	for _, e := range all {
		same(t, e, marks[e.SessionID])
	}
	if none, err := db.Marks(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("of none: %v, %v", none, err)
	}
	page, total, err := db.Tombstones(t.Context(), subject, authserver.Page{Limit: 2, Offset: 3})
	if err != nil || total != 5 {
		t.Errorf("a page: %d in all, %v; want 5", total, err)
	}
	same(t, all[3:], page)
	if none, total, err := db.Tombstones(t.Context(), "nobody", authserver.Page{}); err != nil || total != 0 || len(none) != 0 {
		t.Errorf("of nobody: %v, %d, %v", none, total, err)
	}
}

func endRaised(t *testing.T, db Database) {
	u := mustAdd(t, db, "alice", "alice@example.com")
	other := mustAdd(t, db, "bob", "bob@example.com")
	for _, c := range []authserver.UserChange{
		{EndSessions: true, Reason: authserver.ReasonUserDisabled},
		{EndTokens: true, Reason: authserver.ReasonRoleRemoved}, // ends no session
		{EndSessions: true, Keep: authserver.Asker{SessionID: "kept", SessionEpoch: u.SessionEpoch + 1}, Reason: authserver.ReasonPasswordChanged},
	} {
		if _, err := db.ChangeUser(t.Context(), u.Subject, c, event("user.change")); err != nil {
			t.Fatal(err)
		}
	}
	got, err := db.SessionEpochs(t.Context(), u.Subject)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if d := time.Since(got[i].EndedAt); d < -time.Second || d > 10*time.Second {
			t.Errorf("raised at %v", got[i].EndedAt)
		}
		got[i].EndedAt = time.Time{}
	}
	same(t, []authserver.SessionEpoch{
		{Epoch: u.SessionEpoch + 1, Reason: authserver.ReasonUserDisabled},
		{Epoch: u.SessionEpoch + 2, Kept: []string{"kept"}, Reason: authserver.ReasonPasswordChanged},
	}, got)
	if got, err := db.SessionEpochs(t.Context(), other.Subject); err != nil || len(got) != 0 {
		t.Errorf("another's: %v, %v", got, err)
	}
}
