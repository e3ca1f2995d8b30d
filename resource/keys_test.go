package resource_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/resourcetest"
)

func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.follow(t)
		time.Sleep(time.Minute)
		old := n.Mint(n.User("alice"))
		f.want(t, ok, old)
		if n.JWKSRequests() != 1 {
			t.Errorf("%d requests for the keys to begin with", n.JWKSRequests())
		}
		n.Rotate("key-2")
		f.want(t, ok, n.Mint(n.User("alice")))
		f.want(t, ok, old)
		if n.JWKSRequests() != 2 {
			t.Errorf("RSV-032 %d requests for the keys after the first token of the new one, want 2", n.JWKSRequests())
		}
		n.RemoveKey("key-1")
		time.Sleep(5 * time.Minute) // max-age
		f.want(t, refused, old)
	})
}

func TestUnknownKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.follow(t)
		time.Sleep(10 * time.Second)
		forged := resourcetest.New(t).AddKey("no such key", "ES256")
		token := n.Token(forged, n.User("alice"))
		before := n.JWKSRequests()
		for range 3 { // three cool-downs
			var wg sync.WaitGroup
			for range 1000 {
				wg.Go(func() { f.want(t, refused, token) })
			}
			wg.Wait()
			f.want(t, ok, n.Mint(n.User("alice")))
			time.Sleep(5 * time.Second)
		}
		if got := n.JWKSRequests() - before; got != 3 {
			t.Errorf("RSV-032 %d requests for the keys in three cool-downs", got)
		}
	})
}

// RSV-032 a key that is made right after the keys were fetched, at the start or
// by the clock, is found with its first token.
func TestKeyMadeAfterAFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.follow(t)
		synctest.Wait()
		n.Rotate("key-2")
		f.want(t, ok, n.Mint(n.User("alice")))
	})
}

// A burnt key is refused at once, and tokens of its successor pass though the
// cool-down has not: the feed says that there is one.
func TestBurntKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.follow(t)
		time.Sleep(10 * time.Second)
		burnt := n.Mint(n.User("alice"))
		f.want(t, ok, burnt)
		garbage := n.Token(resourcetest.New(t).AddKey("x", "ES256"), n.User("alice"))
		f.want(t, refused, garbage) // the cool-down begins
		n.Rotate("key-2")
		n.RemoveKey("key-1")
		n.Revoke(resource.Revocation{Kind: resource.KindKey, ID: "key-1", Reason: "key_burnt"})
		synctest.Wait()
		f.want(t, refused, burnt)
		f.want(t, ok, n.Mint(n.User("alice")))
	})
}

// While the issuer is away, a new kid may be good or not: nobody can tell.
func TestUnknownKeyInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.follow(t)
		time.Sleep(time.Minute)
		known := n.Mint(n.User("alice"))
		n.down()
		n.Rotate("key-2")
		for range 2 {
			f.want(t, unavailable, n.Mint(n.User("alice")))
			f.want(t, ok, known) // RSV-034
		}
		n.up()
		time.Sleep(time.Minute)
		f.want(t, ok, n.Mint(n.User("alice")))
	})
}

// Whoever waits for keys waits no longer than its request.
func TestSlowKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.down()
		var slow atomic.Bool
		n.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == resourcetest.PathJWKS && slow.Load() {
				<-r.Context().Done()
				return
			}
			n.ServeHTTP(w, r)
		})
		n.up()
		f := n.follow(t)
		time.Sleep(10 * time.Second)
		slow.Store(true)
		n.Rotate("key-2")
		token := n.Mint(n.User("alice"))
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := f.Verify(ctx, token); !errors.Is(err, resource.ErrUnavailable) || time.Since(start) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		f.want(t, unavailable, token)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("answered after %v", took)
		}
	})
}

