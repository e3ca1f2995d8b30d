package faults

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// A file that is no database any more is one sentence at the start.
func TestDamagedFile(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"the beginning is overwritten": func(b []byte) []byte { copy(b, bytes.Repeat([]byte("x"), 200)); return b },
		"another file is in its place": func([]byte) []byte { return bytes.Repeat([]byte("not a database\n"), 1000) },
		"the end is missing":           func(b []byte) []byte { return b[:len(b)/2+100] },
		"the first table's page":       func(b []byte) []byte { copy(b[100:4096], make([]byte, 3996)); return b },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			newHome(t, dir)
			file := filepath.Join(dir, "data", "tokenwright.db")
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{file + "-wal", file + "-shm"} {
				if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
			}
			out, err := binary.Command(dir, settings, "serve", "--listen", "127.0.0.1:0").CombinedOutput()
			if err == nil || strings.Count(string(out), "\n") != 1 || !strings.Contains(string(out), "damaged") || strings.Contains(string(out), "goroutine") {
				t.Errorf("got %v: %s; want one sentence", err, out)
			}
		})
	}
}

// Damage that the start does not see is a 503 when it is met: no crash, nothing
// that was not there.
func TestDamageMetLater(t *testing.T) {
	chance := rand.Uint64()
	t.Logf("seed %d", chance)
	rng := rand.New(rand.NewPCG(chance, 0))
	for range 5 {
		dir := t.TempDir()
		newHome(t, dir)
		file := filepath.Join(dir, "data", "tokenwright.db")
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for at := 4096; at < len(b); at += 4096 { // all but the schema's page
			if rng.IntN(4) == 0 {
				copy(b[at:at+4096], bytes.Repeat([]byte{byte(rng.Uint32())}, 4096))
			}
		}
		if err := os.WriteFile(file, b, fs.FileMode(0o600)); err != nil {
			t.Fatal(err)
		}
		p, err := binary.Start(dir, settings)
		if err != nil {
			if said := err.Error(); strings.Contains(said, "goroutine") || !strings.Contains(said, "tokenwright: ") {
				t.Errorf("serve ended with %s; want a sentence", said)
			}
			continue
		}
		t.Cleanup(p.Kill)
		client := newClient()
		for range 20 {
			a, err := program.Post(client, p.Base+"/oauth/token", program.Login("app", "alice", phrase))
			if err != nil || a.Status != 200 && a.Status != 400 && a.Status != 401 && a.Status != 503 {
				t.Errorf("login: got %d %s, %v", a.Status, a.Body, err)
			}
		}
		if strings.Contains(p.Log(), "panic") {
			t.Errorf("the log has a panic:\n%s", p.Log())
		}
	}
}
