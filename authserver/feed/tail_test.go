package feed

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/resource"
)

func newTail(t testing.TB) (*Tail, *sqlstore.DB, *resource.Ended) {
	t.Helper()
	db, err := sqlstore.Open(context.Background(), sqlstore.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	ended := resource.NewEnded()
	return New(db, ended, 0, slog.New(slog.DiscardHandler)), db, ended
}

func end(t testing.TB, db *sqlstore.DB, kind authserver.Kind, id string, resources ...string) {
	t.Helper()
	err := db.End(context.Background(), []authserver.Ending{{
		Kind: kind, ID: id, Reason: authserver.ReasonRevoked, Resources: resources,
	}}, authserver.Event{Act: "test"})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSyncAppliesWhatWasCommitted(t *testing.T) {
	tail, db, ended := newTail(t)
	ctx := context.Background()
	claims := &resource.Claims{ID: "j1", SessionID: "s1", UserID: 1}
	if _, _, err := ended.Check(claims, "k"); !errors.Is(err, resource.ErrUnavailable) {
		t.Errorf("RSV-042 before the first Sync: %v", err)
	}
	if err := tail.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	if _, is, err := ended.Check(claims, "k"); is || err != nil {
		t.Errorf("nothing has ended: %v, %v", is, err)
	}
	end(t, db, authserver.KindSession, "s1")
	tail.Changed(ctx)
	if reason, is, err := ended.Check(claims, "k"); !is || err != nil || reason != "revoked" {
		t.Errorf("the session has ended: %q, %v, %v", reason, is, err)
	}
}

// Whatever the order in which parallel reads finish, each entry is there once.
func TestParallelSyncsLoseNothing(t *testing.T) {
	tail, db, _ := newTail(t)
	const n = 50
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			end(t, db, authserver.KindToken, fmt.Sprint("j", i))
			tail.Changed(context.Background())
		})
	}
	wg.Wait()
	v := tail.view.Load()
	if len(v.list) != n || v.head != n {
		t.Fatalf("%d entries, head %d", len(v.list), v.head)
	}
	for i, e := range v.list {
		if e.seq != int64(i+1) {
			t.Fatalf("entry %d has number %d", i, e.seq)
		}
	}
}

// A read that was begun earlier and ends later takes nothing back; a restored
// database does.
func TestALateReadTakesNothingBack(t *testing.T) {
	tail, _, _ := newTail(t)
	until := time.Now().Add(time.Hour)
	one, two := authserver.Revocation{Seq: 1, Until: until}, authserver.Revocation{Seq: 2, Until: until}
	tail.extend(readOf(2, one, two), false)
	tail.extend(readOf(1, one), false)
	if v := tail.view.Load(); v.head != 2 || len(v.list) != 2 {
		t.Errorf("head %d with %d entries", v.head, len(v.list))
	}
	tail.extend(readOf(1, one), true)
	if v := tail.view.Load(); v.head != 1 || len(v.list) != 1 {
		t.Errorf("restored: head %d with %d entries", v.head, len(v.list))
	}
}

func readOf(head int64, list ...authserver.Revocation) read {
	r := read{head: head}
	for _, e := range list {
		r.add(e)
	}
	return r
}

// replaced is the log of a database that another copy takes the place of.
type replaced struct{ authserver.RevocationLog }

