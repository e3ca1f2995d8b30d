package resource_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/resource"
)

func BenchmarkVerify(b *testing.B) {
	for _, algorithm := range algorithms {
		f := newFixture(b, algorithm)
		token := f.alice("user")
		b.Run(algorithm+"/uncached", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f.verifier.VerifyUncached(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(algorithm+"/cached", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.verifier.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerifyParallel(b *testing.B) {
	f := newFixture(b, "ES256")
	token := f.alice("user")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := f.verifier.Verify(b.Context(), token); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkRefuse(b *testing.B) {
	f := newFixture(b, "ES256")
	good := f.alice("user")
	for name, token := range map[string]string{"garbage": "garbage", "signature": good[:len(good)-9] + "AAAAAAAAA"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.verifier.Verify(b.Context(), token); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}

func BenchmarkGuard(b *testing.B) {
	f := newFixture(b, "ES256")
	g := resource.NewGuard(f.verifier, metadataURL)
	rule := hierarchy(b, order).AtLeast("user")
	r := bearer(f.alice("user"))
	b.Run("Authenticate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, c := g.Authenticate(r, rule); c != nil {
				b.Fatal(c)
			}
		}
	})
	handler := g.Require(rule)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	b.Run("Require", func(b *testing.B) {
		b.ReportAllocs()
		w := discard{}
		for b.Loop() {
			clear(w)
			handler.ServeHTTP(w, r)
		}
	})
}

func BenchmarkEndedCheck(b *testing.B) {
	for _, n := range []int{0, 100_000} {
		e := resource.NewEnded()
		e.Ready()
		until := time.Now().Add(time.Hour)
		for i := range n {
			e.Apply(resource.Revocation{Kind: resource.KindSession, ID: fmt.Sprint(i), Until: until})
		}
		c := newFixture(b, "HS256").User("alice", "user")
		b.Run(fmt.Sprintf("%d entries", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ended, _ := e.Check(&c, "key-1"); ended {
					b.Fatal("ended")
				}
			}
		})
	}
}

// discard is a ResponseWriter that keeps headers only.
type discard http.Header

func (d discard) Header() http.Header         { return http.Header(d) }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
