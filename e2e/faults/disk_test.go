package faults

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// newDisk is a file system of so many bytes. Where this user may not mount one
// the test is skipped; with REQUIRE_ALL=1 it fails.
func newDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "none", dir).CombinedOutput(); err != nil {
		program.Missing(t, fmt.Sprintf("no small disk: mount: %v %s", err, out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return dir
}

// fill takes what is left of a disk and returns the file that has it.
func fill(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return name
}

// A full disk is a 503 that says why in the log; what needs no write goes on,
// nothing that was answered is lost, and with room again all is as before.
func TestDiskFull(t *testing.T) {
	dir := newDisk(t, "8m")
	newHome(t, dir)
	client := newClient()
	p := binary.Serve(t, dir, settings)
	session := login(t, client, p, "alice")
	gone := login(t, client, p, "alice")
	a, err := endSession(client, p, gone, 0)
	program.Must(t, 200, a, err)

	filler := fill(t, dir)
	// What is there of the log of writes may still be written over.
	full := func() program.Answer {
		t.Helper()
		for range 5_000 {
			a, err := program.Post(client, p.Base+"/oauth/token", program.Refresh("app", session.Refresh))
			if err != nil {
				t.Fatal(err)
			}
			if a.Status != 200 {
				return a
			}
			session = a
		}
		t.Fatal("the disk is full and writes go on")
		return program.Answer{}
	}()
	for name, ask := range map[string]func() (program.Answer, error){
		"refresh": func() (program.Answer, error) { return full, nil },
		"login": func() (program.Answer, error) {
			return program.Post(client, p.Base+"/oauth/token", program.Login("app", "alice", phrase))
		},
		"registration": func() (program.Answer, error) { return register(client, p, "late") },
		"revocation":   func() (program.Answer, error) { return endSession(client, p, session, 0) },
	} {
		a, err := ask()
		if err != nil || a.Status != 503 || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: got %d %s with %q, %v; want 503 with Retry-After", name, a.Status, a.Body, a.Header.Get("Retry-After"), err)
		}
		if strings.Contains(strings.ToLower(a.Body), "disk") {
			t.Errorf("%s: the answer says %s", name, a.Body)
		}
	}
	if !strings.Contains(p.Log(), "disk is full") {
		t.Errorf("the log does not say why:\n%s", p.Log())
	}
	a, err = program.Get(client, p.Base+"/api/private", session.Access)
	program.Must(t, 200, a, err)
	a, err = program.Post(client, p.Base+"/oauth/introspect", introspection(session.Access))
	if a := program.Must(t, 200, a, err); !a.Active {
		t.Error("a live token is not active")
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	for _, again := range []string{"with room again", "after a restart"} {
		a, err := program.Post(client, p.Base+"/oauth/token", program.Refresh("app", session.Refresh))
		if err != nil || a.Status != 200 {
			t.Fatalf("%s: the session does not go on: %d %s, %v", again, a.Status, a.Body, err)
		}
		session = a
		if a, err := program.Post(client, p.Base+"/oauth/token", program.Refresh("app", gone.Refresh)); err != nil || a.Status != 400 {
			t.Errorf("%s: an ended session refreshes: %d, %v", again, a.Status, err)
		}
		a, err = register(client, p, "early-"+again[:4])
		program.Must(t, 200, a, err)
		p.Kill()
		verifyLog(t, dir)
		p = binary.Serve(t, dir, settings)
	}
}
