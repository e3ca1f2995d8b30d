package feed

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokenwright/tokenwright/authserver"
)

// Entries come out as they went in, whatever their ids are.
func TestEntriesArePacked(t *testing.T) {
	until := time.Now().Add(time.Hour).Truncate(time.Millisecond).UTC()
	id := authserver.NewID()[:21] + "A"
	var want []authserver.Revocation
	for _, r := range []authserver.Revocation{
		{Kind: authserver.KindToken, ID: id, Reason: authserver.ReasonRevoked, Resources: []string{"https://a", "https://b"}},
		{Kind: authserver.KindSession, ID: id, Reason: authserver.ReasonLogout},
		{Kind: authserver.KindSession, ID: id[:21] + "B"}, // not canonical
		{Kind: authserver.KindToken, ID: "short"},
		{Kind: authserver.KindToken, ID: strings.Repeat("long", 100), Resources: []string{"https://a"}},
		{Kind: authserver.KindUser, ID: id, Epoch: 7, SessionEpoch: 8, Kept: []string{"x"}, Reason: authserver.ReasonPasswordChanged},
		{Kind: authserver.KindClient, ID: "c"},
		{Kind: authserver.KindToken, ID: authserver.NewID(), Reason: authserver.ReasonRevoked, Resources: []string{"https://a", "https://b"}},
		{Kind: "kind of a later version", ID: id},
	} {
		r.Seq, r.Until = int64(10+3*len(want)), until
		want = append(want, r)
	}
	e := readOf(0, want...).entries
	for seq := int64(0); seq < 40; seq++ {
		var got, rest []authserver.Revocation
		for _, r := range want {
			if r.Seq > seq {
				rest = append(rest, r)
			}
		}
		e.all(e.after(seq), func(r authserver.Revocation) bool { got = append(got, r); return true })
		if diff := cmp.Diff(rest, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("after %d: %s", seq, diff)
		}
		if r, found := e.numbered(seq + 1); found != (len(rest) > 0 && rest[0].Seq == seq+1) || found && r.ID != rest[0].ID {
			t.Errorf("numbered %d: %v %v", seq+1, r, found)
		}
	}
	if len(e.rest) != 6 {
		t.Errorf("%d of %d are not packed, want 6", len(e.rest), len(want))
	}
}

// Of resources and reasons there may be any number.
func TestEntriesOfManyResources(t *testing.T) {
	var e entries
	for i := range 3000 {
		e.add(authserver.Revocation{
			Seq: int64(i + 1), Kind: authserver.KindToken, ID: authserver.NewID(), Resources: []string{fmt.Sprint("https://", i)}, Until: time.Now(),
		})
	}
	e.all(0, func(r authserver.Revocation) bool {
		if want := fmt.Sprint("https://", r.Seq-1); len(r.Resources) != 1 || r.Resources[0] != want {
			t.Fatalf("%d is for %q", r.Seq, r.Resources)
		}
		return true
	})
}

// What has left goes, and what a later entry covers; the rest stays in sequence.
func TestEntriesThatLive(t *testing.T) {
	now := time.Now()
	var e entries
	add := func(seq int64, kind authserver.Kind, id string, epoch int64, ends time.Duration) {
		e.add(authserver.Revocation{Seq: seq, Kind: kind, ID: id, SessionEpoch: epoch, Until: now.Add(ends)})
	}
	add(1, authserver.KindToken, authserver.NewID(), 0, -time.Second)
	add(2, authserver.KindToken, authserver.NewID(), 0, time.Hour)
	add(3, authserver.KindUser, "alice", 5, time.Hour) // covered by 6
	add(4, authserver.KindUser, "bob", 4, time.Hour)
	add(5, authserver.KindUser, "alice", 0, time.Hour) // her epoch
	add(6, authserver.KindUser, "alice", 6, time.Hour)
	add(7, authserver.KindKey, "k", 0, -time.Second)
	add(8, authserver.KindSession, authserver.NewID(), 0, time.Hour)
	var got []int64
	live := e.live(now)
	live.all(0, func(r authserver.Revocation) bool { got = append(got, r.Seq); return true })
	if diff := cmp.Diff([]int64{2, 4, 5, 6, 8}, got); diff != "" {
		t.Error(diff)
	}
	if few := live.live(now); len(few.list) != 5 || &few.list[0] != &live.list[0] {
		t.Error("what lives was copied")
	}
	add(9, authserver.KindKey, "k2", 0, time.Hour)
	if n := len(e.list); n != 9 {
		t.Errorf("%d entries", n)
	}
}
