package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReadmeProgramCompiles(t *testing.T) {
	program := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(readme(t))
	if program == nil {
		t.Fatal("README.md has no Go program")
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(program[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	formatted, err := exec.Command("gofmt", file).Output()
	if err != nil || string(formatted) != program[1] {
		t.Errorf("the program is not formatted (gofmt: %v)", err)
	}
}

func TestReadmeListsEverySetting(t *testing.T) {
	example, err := os.ReadFile("../config/config.env.example")
	if err != nil {
		t.Fatal(err)
	}
	want := names(regexp.MustCompile(`(?m)^#? ?([A-Z][A-Z0-9_]+)=`), string(example))
	var got []string
	row := regexp.MustCompile("(?m)^\\| `[A-Z][A-Z0-9_]+`.*? \\|")
	for _, cell := range row.FindAllString(readme(t), -1) {
		got = append(got, names(regexp.MustCompile("`([A-Z][A-Z0-9_]+)`"), cell)...)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("README.md lists\n%v\nconfig.env.example has\n%v", got, want)
	}
}

func names(pattern *regexp.Regexp, text string) []string {
	var out []string
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}
