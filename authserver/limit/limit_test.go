package limit

import (
	"slices"
	"testing"
)

func TestBlocks(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     []Block
	}{
		{"IPv4 counts whole", "192.0.2.7", []Block{{"192.0.2.7", 1}}},
		{"an IPv4 neighbour counts by itself", "192.0.2.8", []Block{{"192.0.2.8", 1}}},
		{"IPv4 in IPv6 is IPv4", "::ffff:192.0.2.7", []Block{{"192.0.2.7", 1}}},
		{"IPv4 in IPv6 in hexadecimal is IPv4", "::ffff:c000:207", []Block{{"192.0.2.7", 1}}},
		{"IPv6 counts by /64, /56 and /48", "2001:db8:1:2a2:3:4:5:6", []Block{{"2001:db8:1:2a2::/64", 1}, {"2001:db8:1:200::/56", 2}, {"2001:db8:1::/48", 4}}},
		{"a neighbour in the /64 counts with it", "2001:db8:1:2a2::1", []Block{{"2001:db8:1:2a2::/64", 1}, {"2001:db8:1:200::/56", 2}, {"2001:db8:1::/48", 4}}},
		{"the next /64 shares the others", "2001:db8:1:2a3::1", []Block{{"2001:db8:1:2a3::/64", 1}, {"2001:db8:1:200::/56", 2}, {"2001:db8:1::/48", 4}}},
		{"a zone makes no difference", "fe80::1%eth0", []Block{{"fe80::/64", 1}, {"fe80::/56", 2}, {"fe80::/48", 4}}},
		{"what is no address counts under itself", "unix", []Block{{"unix", 1}}},
		{"no address", "", []Block{{"", 1}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Blocks(tc.in); !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}
