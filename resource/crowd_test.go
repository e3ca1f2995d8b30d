package resource_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/resource"
)

// newID is an id as the issuer makes them.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Ids as the issuer makes them, and such as are nearly so, end what they name and
// nothing else.
func TestEndedByIDsOfTheIssuer(t *testing.T) {
	id := newID()[:21] + "A" // the last has two bits
	until := time.Now().Add(time.Hour)
	for name, other := range map[string]string{
		"itself":         id,
		"another":        newID(),
		"not canonical":  id[:21] + "B",
		"too short":      id[:21],
		"too long":       id + "A",
		"another letter": "+" + id[1:],
	} {
		e := resource.NewEnded()
		e.Ready()
		e.Apply(
			resource.Revocation{Kind: resource.KindSession, ID: id, Reason: "session", Until: until},
			resource.Revocation{Kind: resource.KindToken, ID: id, Reason: "token", Until: until},
		)
		for want, c := range map[string]resource.Claims{
			"token":   {ID: other, ClientID: id, Subject: "s", SessionID: "x", UserID: 1},
			"session": {ID: "x", ClientID: id, Subject: "s", SessionID: other, UserID: 1},
		} {
			reason, ended, err := e.Check(&c, id)
			if err != nil || ended != (name == "itself") || ended && reason != want {
				t.Errorf("%s: got %q %v %v", name, reason, ended, err)
			}
		}
		e.Apply(resource.Revocation{Kind: resource.KindToken, ID: other, Reason: "other", Until: until})
		if _, ended, _ := e.Check(&resource.Claims{ID: other, ClientID: "c", Subject: "c"}, "k"); !ended {
			t.Errorf("%s does not end", name)
		}
	}
}

func TestEndedByIDsOfTheIssuerLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := resource.NewEnded()
		e.Ready()
		id := newID()
		ended := func() bool {
			_, is, _ := e.Check(&resource.Claims{ID: id}, "k")
			return is
		}
		entry := func(id, reason string, ends time.Duration) resource.Revocation {
			return resource.Revocation{Kind: resource.KindToken, ID: id, Reason: reason, Until: time.Now().Add(ends)}
		}
		e.Apply(entry(id, "a", 90*time.Second), entry(id, "b", time.Minute)) // the second adds nothing
		for range 1000 {
			e.Apply(entry(newID(), "a", time.Minute))
		}
		time.Sleep(time.Minute)
		if e.Apply(); e.Len() != 1 || !ended() {
			t.Errorf("after a minute: %d entries, ended %v", e.Len(), ended())
		}
		time.Sleep(30 * time.Second)
		if ended() {
			t.Error("an entry that has left ends a token")
		}
		if e.Apply(entry(id, "a", time.Hour)); !ended() {
			t.Error("one that came again does not")
		}
		time.Sleep(30 * time.Second)
		if e.Apply(); e.Len() != 1 {
			t.Errorf("%d entries", e.Len())
		}
	})
}

// There is no bound on reasons, and none on until.
func TestEndedOfManyReasons(t *testing.T) {
	e := resource.NewEnded()
	e.Ready()
	for i := range 600 {
		id := newID()
		until := time.Now().Add(time.Hour)
		if i == 10 {
			until = time.Unix(1<<40, 0)
		}
		e.Apply(resource.Revocation{Kind: resource.KindSession, ID: id, Reason: fmt.Sprint(i), Until: until})
		reason, ended, err := e.Check(&resource.Claims{SessionID: id, UserID: 1}, "k")
		if !ended || reason != fmt.Sprint(i) || err != nil {
			t.Fatalf("reason %d: %q %v %v", i, reason, ended, err)
		}
	}
}

// An entry costs little, wherever it is.
func TestEndedIsSmall(t *testing.T) {
	const n, most = 200_000, 100
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	e := resource.NewEnded()
	e.Ready()
	before := heap()
	until := time.Now().Add(time.Hour)
	for range n / 1000 {
		e.Apply(entries(1000, until)...)
	}
	each := (heap() - before) / n
	t.Logf("%d bytes an entry", each)
	if each > most {
		t.Errorf("%d bytes an entry, want at most %d", each, most)
	}
	if e.Len() != n {
		t.Errorf("%d entries", e.Len())
	}
}

func entries(n int, until time.Time) []resource.Revocation {
	list := make([]resource.Revocation, n)
	for i := range list {
		list[i] = resource.Revocation{Kind: resource.KindToken, ID: newID(), Reason: "revoked", Until: until}
	}
	return list
}

// A snapshot that comes in parts takes nothing away before it is whole.
func TestSnapshotInParts(t *testing.T) {
	e := resource.NewEnded()
	until := time.Now().Add(time.Hour)
	entry := func(kind, id string) resource.Revocation {
		return resource.Revocation{Kind: kind, ID: id, Until: until}
	}
	stays, goes := newID(), newID()
	e.Apply(entry(resource.KindSession, stays), entry(resource.KindSession, goes), entry(resource.KindClient, "goes"))
	ended := func(sid, client string) bool {
		t.Helper()
		_, is, err := e.Check(&resource.Claims{SessionID: sid, ClientID: client, UserID: 1}, "k")
		if err != nil && !errors.Is(err, resource.ErrUnavailable) {
			t.Fatal(err)
		}
		return is
	}
	e.Ready()
	broken := e.Replacement()
	broken.Add(entry(resource.KindSession, newID()))
	next := e.Replacement()
	next.Add(entry(resource.KindSession, stays))
	next.Add(entry(resource.KindClient, "comes"))
	if !ended(stays, "") || !ended(goes, "") || !ended("", "goes") || e.Len() != 4 {
		t.Errorf("before it is whole something is missing: %d entries", e.Len())
	}
	next.Finish()
	if !ended(stays, "") || ended(goes, "") || ended("", "goes") || !ended("", "comes") || e.Len() != 2 {
		t.Errorf("when it is whole it is not all: %d entries", e.Len())
	}
}
