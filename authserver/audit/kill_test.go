package audit_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/audit"
)

// TestWriter ends sessions until it is killed and says each that has ended.
func TestWriter(t *testing.T) {
	path := os.Getenv("AUDIT_TEST_WRITE")
	if path == "" {
		t.Skip("this is the process that TestKilled kills")
	}
	db := open(t, path, key)
	for {
		sid := uuid.NewString()
		err := db.End(context.Background(), []authserver.Ending{{Kind: authserver.KindSession, ID: sid, Subject: "sub", Reason: authserver.ReasonLogout}},
			authserver.Event{Act: "session.logout", SessionID: sid})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(sid)
	}
}

// A process that is killed at any time leaves a log that verifies, in which all
// is that was answered for.
func TestKilled(t *testing.T) {
	path := newPath(t)
	db := open(t, path, key)
	record(t, db, "first")
	answered := 0
	for i := range 8 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWriter$")
		cmd.Env = append(os.Environ(), "AUDIT_TEST_WRITE="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		var said []string
		for lines.Scan() {
			if len(lines.Text()) != 36 {
				continue
			}
			if said = append(said, lines.Text()); len(said) == 5 {
				// Not at once after an answer: at any point of the next writes.
				time.AfterFunc(time.Duration(i)*700*time.Microsecond, func() { cmd.Process.Kill() })
			}
		}
		if err := cmd.Wait(); err == nil || len(said) < 5 {
			t.Fatalf("the writer ended by itself after %d answers: %v", len(said), err)
		}
		answered += len(said)

		r := verify(t, db, []audit.Key{key})
		if len(r.Faults) > 0 {
			t.Fatalf("after kill %d: %v", i, r.Faults)
		}
		events, err := db.Events(t.Context(), authserver.Page{})
		if err != nil {
			t.Fatal(err)
		}
		recorded := map[string]bool{}
		for _, e := range events {
			recorded[e.SessionID] = true
		}
		_, ended, err := db.Tombstones(t.Context(), "sub", authserver.Page{})
		if err != nil || ended != len(events)-1 {
			t.Errorf("%d sessions have ended, %d rows say so, %v", ended, len(events)-1, err)
		}
		for _, sid := range said {
			if !recorded[sid] {
				t.Errorf("session %s has ended without a row", sid)
			}
		}
	}
	record(t, db, "last")
	if r := verify(t, db, []audit.Key{key}); len(r.Faults) > 0 || r.Rows < int64(answered)+2 {
		t.Errorf("%d rows for %d answers: %v", r.Rows, answered, r.Faults)
	}
}
