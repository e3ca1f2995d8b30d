package pages

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var placeholder = regexp.MustCompile(`\{\w+\}`)

func TestAllLanguagesHaveTheSameTexts(t *testing.T) {
	all, err := readTexts()
	if err != nil {
		t.Fatal(err)
	}
	english := all[0]
	if english.tag.String() != "en" || len(all) < 2 {
		t.Fatalf("got %d languages, the first is %s", len(all), english.tag)
	}
	for _, other := range all[1:] {
		if a, b := slices.Sorted(maps.Keys(english.of)), slices.Sorted(maps.Keys(other.of)); !slices.Equal(a, b) {
			for _, key := range a {
				if !slices.Contains(b, key) {
					t.Errorf("%s lacks %q", other.tag, key)
				}
			}
			for _, key := range b {
				if !slices.Contains(a, key) {
					t.Errorf("%s has %q, which English has not", other.tag, key)
				}
			}
		}
		for key, text := range english.of {
			a, b := placeholder.FindAllString(text, -1), placeholder.FindAllString(other.of[key], -1)
			slices.Sort(a)
			slices.Sort(b)
			if !slices.Equal(a, b) {
				t.Errorf("%s: %q has the places %v, in English %v", other.tag, key, b, a)
			}
			if strings.TrimSpace(other.of[key]) == "" {
				t.Errorf("%s: %q is empty", other.tag, key)
			}
		}
	}
}

// TestTextsAreUsedAndThere holds that templates use keys that exist, and that
// no text is left over.
func TestTextsAreUsedAndThere(t *testing.T) {
	all, err := readTexts()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	prefixes := []string{"scope.", "fault.", "ago.", "duration.", "month.", "day"} // words.go
	fixed := regexp.MustCompile(`\b(?:t|rich|when) "([a-z_.]+)"`)
	printed := regexp.MustCompile(`printf "([a-z_.]+)%s`)
	err = fs.WalkDir(templateFiles, "templates", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := templateFiles.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range fixed.FindAllStringSubmatch(string(content), -1) {
			used[m[1]] = true
		}
		for _, m := range printed.FindAllStringSubmatch(string(content), -1) {
			prefixes = append(prefixes, m[1])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range used {
		if _, ok := all[0].of[key]; !ok {
			t.Errorf("a template uses %q, which is not there", key)
		}
	}
	for key := range all[0].of {
		if !used[key] && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("nothing uses %q", key)
		}
	}
}

// TestEveryConstantHasItsTexts is for the keys that templates put together.
func TestEveryConstantHasItsTexts(t *testing.T) {
	r := newRenderer(t)
	var pages []Page
	for _, p := range []Problem{Wrong, Throttled, Busy, Unavailable} {
		pages = append(pages, Login{Problem: p}, Register{Problem: p})
	}
	for _, n := range []Notice{Again, Registered, Ended} {
		pages = append(pages, Login{Notice: n})
	}
	for _, d := range []Done{SessionEnded, SessionsEnded, AppWithdrawn, AlreadyDone} {
		pages = append(pages, Account{Done: d}, Sessions{Done: d}, Apps{Done: d})
	}
	for _, k := range Kinds {
		pages = append(pages, Error{Kind: k})
	}
	for _, p := range pages {
		if w := show(r, p); w.Code != 200 {
			t.Errorf("%T %+v: status %d", p, p, w.Code)
		}
	}
}

// TestEveryFaultHasItsText is for what the account package says of the fields
// that are on a page: people read it in their language.
func TestEveryFaultHasItsText(t *testing.T) {
	sources, err := filepath.Glob("../account/*.go")
	if err != nil {
		t.Fatal(err)
	}
	fault := regexp.MustCompile(`InvalidError\{"(username|email|full_name|password)", "(\w+)"`)
	seen := 0
	for _, name := range sources {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range fault.FindAllStringSubmatch(string(source), -1) {
			seen++
			if key := "fault." + m[1] + "." + m[2]; inLanguage(t, "en").of[key] == "" {
				t.Errorf("%s: no text %q", name, key)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d faults were found in the account package", seen)
	}
}