func TestWhichKeysAreUsed(t *testing.T) {
	issuer := resourcetest.New(t)
	ec, ed := issuer.AddKey("ec", "ES256"), issuer.AddKey("ed", "EdDSA")
	rsa := issuer.AddKey("rsa", "RS256")
	edit := func(k *resourcetest.Key, name string, value any) map[string]any {
		m := map[string]any{}
		for member, text := range k.JWK() {
			m[member] = text
		}
		if m[name] = value; value == nil {
			delete(m, name)
		}
		return m
	}
	for _, tc := range []struct {
		name string
		key  *resourcetest.Key
		jwk  map[string]any
		used bool
	}{
		{"ES256", ec, edit(ec, "", nil), true},
		{"EdDSA", ed, edit(ed, "", nil), true},
		{"RS256", rsa, edit(rsa, "", nil), true},
		{"no use", ec, edit(ec, "use", nil), true},
		{"no alg", ec, edit(ec, "alg", nil), true},
		{"a member that is not known", ec, edit(ec, "x5t", "abc"), true},
		{"key_ops verify", ec, edit(ec, "key_ops", []string{"verify"}), true},
		{"key_ops encrypt", ec, edit(ec, "key_ops", []string{"encrypt"}), false},
		{"use enc", ec, edit(ec, "use", "enc"), false},
		{"use that is no text", ec, edit(ec, "use", 1), false},
		{"another alg", ec, edit(ec, "alg", "ES384"), false},
		{"RSV-018 PS256", rsa, edit(rsa, "alg", "PS256"), false},
		{"kty oct", ec, edit(ec, "kty", "oct"), false},
		{"kty in another case", ec, edit(ec, "kty", "ec"), false},
		{"an unknown curve", ec, edit(ec, "crv", "P-384"), false},
		{"Ed448", ed, edit(ed, "crv", "Ed448"), false},
		{"no kid", ec, edit(ec, "kid", nil), false},
		{"a kid that is too long", ec, edit(ec, "kid", strings.Repeat("k", 200)), false},
		{"its secret half", ec, edit(ec, "d", "AAAA"), false},
		{"a symmetric secret", ec, edit(ec, "k", "AAAA"), false},
		{"a member in another case", ec, edit(ec, "USE", "enc"), false},
		{"a point that is not on the curve", ec, edit(ec, "x", strings.Repeat("A", 43)), false},
		{"a short coordinate", ec, edit(ec, "x", "AAAA"), false},
		{"a coordinate with padding", ec, edit(ec, "x", ec.JWK()["x"]+"="), false},
		{"a short modulus", rsa, edit(rsa, "n", "AQAB"), false},
		{"a huge modulus", rsa, edit(rsa, "n", strings.Repeat("_", 4000)), false},
		{"exponent 1", rsa, edit(rsa, "e", "AQ"), false},
		{"an even exponent", rsa, edit(rsa, "e", "AQAA"), false},
		{"a short Ed25519 key", ed, edit(ed, "x", "AAAA"), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				n.down()
				good := resourcetest.New(t).AddKey("good", "ES256")
				n.handler = answers(n, resourcetest.PathJWKS, marshal(t, map[string]any{"keys": []any{tc.jwk, good.JWK()}}))
				n.up()
				f := n.follow(t)
				synctest.Wait()
				f.want(t, ok, n.Token(good, n.User("alice")))
				want := refused
				if tc.used {
					want = ok
				}
				f.want(t, want, n.Token(tc.key, n.User("alice")))
			})
		})
	}
}

// A set that makes no sense changes nothing.
func TestBadJWKS(t *testing.T) {
	key := resourcetest.New(t).AddKey("other", "ES256")
	whole, err := json.Marshal(map[string]any{"keys": []any{key.JWK()}})
	if err != nil {
		t.Fatal(err)
	}
	for name, document := range map[string]string{
		"nothing":           ``,
		"no keys":           `{"keys":[]}`,
		"no member keys":    `{}`,
		"null":              `null`,
		"keys as an object": `{"keys":{}}`,
		"HTML":              `<html>`,
		"KEYS":              strings.Replace(string(whole), "keys", "KEYS", 1),
		"more after it":     string(whole) + "{}",
		"over 1 MiB":        string(whole) + strings.Repeat(" ", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				f := n.follow(t)
				synctest.Wait()
				n.down()
				n.handler = answers(n, resourcetest.PathJWKS, []byte(document))
				n.up()
				time.Sleep(10 * time.Minute)
				f.want(t, ok, n.Mint(n.User("alice")))
				f.want(t, unavailable, n.Token(key, n.User("alice")))
			})
		})
	}
}

func answers(n *network, path string, document []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			n.ServeHTTP(w, r)
			return
		}
		w.Write(document)
	})
}

func TestMetadata(t *testing.T) {
	const good = `{"issuer":"https://auth.example.test","jwks_uri":"https://auth.example.test/.well-known/jwks.json",` +
		`"revocation_feed_endpoint":"https://auth.example.test/oauth/revocations"}`
	for _, tc := range []struct {
		name, from, to string
		status         int
	}{
		{"as it is", "", "", ok},
		{"another issuer", `"issuer":"https://auth.example.test"`, `"issuer":"https://evil.example.test"`, unavailable},
		{"the issuer with a slash", `example.test",`, `example.test/",`, unavailable},
		{"the issuer in another case", `"issuer":"https://auth`, `"issuer":"https://AUTH`, unavailable},
		{"no issuer", `"issuer"`, `"x"`, unavailable},
		{"ISSUER", `"issuer"`, `"ISSUER"`, unavailable},
		{"two issuers", `{`, `{"issuer":"https://auth.example.test",`, unavailable},
		{"an issuer that is no text", `"issuer":"https://auth.example.test"`, `"issuer":1`, unavailable},
		{"keys over http", `"jwks_uri":"https`, `"jwks_uri":"http`, unavailable},
		{"no keys", `"jwks_uri"`, `"x"`, unavailable},
		{"the feed over http", `"revocation_feed_endpoint":"https`, `"revocation_feed_endpoint":"http`, unavailable},
		{"no feed", `"revocation_feed_endpoint"`, `"x"`, unavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				n.down()
				n.handler = answers(n, resourcetest.PathMetadata, []byte(strings.Replace(good, tc.from, tc.to, 1)))
				n.up()
				f := n.follow(t)
				time.Sleep(time.Minute)
				f.want(t, tc.status, n.Mint(n.User("alice")))
				if tc.status != ok && n.JWKSRequests()+n.FeedRequests() != 0 {
					t.Error("went on all the same")
				}
			})
		})
	}
	t.Run("a redirect is not followed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t)
			n.down()
			n.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == resourcetest.PathMetadata {
					http.Redirect(w, r, "/elsewhere", http.StatusFound)
					return
				}
				t.Errorf("asked for %s", r.URL.Path)
			})
			n.up()
			f := n.follow(t)
			time.Sleep(time.Minute)
			f.want(t, unavailable, n.Mint(n.User("alice")))
		})
	})
}

