package audit_test

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The package comment is the list of acts: what the program writes is in it.
func TestActsAreListed(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.Fields(string(doc))
	act := regexp.MustCompile(`"((?:login|logout|token|client|refresh|session|user|scope|resource|key|audit)\.[a-z_]+)"`)
	found := 0
	err = fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "storetest/") {
			return err
		}
		src, err := fs.ReadFile(os.DirFS(".."), path)
		for _, m := range act.FindAllSubmatch(src, -1) {
			found++
			if !slices.Contains(listed, string(m[1])) {
				t.Errorf("%s writes %s, which is not listed", path, m[1])
			}
		}
		return err
	})
	if err != nil || found < 20 {
		t.Errorf("%d acts found, %v; want those that are written", found, err)
	}
}
