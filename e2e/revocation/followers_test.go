//go:build proof

package revocation

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

// A hundred follow one server. One of them reads nothing and one was away: the
// others hear of each ending within the bound, and memory does not grow with it.
func TestFollowers(t *testing.T) {
	const followers = 100
	changes := size(20, 200)
	entries := size(420, 840) // so long that they do not fit between the server and one that does not read
	d := deploy(t, shape{auth: 1, users: changes})
	p := d.auth[0]
	d.fill(entries)
	before := resident(t, p)

	stall(t, p)
	away := follow(t, p, "")
	away.leave()
	var lines []*follower
	for i := range followers {
		from := away.last
		if i%10 == 0 { // new ones get a snapshot, as those that come back do not
			from = ""
		}
		lines = append(lines, follow(t, p, from))
	}
	following := resident(t, p)

	var sids []string
	var slowest time.Duration
	times := &delays{}
	for i := range changes {
		s, err := d.login(p, userName(i), "spa")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.logout(p, s.Access); err != nil {
			t.Fatal(err)
		}
		answered := time.Now()
		sid := claimsOf(t, s.Access).SessionID
		sids = append(sids, sid)
		for n, f := range lines {
			heard := <-f.heard
			if !strings.Contains(heard.data, sid) {
				t.Fatalf("follower %d heard %s, want %s", n, heard.data, sid)
			}
			delay := max(0, heard.at.Sub(answered))
			slowest = max(slowest, delay)
			times.add(delay, "heard of")
		}
	}
	times.report(t)

	back := follow(t, p, away.last)
	for _, sid := range sids {
		heard, ok := <-back.heard
		if !ok || heard.event != "revoke" || !strings.Contains(heard.data, sid) {
			t.Fatalf("the one that was away heard %s %s, want what it missed: %s", heard.event, heard.data, sid)
		}
	}
	if back.snapshots > 0 {
		t.Error("the one that was away got a snapshot, where the feed could go on")
	}
	after := resident(t, p)
	t.Logf("memory: %d MB, with followers %d MB, after %d changes %d MB", before, following, changes, after)
	if after > following+64 {
		t.Errorf("%d MB of memory after %d changes, %d MB before them", after, changes, following)
	}
	if following > before+256 {
		t.Errorf("%d followers take %d MB", followers, following-before)
	}
}

// fill ends n tokens of 10 kB that nobody has.
func (d *deployment) fill(n int) {
	d.t.Helper()
	ctx := context.Background()
	db, err := sqlstore.Open(ctx, sqlstore.Config{URL: d.database})
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close()
	what := make([]authserver.Ending, n)
	for i := range what {
		what[i] = authserver.Ending{
			Kind: authserver.KindToken, Reason: authserver.ReasonRevoked,
			ID: fmt.Sprintf("%d-%s", i, strings.Repeat("nobody-has-this-token", 500)),
		}
	}
	if err := db.End(ctx, what, authserver.Event{Act: "token.revoke", Result: "success"}); err != nil {
		d.t.Fatal(err)
	}
	time.Sleep(bound) // the server reads it
}

// heard is an event, and when it came.
type heard struct {
	event, data string
	at          time.Time
}

// follower reads the feed. Its fields are for the test once heard is closed, or
// once something came over it.
type follower struct {
	heard     chan heard // without snapshots and pings
	last      string
	snapshots int
	leave     func()
}

// follow returns when the follower has what it has to begin with: a snapshot,
// unless it comes back.
func follow(t *testing.T, p *server, lastEventID string) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Base+"/oauth/revocations", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(resourceID, clientSecret)
	if lastEventID != "" {
		req.Header.Set("Last-Event-ID", lastEventID)
	}
	transport := &http.Transport{}
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		t.Fatalf("follow: got %d", res.StatusCode)
	}
	f := &follower{heard: make(chan heard, 1000)}
	begun := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(f.heard)
		f.read(bufio.NewReaderSize(res.Body, 64<<10), begun)
	})
	f.leave = func() {
		cancel()
		reading.Wait()
		res.Body.Close()
		transport.CloseIdleConnections()
	}
	t.Cleanup(f.leave)
	if lastEventID == "" {
		select {
		case <-begun:
		case <-time.After(20 * time.Second):
			t.Fatal("no snapshot within 20 s")
		}
	}
	return f
}

func (f *follower) read(r *bufio.Reader, begun chan struct{}) {
	var h heard
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "event":
			h.event = value
		case "id":
			f.last = value
		case "data":
			h.data, h.at = value, time.Now()
		case "":
			switch h.event {
			case "snapshot":
				f.snapshots++
				close(begun) // a second one would be a fault, and shows as one
			case "revoke":
				f.heard <- h
			}
		}
	}
}

// stall follows, and never reads.
func stall(t *testing.T, p *server) {
	t.Helper()
	small := net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		control := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
		if control != nil {
			return control
		}
		return err
	}}
	host := strings.TrimPrefix(p.Base, "http://")
	conn, err := small.DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	req, err := http.NewRequest(http.MethodGet, p.Base+"/oauth/revocations", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(resourceID, clientSecret)
	if err := req.Write(conn); err != nil {
		t.Fatal(err)
	}
}

// resident is the memory of p in MB.
func resident(t *testing.T, p *server) int { return p.Memory(t, "VmRSS") / 1_000_000 }
