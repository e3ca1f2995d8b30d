//go:build proof

package revocation

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// RSV-035: a database that was put back gives its numbers anew. A resource server
// that has been told of them in the copy before hears all the same what they end
// in this one.
func TestFollowersOfAnotherCopy(t *testing.T) {
	d := deploy(t, shape{auth: 1, api: 1, users: 3, env: []string{"REVOCATION_FEED=fail_closed"}})
	p := d.auth[0]
	var sessions []tokens
	for i := range 3 {
		s, err := d.login(p, userName(i), "spa")
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, s)
	}
	backup := filepath.Join(d.dir, "backup.db")
	if _, err := d.operator(nil, "backup", backup); err != nil {
		t.Fatal(err)
	}
	if err := d.logout(p, sessions[0].Access); err != nil {
		t.Fatal(err)
	}
	time.Sleep(bound)
	if err := d.everywhere(sessions[0].Access, false); err != nil {
		t.Fatal(err)
	}

	p.stop(t)
	d.front.set() // nobody hears of the server before it has come as far again
	file := strings.TrimPrefix(d.database, "sqlite:")
	for _, old := range []string{file + "-wal", file + "-shm"} {
		if err := os.RemoveAll(old); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(backup, file); err != nil {
		t.Fatal(err)
	}
	d.start(p)
	d.ready(p)
	if err := d.logout(p, sessions[1].Access); err != nil {
		t.Fatal(err)
	}
	d.balance()
	d.until("news at the resource server", func() bool {
		took, err := d.takes(d.api[0], sessions[1].Access)
		if err != nil {
			t.Fatal(err)
		}
		return !took
	})
	if err := d.everywhere(sessions[2].Access, true); err != nil {
		t.Error(err)
	}
}

// A resource server whose client does not serve its audience would hear of no
// session's end: it is refused, and says so, instead of being told that all is
// well.
func TestAFollowerThatServesNothing(t *testing.T) {
	d := deploy(t, shape{auth: 1, users: 1})
	stranger := &server{name: "stranger", probe: "/api/private", args: []string{"--only", "api"}}
	d.env = append(d.env, "AUDIENCE=https://another.example.test")
	d.start(stranger)
	defer stranger.stop(t)
	d.until("refusal", func() bool { return strings.Contains(stranger.Log(), "the revocation feed is refused") })
	a, err := d.ask("GET", stranger.Base+"/readyz", "", nil)
	if err != nil || a.Status != 503 {
		t.Errorf("it is ready: %d %s, %v", a.Status, a.Body, err)
	}
}
