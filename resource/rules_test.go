package resource_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/resource"
)

const order = "viewer<user<editor<moderator<admin"

func hierarchy(t testing.TB, s string) resource.Hierarchy {
	t.Helper()
	h, err := resource.ParseHierarchy(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestRolesAndGates(t *testing.T) {
	f := newFixture(t, "ES256")
	g := resource.NewGuard(f.verifier, "")
	h := hierarchy(t, order)
	type gate struct {
		name string
		rule resource.Rule
		lets string // the roles it lets through
	}
	gates := []gate{
		{"AtLeast viewer", h.AtLeast("viewer"), "viewer user editor moderator admin"},
		{"AtLeast user", h.AtLeast("user"), "user editor moderator admin"},
		{"AtLeast editor", h.AtLeast("editor"), "editor moderator admin"},
		{"AtLeast moderator", h.AtLeast("moderator"), "moderator admin"},
		{"AtLeast admin", h.AtLeast("admin"), "admin"},
		{"AtLeast ghost", h.AtLeast("ghost"), ""},
		{"AtLeast nothing", h.AtLeast(""), ""},
		{"AnyRole viewer", h.AnyRole("viewer"), "viewer"},
		{"AnyRole user", h.AnyRole("user"), "user"},
		{"AnyRole editor", h.AnyRole("editor"), "editor"},
		{"AnyRole moderator", h.AnyRole("moderator"), "moderator"},
		{"AnyRole admin", h.AnyRole("admin"), "admin"},
		{"AnyRole admin, moderator", h.AnyRole("admin", "moderator"), "moderator admin"},
		{"AnyRole ghost", h.AnyRole("ghost"), ""},
		{"AnyRole ghost, user", h.AnyRole("ghost", "user"), "user"},
		{"AnyRole of none", h.AnyRole(), ""},
		{"AnyRole by name alone", resource.AnyRole("admin", "partner"), "admin partner"},
		{"the zero Rule", resource.Rule{}, ""},
		{"AtLeast of the zero Hierarchy", resource.Hierarchy{}.AtLeast("user"), ""},
	}
	for _, role := range []string{"viewer", "user", "editor", "moderator", "admin", "ghost", "partner", "Admin", ""} {
		roles := strings.Fields(role) // of "": none
		token := f.alice(roles...)
		for _, gate := range gates {
			t.Run(fmt.Sprintf("RSV-030 %v at %s", roles, gate.name), func(t *testing.T) {
				want := role != "" && strings.Contains(" "+gate.lets+" ", " "+role+" ")
				claims, challenge := g.Authenticate(bearer(token), gate.rule)
				if (claims != nil) != want || (challenge == nil) != want {
					t.Fatalf("passes: %v, want %v", claims != nil, want)
				}
				if challenge != nil && challenge.Status != http.StatusForbidden {
					t.Errorf("status %d", challenge.Status)
				}
			})
		}
	}
	t.Run("RSV-030 the best of several roles counts", func(t *testing.T) {
		if _, challenge := g.Authenticate(bearer(f.alice("ghost", "viewer", "moderator")), h.AtLeast("editor")); challenge != nil {
			t.Error(challenge.Detail)
		}
	})
	t.Run("a client's own token has no role", func(t *testing.T) {
		if _, challenge := g.Authenticate(bearer(f.Token(f.key, f.Client("service"))), h.AtLeast("viewer")); challenge == nil {
			t.Error("passed")
		}
	})
}

func TestParseHierarchy(t *testing.T) {
	h := hierarchy(t, " guest < staff ")
	if !h.Known("guest") || !h.Known("staff") || h.Known("Staff") || h.Known("") {
		t.Error("does not know its roles")
	}
	if !h.Holds([]string{"staff"}, "guest") || h.Holds([]string{"guest"}, "staff") || h.Holds(nil, "guest") {
		t.Error("wrong order")
	}
	for _, tc := range []struct{ text, names string }{
		{"", "empty"}, {"  ", "empty"}, {"<", `""`}, {"user<", `""`}, {"user<<admin", `""`},
		{"user<admin<user", `"user" stands twice`}, {"us er<admin", `"us er"`},
		{"user<" + strings.Repeat("a", 65), "64"}, {"user>admin", `"user>admin"`}, {"user<ädmin", "ädmin"},
	} {
		if _, err := resource.ParseHierarchy(tc.text); err == nil || !strings.Contains(err.Error(), tc.names) {
			t.Errorf("%q: %v, want it to name %s", tc.text, err, tc.names)
		}
	}
}
