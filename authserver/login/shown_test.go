package login

import (
	"testing"

	"github.com/tokenwright/tokenwright/authserver/seal"
)

func TestNothingIsGrantedButWhatWasShown(t *testing.T) {
	t.Parallel()
	box, err := seal.NewBox(seal.Key{})
	if err != nil {
		t.Fatal(err)
	}
	shown := func() Shown {
		return Shown{Subject: "alice", ClientID: "web", Incarnation: 7, Scopes: []string{"read", "write"}, Resources: []string{"https://a.test"}}
	}
	text := shown().Seal(box)
	for _, tc := range []struct {
		name string
		edit func(*Shown)
		want bool
	}{
		{"the same", func(*Shown) {}, true},
		{"in another order", func(s *Shown) { s.Scopes = []string{"write", "read"} }, true},
		{"to somebody else", func(s *Shown) { s.Subject = "bob" }, false},
		{"another client", func(s *Shown) { s.ClientID = "we" }, false},
		{"a client made anew", func(s *Shown) { s.Incarnation++ }, false},
		{"one scope more", func(s *Shown) { s.Scopes = append(s.Scopes, "admin") }, false},
		{"one scope less", func(s *Shown) { s.Scopes = s.Scopes[:1] }, false},
		{"another resource", func(s *Shown) { s.Resources = []string{"https://b.test"} }, false},
		{"a scope for a resource", func(s *Shown) { s.Scopes, s.Resources = s.Resources, s.Scopes }, false},
	} {
		s := shown()
		tc.edit(&s)
		if got := s.Was(box, text); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	if shown().Was(box, "") {
		t.Error("AUT-012: a form without it is taken")
	}
}
