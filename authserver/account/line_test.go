package account

import (
	"slices"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
)

// The widest block comes first, so that all of a network share one line.
func TestLineOf(t *testing.T) {
	for ip, want := range map[string][]string{
		"192.0.2.7":         {"192.0.2.7", "ALICE"},
		"::ffff:192.0.2.7":  {"192.0.2.7", "ALICE"},
		"2001:db8:1:2a2::1": {"2001:db8:1::/48", "2001:db8:1:200::/56", "2001:db8:1:2a2::/64", "ALICE"},
		"":                  {"", "ALICE"},
	} {
		ctx := authserver.WithCaller(t.Context(), authserver.Caller{IP: ip})
		for _, account := range []string{"alice", "Alice"} {
			if got := lineOf(ctx, account); !slices.Equal(got, want) {
				t.Errorf("%s from %q: got %q, want %q", account, ip, got, want)
			}
		}
	}
}
