package authserver

import (
	"slices"
	"strings"
	"testing"
)

// What is read as a scope is made of scope-tokens, none twice, and reads the same
// when it is written again.
func FuzzParseScope(f *testing.F) {
	for _, s := range []string{"", "read write", " read  read ", "a\"b", "a\\b", "é", "\x00", "a\tb", strings.Repeat("a", MaxScopeLength+1)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := ParseScope(s)
		if !ok {
			return
		}
		for i, name := range got {
			if !ValidScope(name) || slices.Contains(got[:i], name) {
				t.Errorf("%q reads as %q", s, got)
			}
		}
		if again, ok := ParseScope(strings.Join(got, " ")); !ok || !slices.Equal(again, got) {
			t.Errorf("%q reads as %q, then as %q", s, got, again)
		}
	})
}
