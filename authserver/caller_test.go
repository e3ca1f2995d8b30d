package authserver

import (
	"context"
	"strings"
	"testing"
)

func TestTheUserAgentIsCut(t *testing.T) {
	for in, want := range map[string]string{
		"curl/8.0":                     "curl/8.0",
		strings.Repeat("a", 200):       strings.Repeat("a", MaxUserAgent),
		"":                             "",
		" ~":                           " ~",
		"a\x7f":                        "a",
		strings.Repeat("a", 60) + "ä":  strings.Repeat("a", 60),
		strings.Repeat("a", 59) + "\n": strings.Repeat("a", 59),
		strings.Repeat("ä", 31):        strings.Repeat("ä", 30),
		"a\x00b\x1bc\xffd\tünï":        "abcdünï",
		strings.Repeat("a", 59) + "ä":  strings.Repeat("a", 59),
	} {
		got := CallerFrom(WithCaller(context.Background(), Caller{UserAgent: in})).UserAgent
		if got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
