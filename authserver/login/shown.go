package login

import (
	"encoding/json"
	"slices"

	"github.com/tokenwright/tokenwright/authserver/seal"
)

// Shown is what a consent page shows, and to whom. Its form carries Seal, so
// that nothing is granted but what was shown: a client that was made anew or
// asks for more meanwhile, or another person, is shown the page again.
type Shown struct {
	Subject     string
	ClientID    string
	Incarnation int64
	Scopes      []string
	Resources   []string
}

// Seal is text that says no more than that s was shown.
func (s Shown) Seal(box seal.Box) string { return box.SealText(nil, s.bytes()) }

// Was reports whether text is of a page that showed just this.
func (s Shown) Was(box seal.Box, text string) bool {
	_, err := box.OpenText(text, s.bytes())
	return err == nil
}

// bytes are the same in whatever order scopes and resources stand.
func (s Shown) bytes() []byte {
	s.Scopes, s.Resources = slices.Sorted(slices.Values(s.Scopes)), slices.Sorted(slices.Values(s.Resources))
	b, _ := json.Marshal(s) // of strings and a number
	return b
}
