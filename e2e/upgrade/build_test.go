package upgrade

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tokenwright/tokenwright/e2e/program"
)

const (
	root = "../.."
	// before is the version to upgrade from: the first commit whose sessions, feed
	// and event log are whole. A release takes its place when there is one.
	before = "fc52adfcbfdec5e012485cb03a72f49e67456106"
)

// checkout returns the folder of the version before. Without its commit, as in a
// shallow clone or an unpacked archive, the test is skipped; with REQUIRE_ALL=1
// it fails.
func checkout(t *testing.T) string {
	t.Helper()
	var tree, said bytes.Buffer
	// The clone may belong to another user than the one who runs this.
	archive := exec.Command("git", "-c", "safe.directory=*", "-C", root, "archive", before)
	archive.Stdout, archive.Stderr = &tree, &said
	if err := archive.Run(); err != nil {
		program.Missing(t, "no version before: git archive "+before+": "+err.Error()+" "+said.String()+
			"(fetch the whole history: git fetch --unshallow)")
	}
	dir := t.TempDir()
	unpack := exec.Command("tar", "-x", "-C", dir)
	unpack.Stdin = &tree
	if out, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	return dir
}

// nextSteps returns an overlay for go build that adds those of testdata to the
// steps of the schema. They are numbered after all that there will be.
//
// Each step is a transaction of its own and changes one table that is there. One
// that changed two would hold the first while it waits for the second: PostgreSQL
// then finds a deadlock with any request that reads both, and fails the request.
func nextSteps(t *testing.T) string {
	t.Helper()
	steps, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(steps) == 0 {
		t.Fatalf("steps in testdata: %d, %v", len(steps), err)
	}
	absolute := func(path ...string) string {
		t.Helper()
		whole, err := filepath.Abs(filepath.Join(path...))
		if err != nil {
			t.Fatal(err)
		}
		return whole
	}
	replace := map[string]string{}
	for _, step := range steps {
		replace[absolute(root, "migrations", filepath.Base(step))] = absolute(step)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err == nil {
		err = os.WriteFile(file, overlay, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// build builds the program of a folder as it is released.
func build(t *testing.T, dir string, flags ...string) program.Binary {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tokenwright")
	cmd := exec.Command("go", slices.Concat(
		[]string{"build", "-tags", "nomsgpack", "-ldflags", "-s -w", "-buildvcs=false", "-o", file}, flags, []string{"."})...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program.Binary(file)
}