// A standby that takes over without the last entries gives their numbers anew;
// what it then ends has ended here and at followers, even if it has come as far
// as the one before by the time that it is asked.
func TestNumbersThatAreGivenAgain(t *testing.T) {
	tail, db, ended := newTail(t)
	_, standby, _ := newTail(t)
	ctx := context.Background()
	log := &replaced{db}
	tail.log = log
	end(t, db, authserver.KindSession, "s1")
	end(t, standby, authserver.KindSession, "s1")
	end(t, db, authserver.KindSession, "lost1")
	end(t, db, authserver.KindSession, "lost2")
	if err := tail.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	events, _ := follow(t, tail, "1")
	for range 2 { // lost1, lost2
		<-events
	}

	log.RevocationLog = standby
	end(t, standby, authserver.KindSession, "new2")
	end(t, standby, authserver.KindSession, "new3") // as far as the one before
	if err := tail.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	if e := <-events; e.name != "snapshot" || e.id != "3" || !strings.Contains(e.data, "new2") {
		t.Errorf("the follower hears %+v", e)
	}
	end(t, standby, authserver.KindSession, "new4")
	if err := tail.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	if e := <-events; e.name != "revoke" || e.id != "4" {
		t.Errorf("the follower hears %+v", e)
	}
	for _, id := range []string{"s1", "lost2", "new2", "new3", "new4"} {
		if _, is, _ := ended.Check(&resource.Claims{SessionID: id, UserID: 1}, "k"); !is {
			t.Errorf("%s is good", id)
		}
	}
	late, _ := follow(t, tail, "3")
	if e := <-late; e.name != "snapshot" {
		t.Errorf("a follower of who knows which copy hears %+v", e)
	}
}

// event is one server-sent event as a follower reads it.
type event struct{ name, id, copy, data string }

func always(context.Context) bool { return true }

// follow returns the events of a follower of the version before, and what ends
// it.
func follow(t testing.TB, tail *Tail, last string, resources ...string) (<-chan event, func()) {
	t.Helper()
	return followAs(t, tail, last, "", resources...)
}

// followAs is follow with a query.
func followAs(t testing.TB, tail *Tail, last, query string, resources ...string) (<-chan event, func()) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tail.Follow(w, r, Serves(resources), always)
	}))
	ctx, cancel := context.WithCancel(context.Background())
	req, _ := http.NewRequestWithContext(ctx, "GET", srv.URL+"/?"+query, nil)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	events := make(chan event, 100)
	go func() {
		defer close(events)
		var e event
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				e.name = value
			case "id":
				e.id = value
			case "copy":
				e.copy = value
			case "data":
				e.data = value
			case "":
				events <- e
				e = event{}
			}
		}
	}()
	stop := func() { cancel(); res.Body.Close(); srv.Close() }
	t.Cleanup(stop)
	return events, stop
}

// RSV-041: a snapshot with what the follower serves, then each entry as it comes.
func TestFollow(t *testing.T) {
	tail, db, _ := newTail(t)
	ctx := context.Background()
	end(t, db, authserver.KindSession, "mine", "https://a")
	end(t, db, authserver.KindSession, "others", "https://b")
	end(t, db, authserver.KindSession, "anyones")
	if err := tail.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	events, _ := follow(t, tail, "", "https://a", "https://c")
	first := <-events
	if first.name != "snapshot" || first.id != "3" || !strings.HasPrefix(first.data, "[") ||
		!strings.Contains(first.data, `"mine"`) || strings.Contains(first.data, `"others"`) || !strings.Contains(first.data, `"anyones"`) {
		t.Fatalf("got %+v", first)
	}
	end(t, db, authserver.KindToken, "not mine", "https://b")
	end(t, db, authserver.KindToken, "j1", "https://c")
	tail.Changed(ctx)
	next := <-events
	if next.name != "revoke" || next.id != "5" || !strings.HasPrefix(next.data, `{"seq":5,"kind":"token","id":"j1","reason":"revoked","until":`) {
		t.Errorf("got %+v", next)
	}
}

