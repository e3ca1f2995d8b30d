//go:build proof

// Package revocation proves with real processes that what has ended is ended:
// on every server, within a second, whatever is killed, lost or put back in the
// meantime.
package revocation

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	// What the binary is made of: a result is taken from the cache only while
	// that is the same.
	_ "github.com/tokenwright/tokenwright/authserver/cli"
)

// bound is how long after its answer an ending may be unknown to a server that
// is connected.
const bound = time.Second

var (
	proof = flag.Bool("proof", false, "take the full size: 1,000 changes where it is 100 otherwise")
	// binary is tokenwright, built once.
	binary string
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "revocation")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "tokenwright")
	if out, err := exec.Command("go", "build", "-o", binary, "../..").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// size is small, or full with -proof.
func size(small, full int) int {
	if *proof {
		return full
	}
	return small
}
