package limit

import (
	"testing"
)

func TestAddressKey(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"IPv4 counts whole", "192.0.2.7", "192.0.2.7"},
		{"an IPv4 neighbour counts by itself", "192.0.2.8", "192.0.2.8"},
		{"IPv4 in IPv6 is IPv4", "::ffff:192.0.2.7", "192.0.2.7"},
		{"IPv4 in IPv6 in hexadecimal is IPv4", "::ffff:c000:207", "192.0.2.7"},
		{"IPv6 counts by its /64", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"a neighbour in the /64 counts with it", "2001:db8:1:2::1", "2001:db8:1:2::/64"},
		{"the next /64 counts by itself", "2001:db8:1:3::1", "2001:db8:1:3::/64"},
		{"a zone makes no difference", "fe80::1%eth0", "fe80::/64"},
		{"what is no address counts under itself", "unix", "unix"},
		{"no address", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := AddressKey(tc.in); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
