package sqlstore_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/storetest"
)

func TestChains(t *testing.T) {
	storetest.Chains(t, func(t *testing.T) (a, b storetest.Chained) {
		path := filepath.Join(t.TempDir(), "test.db")
		return open(t, path), open(t, path)
	})
}

// However short sessions live, it can be asked for 30 days why one has ended.
func TestEndedIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openNew(t)
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(d.RaiseLifetimes(ctx, time.Minute, time.Hour))
		must(d.End(ctx, []authserver.Ending{{Kind: authserver.KindSession, ID: "sid", Subject: "sub", Reason: authserver.ReasonLogout}}, authserver.Event{}))
		_, err := d.AddUser(ctx, authserver.NewUser{User: authserver.User{Subject: "sub", Username: "alice", Email: "a@example.com"}}, authserver.Event{})
		must(err)
		_, err = d.ChangeUser(ctx, "sub", authserver.UserChange{EndSessions: true, Reason: authserver.ReasonUserDisabled}, authserver.Event{})
		must(err)

		remembered := func(want int) {
			t.Helper()
			must(d.Sweep(ctx))
			_, ended, err := d.Tombstones(ctx, "sub", authserver.Page{})
			must(err)
			epochs, err := d.SessionEpochs(ctx, "sub")
			must(err)
			if ended != want || len(epochs) != want {
				t.Errorf("%d tombstones and %d epochs, want %d of each", ended, len(epochs), want)
			}
		}
		time.Sleep(30 * 24 * time.Hour)
		remembered(1)
		time.Sleep(2 * time.Minute)
		remembered(0)
	})
}

func lastRows(t *testing.T, d *sqlstore.DB) {
	for i, e := range []authserver.Event{
		{Act: "login.success", Actor: "alice", Subject: "alice"},
		{Act: "user.disable", Actor: "cli", Subject: "bob"},
		{Act: "login.failure", Subject: "alice"},
		{Act: "user.rename", Actor: "alice", Subject: "bob"},
	} {
		if err := d.Record(t.Context(), e); err != nil {
			t.Fatal(i, err)
		}
	}
	for _, tc := range []struct {
		name  string
		query sqlstore.EventQuery
		want  []int64
	}{
		{"all", sqlstore.EventQuery{}, []int64{4, 3, 2, 1}},
		{"the newest", sqlstore.EventQuery{Limit: 2}, []int64{4, 3}},
		{"of one act", sqlstore.EventQuery{Act: "login.failure"}, []int64{3}},
		{"of one user, by whom or to whom", sqlstore.EventQuery{Subject: "alice"}, []int64{4, 3, 1}},
		{"of both", sqlstore.EventQuery{Act: "user.rename", Subject: "bob", Limit: 5}, []int64{4}},
		{"of none", sqlstore.EventQuery{Act: "login"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rows, err := d.LastRows(t.Context(), tc.query)
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, r := range rows {
				got = append(got, r.ID)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// Retention looks at the rows that it may remove in one portion, and at no
// others: a table that it does not keep up with would else stop it for ever.
func TestRetentionLooksAtAPortion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	open(t, path)
	rows, err := raw(t, path).QueryContext(t.Context(), "explain query plan "+sqlstore.FirstKept, 0, 1000, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(detail, "SEARCH events") || !strings.HasSuffix(detail, "(id>? AND id<?)") {
			t.Errorf("plan is %q", detail)
		}
	}
}
