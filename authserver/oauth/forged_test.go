package oauth

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/browser"
)

var forgeries = flag.Int("forgeries", 4_000, "how many codes, tw, request_uris and cookies to forge in all")

// askedSessions counts what a session store is asked.
type askedSessions struct {
	authserver.SessionStore
	n atomic.Int64
}

func (a *askedSessions) Session(ctx context.Context, id string) (authserver.Session, error) {
	a.n.Add(1)
	return a.SessionStore.Session(ctx, id)
}

func (a *askedSessions) Advance(ctx context.Context, id string, p authserver.Advance) (authserver.Session, authserver.Outcome, error) {
	a.n.Add(1)
	return a.SessionStore.Advance(ctx, id, p)
}

// AUT-035: what is forged is known as such without a store, and is the caller's
// fault.
func TestForgeries(t *testing.T) {
	asked := &askedSessions{}
	f := newFixture(t, func(d *Deps) { asked.SessionStore, d.Sessions = d.Sessions, asked })
	v := f.visit()
	v.consent("native")
	a := v.opened(nativeAsk, "")
	pushed, err := v.Push(request(goodRequest, "Basic web:"+confSecret))
	if err != nil {
		t.Fatal(err)
	}
	cookies, err := browser.NewCookies(testIssuer, v.Master.BrowserKeys())
	if err != nil {
		t.Fatal(err)
	}
	cookie := cookies.Write(authserver.RefreshToken{Counter: 1})
	code, tw := v.answer(a), v.Tw(a)
	asked.n.Store(0)

	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	forge := func(good string, from int) string {
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		b := []byte(good)
		for range 1 + r.IntN(3) {
			b[from+r.IntN(len(b)-from)] = letters[r.IntN(len(letters))]
		}
		if r.IntN(10) == 0 {
			b = b[:from+r.IntN(len(b)-from)]
		}
		return string(b)
	}
	for range *forgeries / 4 {
		if bad := forge(code, len(CodePrefix)); bad != code {
			if _, err := openCode(v.codes, bad, "native", nativeCB); !errors.Is(err, errBadCode) {
				t.Fatalf("code %q: %v", bad, err)
			}
		}
		if bad := forge(tw, 0); bad != tw {
			if b, err := openBegun(v.begun, bad, a.Address); err == nil {
				t.Fatalf("tw %q: %+v", bad, b)
			}
		}
		if bad := forge(pushed.RequestURI, len(requestURIPrefix)); bad != pushed.RequestURI {
			_, err := v.Authorize(t.Context(), url.Values{"client_id": {"web"}, "request_uri": {bad}}, "", authserver.Ask{})
			if !errors.Is(err, ErrRequestURI) {
				t.Fatalf("request_uri %q: %v", bad, err)
			}
		}
		if bad := forge(cookie.Value, len(browser.Prefix)); bad != cookie.Value {
			if token, ok := cookies.Read(&http.Request{Header: http.Header{"Cookie": {cookie.Name + "=" + bad}}}); ok {
				t.Fatalf("cookie %q: %+v", bad, token)
			}
		}
	}
	// Of a forged code the database is asked for the client that presents it.
	for range 50 {
		_, err := v.post(redemption(forge(code, len(CodePrefix))+"A"), "client_id=native")
		wantCode(t, err, CodeInvalidGrant)
	}
	if n := asked.n.Load(); n > 0 {
		t.Errorf("the session store was asked %d times", n)
	}
}
