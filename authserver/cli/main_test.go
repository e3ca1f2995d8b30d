package cli

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary be tokenwright where it is called by that name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tokenwright": func() {
			os.Exit(Run(UntilSignal(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
		},
	})
}