// A long snapshot comes in parts that any follower reads, and in one for a follower
// of the version before: each entry once.
func TestALongSnapshot(t *testing.T) {
	tail, db, _ := newTail(t)
	ctx := context.Background()
	const n = 2000
	var what []authserver.Ending
	for range n {
		what = append(what, authserver.Ending{Kind: authserver.KindToken, ID: authserver.NewID(), Reason: authserver.ReasonRevoked, Resources: []string{"https://a"}})
	}
	for some := range slices.Chunk(what, 100) { // a transaction has so much time and no more
		if err := db.End(ctx, some, authserver.Event{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := tail.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	for query, parts := range map[string]bool{"copy=": true, "": false} {
		res := httptest.NewRecorder()
		ctx, cancel := context.WithCancel(ctx)
		stops := func(context.Context) bool { cancel(); return true }
		tail.Follow(writer{res}, httptest.NewRequestWithContext(ctx, "GET", "/?"+query, nil), Serves([]string{"https://a"}), stops)
		var names []string
		seen := map[string]bool{}
		for block := range strings.SplitSeq(strings.TrimSuffix(res.Body.String(), "\n\n"), "\n\n") {
			var name string
			for line := range strings.SplitSeq(block, "\n") {
				field, value, _ := strings.Cut(line, ": ")
				if field == "event" {
					name = value
					names = append(names, name)
				}
				if parts && len(line) > 64<<10 {
					t.Errorf("a line of %d bytes", len(line))
				}
				if field != "data" {
					continue
				}
				var list []entry
				if err := json.Unmarshal([]byte(value), &list); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				for _, e := range list {
					if seen[e.ID] {
						t.Fatalf("%s came twice", e.ID)
					}
					seen[e.ID] = true
				}
			}
		}
		if len(seen) != n || (len(names) > 3) != parts || names[len(names)-1] != "snapshot" || !parts && len(names) != 1 {
			t.Errorf("%q: %d entries in %v", query, len(seen), names)
		}
	}
}

// A follower that does not know of session epochs reads the epoch: it must be
// there, and no lower than before.
func TestFollowRaisedSessionEpochs(t *testing.T) {
	tail, db, ended := newTail(t)
	ctx := context.Background()
	alice, err := db.AddUser(ctx, authserver.NewUser{User: authserver.User{Subject: "alice", Username: "alice"}}, authserver.Event{})
	if err != nil {
		t.Fatal(err)
	}
	if err := tail.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	events, _ := follow(t, tail, "0")
	var users []authserver.User
	for _, step := range []struct {
		change authserver.UserChange
		want   func(u authserver.User) string
	}{
		{
			authserver.UserChange{EndSessions: true, Keep: authserver.Asker{SessionID: "mine"}, Reason: authserver.ReasonLogout},
			func(u authserver.User) string {
				return fmt.Sprintf(`{"seq":1,"kind":"user","id":"alice","epoch":0,"session_epoch":%d,"kept":["mine"],"reason":"logout","until":`, u.SessionEpoch)
			},
		},
		{
			authserver.UserChange{EndTokens: true},
			func(u authserver.User) string {
				return fmt.Sprintf(`{"seq":2,"kind":"user","id":"alice","epoch":%d,"reason":"","until":`, u.Epoch)
			},
		},
		{
			authserver.UserChange{EndSessions: true},
			func(u authserver.User) string {
				return fmt.Sprintf(`{"seq":3,"kind":"user","id":"alice","epoch":%d,"session_epoch":%d,"reason":"","until":`, u.Epoch, u.SessionEpoch)
			},
		},
	} {
		u, err := db.ChangeUser(ctx, alice.Subject, step.change, authserver.Event{})
		if err != nil {
			t.Fatal(err)
		}
		users = append(users, u)
		tail.Changed(ctx)
		if e, want := <-events, step.want(u); !strings.HasPrefix(e.data, want) {
			t.Errorf("got %+v, want %s", e, want)
		}
	}
	claims := resource.Claims{Subject: "alice", UserID: 1, Epoch: users[1].Epoch, SessionEpoch: users[0].SessionEpoch, SessionID: "mine"}
	if _, is, _ := ended.Check(&claims, "k"); !is {
		t.Error("a session that is kept no more is good")
	}
}

func TestLastEventID(t *testing.T) {
	tail, db, _ := newTail(t)
	for i := range 3 {
		end(t, db, authserver.KindToken, fmt.Sprint("j", i))
	}
	if err := tail.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	for last, want := range map[string]string{
		"1":       "revoke 2 revoke 3",
		"0":       "revoke 1 revoke 2 revoke 3",
		"4":       "snapshot 3", // of a database that is no longer there
		"-1":      "snapshot 3",
		"garbage": "snapshot 3",
	} {
		events, stop := follow(t, tail, last)
		var got []string
		for range len(strings.Fields(want)) / 2 {
			e := <-events
			got = append(got, e.name, e.id)
		}
		stop()
		if s := strings.Join(got, " "); s != want {
			t.Errorf("Last-Event-ID %s: got %s, want %s", last, s, want)
		}
	}
}

// A number is of one copy of the database. Who comes from another with it gets a
// snapshot, and who comes back goes on.
func TestResumingInAnotherCopy(t *testing.T) {
	one, db, _ := newTail(t)
	two, restored, _ := newTail(t)
	ctx := context.Background()
	for i := range 3 {
		end(t, db, authserver.KindSession, fmt.Sprint("one", i))
		end(t, restored, authserver.KindSession, fmt.Sprint("two", i))
	}
	for _, tail := range []*Tail{one, two} {
		if err := tail.Sync(ctx); err != nil {
			t.Fatal(err)
		}
	}
	events, _ := followAs(t, one, "", "copy=")
	at := <-events
	if at.name != "snapshot" || at.id != "3" || at.copy == "" {
		t.Fatalf("got %+v", at)
	}
	end(t, db, authserver.KindSession, "one3")
	one.Changed(ctx)
	next := <-events
	if next.name != "revoke" || next.copy == "" || next.copy == at.copy {
		t.Fatalf("got %+v", next)
	}
	for _, tc := range []struct {
		name       string
		tail       *Tail
		last, copy string
		want       string
	}{
		{"another copy that is as far", two, at.id, at.copy, "snapshot 3"},
		{"another copy that is behind", two, next.id, next.copy, "snapshot 3"},
		{"the same copy", one, at.id, at.copy, "revoke 4"},
		{"a mark of another entry", one, at.id, next.copy, "snapshot 4"},
		{"no mark", one, at.id, "", "snapshot 4"},
		{"no mark at the start", one, "0", "", "snapshot 4"},
	} {
		events, stop := followAs(t, tc.tail, tc.last, "copy="+tc.copy)
		if e := <-events; e.name+" "+e.id != tc.want {
			t.Errorf("%s: got %s %s, want %s", tc.name, e.name, e.id, tc.want)
		}
		stop()
	}
}

// Who has heard more from another server than this one has read misses nothing.
func TestAServerThatIsBehindItsFollower(t *testing.T) {
	ahead, db, _ := newTail(t)
	behind := New(db, resource.NewEnded(), 0, slog.New(slog.DiscardHandler))
	ctx := context.Background()
	end(t, db, authserver.KindSession, "s1")
	if err := behind.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	end(t, db, authserver.KindSession, "s2")
	if err := ahead.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	events, _ := followAs(t, ahead, "", "copy=")
	at := <-events
	events, _ = followAs(t, behind, at.id, "copy="+at.copy)
	end(t, db, authserver.KindSession, "s3")
	behind.Changed(ctx)
	if e := <-events; e.name != "revoke" || e.id != "3" {
		t.Errorf("got %+v", e)
	}
}

// A copy that took the place of a database whose last entry had left is known by
// its entry of that number.
func TestAnotherCopyLaterOn(t *testing.T) {
	now := time.Now()
	key := func(seq int64, ends time.Duration) authserver.Revocation {
		return authserver.Revocation{Seq: seq, Kind: authserver.KindKey, ID: "a", Until: now.Add(ends)}
	}
	viewOf := func(e authserver.Revocation) *view { return &view{head: 7, entries: readOf(7, e).entries} }
	v := viewOf(key(7, -time.Hour))
	if v.continues(readOf(7, key(7, time.Hour))) {
		t.Error("an entry that had left is live, and the copy is the same")
	}
	if !v.continues(readOf(7)) || !v.continues(readOf(8, key(8, time.Hour))) {
		t.Error("an entry that had left is not there, and the copy is another")
	}
	v = viewOf(key(7, time.Hour))
	if !v.continues(readOf(8, key(7, time.Hour), key(8, time.Hour))) {
		t.Error("the same entry is there, and the copy is another")
	}
	if v.continues(readOf(7)) || v.continues(readOf(8, key(8, time.Hour))) {
		t.Error("a live entry is not there, and the copy is the same")
	}
}

// When the server stops, followers are let go, so that they do not hold it up.
func TestFollowersAreLetGo(t *testing.T) {
	tail, _, _ := newTail(t)
	if err := tail.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	events, _ := follow(t, tail, "")
	<-events
	tail.Release()
	for range events {
	}
}

// Another server's change is read within the interval, and at once when woken.
func TestRunReadsWhatOthersCommit(t *testing.T) {
	tail, db, ended := newTail(t)
	if err := tail.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go tail.Run(ctx)
	for i, wake := range []bool{false, true} {
		id := fmt.Sprint("s", i)
		next := tail.view.Load().next
		end(t, db, authserver.KindSession, id)
		start := time.Now()
		if wake {
			tail.Wake()
		}
		<-next
		if took := time.Since(start); took > time.Second {
			t.Errorf("heard after %v", took)
		}
		if _, is, _ := ended.Check(&resource.Claims{SessionID: id, UserID: 1}, "k"); !is {
			t.Error("heard and not applied")
		}
	}
}

// start runs tail and a follower of it until the test ends, and returns how the
// follower was let go.
func start(t *testing.T, tail *Tail, may func(context.Context) bool) <-chan error {
	t.Helper()
	if err := tail.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(func() { stop(); synctest.Wait() })
	go tail.Run(ctx)
	left := make(chan error, 1)
	go func() {
		left <- tail.Follow(writer{httptest.NewRecorder()}, httptest.NewRequestWithContext(ctx, "GET", "/", nil), Serves(nil), may)
	}()
	return left
}

// Who may no longer follow hears nothing any more within a second.
func TestAFollowerThatMayNotAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail, _, _ := newTail(t)
		var removed atomic.Bool
		left := start(t, tail, func(context.Context) bool { return !removed.Load() })
		time.Sleep(10*time.Second + 100*time.Millisecond)
		removed.Store(true)
		since := time.Now()
		if err := <-left; !errors.Is(err, errMayNot) || time.Since(since) > time.Second {
			t.Errorf("let go with %v after %v", err, time.Since(since))
		}
	})
}

