package limit

import (
	"strings"
	"testing"
	"time"
)

func TestParseRule(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want Rule
	}{
		{"10/1m", Rule{"LOGIN_RATE", 10, time.Minute}},
		{"20/1h", Rule{"LOGIN_RATE", 20, time.Hour}},
		{"1/1s", Rule{"LOGIN_RATE", 1, time.Second}},
		{"3/1m30s", Rule{"LOGIN_RATE", 3, 90 * time.Second}},
		{"off", Rule{Name: "LOGIN_RATE"}},
	} {
		t.Run(tc.in, func(t *testing.T) {
			got, err := ParseRule("LOGIN_RATE", tc.in)
			if err != nil || got != tc.want {
				t.Fatalf("got %v, %v", got, err)
			}
			if again, err := ParseRule("LOGIN_RATE", got.String()); err != nil || again != got {
				t.Errorf("%q reads as %v, %v", got.String(), again, err)
			}
		})
	}
	for _, in := range []string{"", "10", "/1m", "10/", "0/1m", "-1/1m", "1.5/1m", "10/1", "10/0s", "10/1ms", "10/25h",
		"1000001/1m", "99999999999999999999/1m", "10/1m/1m", "OFF", " 10/1m", "ten/1m"} {
		t.Run("refused: "+in, func(t *testing.T) {
			r, err := ParseRule("LOGIN_RATE", in)
			if err == nil || r != (Rule{}) || !strings.Contains(err.Error(), "10/1m") || !strings.Contains(err.Error(), "off") {
				t.Errorf("got %v, %v", r, err)
			}
		})
	}
}

func TestAddressKey(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"IPv4 counts whole", "192.0.2.7", "192.0.2.7"},
		{"IPv4 in IPv6 is IPv4", "::ffff:192.0.2.7", "192.0.2.7"},
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
