package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tested is a fenced block of the README that is marked for this test.
var tested = regexp.MustCompile("(?s)<!-- test -->\\s*```sh\n(.*?)```")

// TestReadme pastes the README's marked commands, one after another, into one
// shell beside a fresh demo. A command that fails ends the shell.
func TestReadme(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("REQUIRE_ALL") == "1" {
				t.Fatalf("%s is needed: %v", tool, err)
			}
			t.Skipf("skipped for want of %s: %v", tool, err)
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := tested.FindAllStringSubmatch(string(text), -1)
	if len(blocks) == 0 {
		t.Fatal("no block of the README is marked <!-- test -->")
	}
	p := start(t, t.TempDir(), nil, "--demo")
	script := "set -euo pipefail\n"
	for _, block := range blocks {
		script += strings.ReplaceAll(block[1], "http://localhost:8000", p.base)
	}
	shell := exec.Command("bash", "-x")
	shell.Dir = p.cmd.Dir
	shell.Stdin = strings.NewReader(script)
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\nthe server's log:\n%s", err, out, p.log.String())
	}
	t.Logf("%s", out)
}
