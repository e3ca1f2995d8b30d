package clients

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// language is one whose libraries are driven by scripts in a folder of this
// package.
type language struct {
	folder  string
	needs   [][]string // commands that succeed where it is installed
	pinned  string     // the file that names every package with its version
	install func(dir string) *exec.Cmd
	run     func(script string) *exec.Cmd
}

// installed is the folder with what l.pinned names. It is kept among the user's
// caches, and made anew when the file changes.
func (l language) installed(t *testing.T) string {
	t.Helper()
	for _, need := range l.needs {
		if err := exec.Command(need[0], need[1:]...).Run(); err != nil {
			program.Missing(t, fmt.Sprintf("%q: %v", need, err))
		}
	}
	pinned, err := os.ReadFile(filepath.Join(l.folder, l.pinned))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "tokenwright-e2e", fmt.Sprintf("%s-%x", l.folder, sha256.Sum256(pinned)))
	done := filepath.Join(dir, "installed")
	if _, err := os.Stat(done); err == nil {
		return dir
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	copyAll(t, l.folder, dir)
	cmd := l.install(dir)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, out)
	}
	if err := os.WriteFile(done, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func copyAll(t *testing.T, from, to string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(from, "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(name)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// script runs one and sees that its verdicts are those that are expected, which
// are "client step" each.
func (l language) script(t *testing.T, s *server, name string, want []string) {
	t.Helper()
	dir := l.installed(t)
	copyAll(t, l.folder, dir)
	cmd := l.run(name)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ISSUER="+s.issuer, "PERSON="+s.personAtURL(t), "AUDIENCE="+audience, "WEB_SECRET="+webSecret)
	out, err := cmd.CombinedOutput()
	t.Logf("\n%s", out)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range verdict.FindAllStringSubmatch(string(out), -1) {
		got = append(got, m[1])
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the steps are %q, want %q", got, want)
	}
}

var verdict = regexp.MustCompile(`(?m)^ok (.+)$`)

// personAtURL is an address that opens what it is asked for in to as the user at a
// browser of their own, and answers with where that got.
func (s *server) personAtURL(t *testing.T) string {
	t.Helper()
	p := s.person(t)
	desk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, p.sentTo(r.FormValue("to")))
	}))
	t.Cleanup(desk.Close)
	return desk.URL
}

// steps are those of each client; everywhere are those of all.
func steps(everywhere string, web string) []string {
	var all []string
	for _, id := range []string{"web", "spa", "es256"} {
		for name := range strings.SplitSeq(everywhere, ", ") {
			all = append(all, id+" "+name)
		}
	}
	for name := range strings.SplitSeq(web, ", ") {
		if name != "" {
			all = append(all, "web "+name)
		}
	}
	return all
}
