package account_test

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/limit"
)

const confSecret = "conf-secret-0123456789abcdef"

func conf() account.ClientSpec {
	return account.ClientSpec{
		ID: "conf", Secret: confSecret,
		Grants: []string{authserver.GrantPassword, authserver.GrantRefreshToken, authserver.GrantClientCredentials},
		Scopes: []string{"read", "write"},
		Serves: []string{audience}, Introspect: true,
	}
}

func pub() account.ClientSpec {
	return account.ClientSpec{ID: "pub", Public: true, Grants: []string{authserver.GrantPassword, authserver.GrantRefreshToken}, Scopes: []string{"read"}}
}

func (f *fixture) add(t *testing.T, s account.ClientSpec) authserver.Client {
	t.Helper()
	c, _, err := f.clients.Add(t.Context(), s, "cli")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClientsAuthenticate(t *testing.T) {
	for _, tc := range []struct {
		name, id, secret string
		want             error
	}{
		{"a confidential client with its secret", "conf", confSecret, nil},
		{"CLI-006 CLI-009 a wrong secret", "conf", confSecret + "x", account.ErrWrongClientSecret},
		{"a secret in another case", "conf", strings.ToUpper(confSecret), account.ErrWrongClientSecret},
		{"CLI-007 an unknown client", "unknown", confSecret, account.ErrWrongClientSecret},
		{"an unknown client without a secret", "unknown", "", account.ErrWrongClientSecret},
		{"CLI-008 a confidential client without its secret", "conf", "", account.ErrWrongClientSecret},
		{"CLI-010 CLI-011 a public client without a secret", "pub", "", nil},
		{"CLI-011 a public client with a secret", "pub", "anything", account.ErrWrongClientSecret},
		{"CLI-011 a public client with another's secret", "pub", confSecret, account.ErrWrongClientSecret},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.add(t, conf())
			f.add(t, pub())
			if err := f.authenticate(t, "192.0.2.1", tc.id, tc.secret); err != tc.want {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func (f *fixture) authenticate(t *testing.T, ip, id, secret string) error {
	t.Helper()
	ctx := from(t, ip)
	facts, err := f.db.Facts(ctx, authserver.Ask{ClientID: id})
	if err != nil {
		t.Fatal(err)
	}
	return f.clients.Authenticate(ctx, facts.Client, id, secret)
}

func TestFailedClientAuthenticationsAreLimited(t *testing.T) {
	rate := func(d *account.Deps) {
		d.ClientRate = limit.Rule{Name: "client", Burst: 20, Per: time.Minute}
	}
	t.Run("CLI-012 50 wrong secrets from one address lock out that address only", func(t *testing.T) {
		f := newFixture(t, rate)
		f.add(t, conf())
		f.add(t, pub())
		for i := range 50 {
			err := f.authenticate(t, "192.0.2.1", "conf", "wrong-secret-wrong-secret")
			e, limited := errors.AsType[*limit.ExceededError](err)
			if limited != (i >= 20) || limited && e.RetryAfter <= 0 {
				t.Fatalf("attempt %d: got %v", i+1, err)
			}
		}
		if err := f.authenticate(t, "192.0.2.1", "conf", confSecret); err == nil {
			t.Error("the first address goes on")
		}
		if err := f.authenticate(t, "192.0.2.2", "conf", confSecret); err != nil {
			t.Errorf("the second address: %v", err)
		}
		if err := f.authenticate(t, "192.0.2.1", "pub", ""); err != nil {
			t.Errorf("another client at the first address: %v", err)
		}
	})
	t.Run("an unknown client's answers are the same", func(t *testing.T) {
		f := newFixture(t, rate)
		for i := range 25 {
			_, limited := errors.AsType[*limit.ExceededError](f.authenticate(t, "192.0.2.1", "nobody", "x"))
			if limited != (i >= 20) {
				t.Fatalf("attempt %d limited: %v", i+1, limited)
			}
		}
	})
	t.Run("right secrets cost nothing", func(t *testing.T) {
		f := newFixture(t, rate)
		f.add(t, conf())
		for range 50 {
			if err := f.authenticate(t, "192.0.2.1", "conf", confSecret); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestClientsAreRefused(t *testing.T) {
	negative := -time.Second
	edit := func(do func(*account.ClientSpec)) func(*account.ClientSpec) { return do }
	for _, tc := range []struct {
		name  string
		edit  func(*account.ClientSpec)
		field string
	}{
		{"no id", edit(func(s *account.ClientSpec) { s.ID = "" }), "id"},
		{"an id with a line's end", edit(func(s *account.ClientSpec) { s.ID = "a\nb" }), "id"},
		{"an id that is too long", edit(func(s *account.ClientSpec) { s.ID = strings.Repeat("a", 256) }), "id"},
		{"the built-in client's id", edit(func(s *account.ClientSpec) { s.ID = authserver.FirstPartyClientID }), "id"},
		{"that of browser sessions", edit(func(s *account.ClientSpec) { s.ID = authserver.BrowserClientID }), "id"},
		{"a short secret", edit(func(s *account.ClientSpec) { s.Secret = "fifteen-letters" }), "secret"},
		{"a secret with a line end", edit(func(s *account.ClientSpec) { s.Secret += "\n" }), "secret"},
		{"a secret that is too long", edit(func(s *account.ClientSpec) { s.Secret = strings.Repeat("s", 1025) }), "secret"},
		{"a public client with a secret", edit(func(s *account.ClientSpec) { *s = pub(); s.Secret = confSecret }), "secret"},
		{"an unknown grant", edit(func(s *account.ClientSpec) { s.Grants = []string{"implicit"} }), "grants"},
		{"no grant and nothing else to do", edit(func(s *account.ClientSpec) { s.Grants, s.Introspect = nil, false }), "grants"},
		{"CCG-003 a public client with client_credentials", edit(func(s *account.ClientSpec) {
			*s = pub()
			s.Grants = append(s.Grants, authserver.GrantClientCredentials)
		}), "grants"},
		{"a scope with a space", edit(func(s *account.ClientSpec) { s.Scopes = []string{"a b"} }), "scopes"},
		{"an empty scope", edit(func(s *account.ClientSpec) { s.Scopes = []string{""} }), "scopes"},
		{"too much scope", edit(func(s *account.ClientSpec) { s.Scopes = []string{strings.Repeat("s", 1025)} }), "scopes"},
		{"an unknown resource", edit(func(s *account.ClientSpec) { s.Resources = []string{"https://other.example"} }), "resources"},
		{"an unknown resource to serve", edit(func(s *account.ClientSpec) { s.Serves = []string{"https://other.example"} }), "serves"},
		{"a public client that introspects", edit(func(s *account.ClientSpec) { *s = pub(); s.Introspect = true }), "introspect"},
		{"a negative grace", edit(func(s *account.ClientSpec) { s.RefreshGrace = &negative }), "refresh_grace_seconds"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			s := conf()
			tc.edit(&s)
			_, _, err := f.clients.Add(t.Context(), s, "cli")
			e, ok := errors.AsType[*account.InvalidError](err)
			if !ok || e.Field != tc.field {
				t.Fatalf("got %v, want a fault of %s", err, tc.field)
			}
			if s.Secret != "" && strings.Contains(err.Error(), s.Secret) {
				t.Error("the secret is in the error")
			}
			clients, err := f.clients.List(t.Context())
			scopes, _ := f.db.Scopes(t.Context())
			if err != nil || len(clients) != 0 || len(scopes) != 0 {
				t.Error("something was made")
			}
		})
	}
}

func TestSecretsAreShownOnce(t *testing.T) {
	f := newFixture(t)
	s := conf()
	s.Secret = ""
	c, secret, err := f.clients.Add(t.Context(), s, "cli")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(secret) || c.Incarnation == 0 {
		t.Errorf("got a secret of %d characters, incarnation %d", len(secret), c.Incarnation)
	}
	rotated, err := f.clients.RotateSecret(t.Context(), "conf", "cli")
	if err != nil {
		t.Fatal(err)
	}
	if e := f.lastEvent(t); e.Act != "client.rotate_secret" || e.ClientID != "conf" || e.Actor != "cli" {
		t.Errorf("event %+v", e)
	}
	if err := f.authenticate(t, "192.0.2.1", "conf", secret); err == nil {
		t.Error("the old secret goes on")
	}
	if err := f.authenticate(t, "192.0.2.1", "conf", rotated); err != nil {
		t.Errorf("the new secret: %v", err)
	}
	t.Run("CLI-013 no secret is in the database", func(t *testing.T) {
		dump := f.dump(t)
		for _, s := range []string{secret, rotated} {
			if bytes.Contains(dump, []byte(s)) {
				t.Error("a secret is in the clear")
			}
		}
	})
	t.Run("a public client has none to rotate", func(t *testing.T) {
		f.add(t, pub())
		_, err := f.clients.RotateSecret(t.Context(), "pub", "cli")
		if _, ok := errors.AsType[*account.InvalidError](err); !ok {
			t.Errorf("got %v", err)
		}
	})
}

func TestClientIDsAreGivenOnce(t *testing.T) {
	f := newFixture(t)
	f.add(t, conf())
	if _, _, err := f.clients.Add(t.Context(), conf(), "cli"); !errors.Is(err, authserver.ErrConflict) {
		t.Errorf("a second time: %v", err)
	}
	if err := f.clients.Remove(t.Context(), "conf", "cli"); err != nil {
		t.Fatal(err)
	}
	if e := f.lastEvent(t); e.Act != "client.remove" || e.ClientID != "conf" {
		t.Errorf("event %+v", e)
	}
	if live := f.revocations(t); len(live) != 1 || live[0].Kind != authserver.KindClient || f.changed.Load() != 1 {
		t.Errorf("entries %+v, Changed called %d times", live, f.changed.Load())
	}
	if _, _, err := f.clients.Add(t.Context(), conf(), "cli"); !errors.Is(err, authserver.ErrConflict) {
		t.Errorf("while its tokens may live: %v", err)
	}
	if err := f.clients.Remove(t.Context(), "conf", "cli"); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("a second removal: %v", err)
	}
	if _, err := f.clients.RotateSecret(t.Context(), "conf", "cli"); !errors.Is(err, authserver.ErrNotFound) {
		t.Errorf("rotation: %v", err)
	}
}

func TestAddRegistersScopes(t *testing.T) {
	f := newFixture(t)
	if err := f.db.PutScope(t.Context(), "write", authserver.Scope{RequiresRole: "editor"}, authserver.Event{Act: "test"}); err != nil {
		t.Fatal(err)
	}
	f.add(t, conf())
	scopes, err := f.db.Scopes(t.Context())
	if err != nil || len(scopes) != 2 || scopes["read"].RequiresRole != "" || scopes["write"].RequiresRole != "editor" {
		t.Errorf("got %v, %v", scopes, err)
	}
}
