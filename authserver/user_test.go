package authserver

import (
	"math"
	"testing"
)

func TestPageThrough(t *testing.T) {
	for _, tc := range []struct{ page, want Page }{
		{Page{}, Page{}},
		{Page{Offset: 5}, Page{}},
		{Page{Limit: 10}, Page{Limit: 10}},
		{Page{Limit: 10, Offset: 5}, Page{Limit: 15}},
		{Page{Limit: 10, Offset: math.MaxInt - 5}, Page{}},
	} {
		if got := tc.page.Through(); got != tc.want {
			t.Errorf("%+v: got %+v, want %+v", tc.page, got, tc.want)
		}
	}
}

// ACC-005: names and addresses that differ by case alone are one.
func TestFold(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		same bool
	}{
		{"Alice", "aLICE", true},
		{"STRASSE@EXAMPLE.COM", "strasse@example.com", true},
		{"ÄÖÜ@example.com", "äöü@example.com", true},
		{"Σ", "ς", true},
		{"K", "\u212a", true},     // the Kelvin sign
		{"alice", "alicе", false}, // the last is Cyrillic
		{"a", "b", false},
	} {
		if got := Fold(tc.a) == Fold(tc.b); got != tc.same {
			t.Errorf("%q and %q: same is %v, want %v", tc.a, tc.b, got, tc.same)
		}
	}
}

func TestSessionLives(t *testing.T) {
	u := User{SessionEpoch: 4, Kept: []string{"kept"}}
	for _, tc := range []struct {
		sid   string
		epoch int64
		want  bool
	}{
		{"any", 4, true},
		{"any", 5, true},
		{"any", 3, false},
		{"kept", 1, true},
		{"", 3, false},
	} {
		if got := u.SessionLives(tc.sid, tc.epoch); got != tc.want {
			t.Errorf("%q under epoch %d: %v, want %v", tc.sid, tc.epoch, got, tc.want)
		}
	}
}

func TestParseScope(t *testing.T) {
	for s, want := range map[string]int{"": 0, "read": 1, "read  write": 2, "read read": 1} {
		if got, ok := ParseScope(s); !ok || len(got) != want {
			t.Errorf("%q: got %q, %v", s, got, ok)
		}
	}
	for _, s := range []string{`re"ad`, `re\ad`, "réad", "a\tb", string(make([]byte, MaxScopeLength+1))} { // TOK-020
		if got, ok := ParseScope(s); ok {
			t.Errorf("%q passed as %q", s, got)
		}
	}
}