// away is a table that cannot be read once it is set.
type away struct {
	authserver.RevocationLog
	set atomic.Bool
}

func (a *away) Revocations(ctx context.Context, after int64) ([]authserver.Revocation, int64, error) {
	if a.set.Load() {
		return nil, 0, authserver.ErrUnavailable
	}
	return a.RevocationLog.Revocations(ctx, after)
}

// A server that cannot read what has ended does not say that nothing has, and
// its own API takes no token for longer than the operator allows.
func TestATableThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, db, ended := newTail(t)
		table := &away{RevocationLog: db}
		tail := New(table, ended, 30*time.Second, slog.New(slog.DiscardHandler))
		left := start(t, tail, always)
		time.Sleep(time.Minute)
		select {
		case err := <-left:
			t.Fatalf("let go while all is well: %v", err)
		default:
		}
		claims := &resource.Claims{ID: "j1", SessionID: "s1", UserID: 1}
		if _, _, err := ended.Check(claims, "k"); err != nil || tail.Behind() {
			t.Fatalf("while all is well: %v, behind %v", err, tail.Behind())
		}
		table.set.Store(true)
		since := time.Now()
		if err := <-left; !errors.Is(err, errBehind) || time.Since(since) > Stale+2*Interval {
			t.Errorf("left with %v after %v", err, time.Since(since))
		}
		if !tail.Behind() {
			t.Error("it does not say so")
		}
		time.Sleep(20 * time.Second)
		if _, _, err := ended.Check(claims, "k"); err != nil {
			t.Errorf("before patience is over: %v", err)
		}
		time.Sleep(20 * time.Second)
		if _, _, err := ended.Check(claims, "k"); !errors.Is(err, resource.ErrUnavailable) {
			t.Errorf("after it: %v", err)
		}
		table.set.Store(false)
		time.Sleep(2 * Interval)
		if _, _, err := ended.Check(claims, "k"); err != nil || tail.Behind() {
			t.Errorf("when it is read again: %v, behind %v", err, tail.Behind())
		}
	})
}

// writer is a connection whose writes may be bounded.
type writer struct{ *httptest.ResponseRecorder }

func (writer) SetWriteDeadline(time.Time) error { return nil }