func TestConfigFaults(t *testing.T) {
	good := resource.Config{
		Issuer: "https://auth.example.test", Audience: "https://api.example.test",
		ClientID: "api", ClientSecret: "the secret of the API",
	}
	for _, tc := range []struct {
		name string
		edit func(*resource.Config)
		want string
	}{
		{"no issuer", func(c *resource.Config) { c.Issuer = "" }, "Issuer is empty"},
		{"an issuer over http", func(c *resource.Config) { c.Issuer = "http://auth.example.test" }, "Issuer"},
		{"an issuer with a password", func(c *resource.Config) { c.Issuer = "https://u:hidden@auth.example.test" }, "Issuer"},
		{"an issuer that is no URL", func(c *resource.Config) { c.Issuer = "auth.example.test" }, "Issuer"},
		{"an issuer with a fragment", func(c *resource.Config) { c.Issuer = "https://auth.example.test#x" }, "Issuer"},
		{"no audience", func(c *resource.Config) { c.Audience = "" }, "Audience"},
		{"no client", func(c *resource.Config) { c.ClientID = "" }, "ClientID"},
		{"no secret", func(c *resource.Config) { c.ClientSecret = "" }, "ClientSecret"},
		{"a negative leeway", func(c *resource.Config) { c.Leeway = -1 }, "Leeway"},
		{"a leeway longer than endings are remembered", func(c *resource.Config) { c.Leeway = time.Minute + 1 }, "Leeway"},
		{"an unknown policy", func(c *resource.Config) { c.Feed = "open" }, "fail_closed"},
		{"a staleness that is too short", func(c *resource.Config) { c.MaxStaleness = time.Second }, "MaxStaleness"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := good
			tc.edit(&c)
			_, err := resource.New(t.Context(), c)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want %s in it", err, tc.want)
			}
			if strings.Contains(err.Error(), good.ClientSecret) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("a secret in %q", err)
			}
		})
	}
	t.Run("all faults are told", func(t *testing.T) {
		_, err := resource.New(t.Context(), resource.Config{})
		for _, name := range []string{"Issuer", "Audience", "ClientID"} {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s is not in %v", name, err)
			}
		}
	})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.down()
		f := n.follow(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := f.Wait(ctx); !errors.Is(err, resource.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		n.up()
		if err := f.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if err := f.Wait(ctx); err != nil {
			t.Errorf("ready, and asked with a context that is over: %v", err)
		}
	})
}

func TestHooksHearOfEachToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.follow(t)
		synctest.Wait()
		token := n.Mint(n.User("alice"))
		f.want(t, ok, token)
		f.want(t, ok, token)
		n.Revoke(session("alice"))
		synctest.Wait()
		f.want(t, refused, token)
		want := []bool{false, true, true}
		for i, cached := range f.cached {
			if cached != want[i] {
				t.Errorf("token %d: cached %v", i, cached)
			}
		}
		if len(f.cached) != len(want) {
			t.Errorf("heard of %d tokens, want %d", len(f.cached), len(want))
		}
	})
}

// Tokens of every key that the issuer has pass all the time, whatever strangers
// send; those of a burnt one pass no longer than the feed takes.
func TestRotationAndBurnUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.follow(t)
		time.Sleep(time.Minute)
		garbage := n.Token(resourcetest.New(t).AddKey("x", "ES256"), n.User("mallory"))
		old := n.Mint(n.User("alice"))
		var burnt, over atomic.Bool
		var load sync.WaitGroup
		for range 4 {
			load.Go(func() {
				for !over.Load() {
					f.want(t, refused, garbage)
					f.want(t, ok, n.Mint(n.User("alice")))
					if burnt.Load() {
						f.want(t, refused, old)
					}
					time.Sleep(200 * time.Millisecond)
				}
			})
		}
		time.Sleep(3 * time.Second)
		next := n.AddKey("key-2", "ES256") // published before its first use
		time.Sleep(5 * time.Minute)        // max-age
		n.SignWith(next)
		time.Sleep(3 * time.Second)
		n.RemoveKey("key-1")
		n.Revoke(resource.Revocation{Kind: resource.KindKey, ID: "key-1", Reason: "key_burnt"})
		synctest.Wait()
		burnt.Store(true)
		time.Sleep(3 * time.Second)
		over.Store(true)
		load.Wait()
	})
}
