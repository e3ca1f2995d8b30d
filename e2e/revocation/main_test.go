//go:build proof

// Package revocation proves with real processes that what has ended is ended:
// on every server, within a second, whatever is killed, lost or put back in the
// meantime.
package revocation

import (
	"flag"
	"os"
	"testing"
	"time"

	// What the binary is made of: a result is taken from the cache only while
	// that is the same.
	_ "github.com/tokenwright/tokenwright/authserver/cli"
	"github.com/tokenwright/tokenwright/e2e/program"
)

// bound is how long after its answer an ending may be unknown to a server that
// is connected.
const bound = time.Second

var (
	proof  = flag.Bool("proof", false, "take the full size: 1,000 changes where it is 100 otherwise")
	binary program.Binary
)

func TestMain(m *testing.M) { os.Exit(program.Main(m, &binary)) }

// size is small, or full with -proof.
func size(small, full int) int {
	if *proof {
		return full
	}
	return small
}
