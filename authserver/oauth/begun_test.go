package oauth

import (
	"errors"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/seal"
)

func TestBegunIsOfOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, err := seal.NewBox(seal.Key{ID: [4]byte{1}})
		if err != nil {
			t.Fatal(err)
		}
		s, _ := authorizer()
		request := func(edits ...string) *authserver.AuthorizationRequest {
			a, err := s.Authorize(t.Context(), edited(t, edits...), authserver.Ask{})
			if err != nil {
				t.Fatal(err)
			}
			return &a.Request
		}
		begun := Begin()
		tw := begun.Seal(box, request())

		time.Sleep(25 * time.Hour) // AUT-030: left open
		for name, r := range map[string]*authserver.AuthorizationRequest{
			"the request":                        request(),
			"with what nobody reads":             request("x=1", "tw=abc"),
			"with an empty one, which is absent": request("nonce="),
		} {
			if got, err := OpenBegun(box, tw, r); err != nil || got != begun {
				t.Errorf("AUT-030: %s: %+v, %v; want %+v", name, got, err, begun)
			}
		}
		for _, edit := range []string{"state=other", "state", "scope=read", "nonce=n", "prompt=login", "redirect_uri=https://web.test/other"} {
			if _, err := OpenBegun(box, tw, request(edit)); !errors.Is(err, seal.ErrNotOurs) {
				t.Errorf("AUT-030: with %s: %v", edit, err)
			}
		}
	})
}

// Opening asks no store: it has none.
func TestForgedBegunBeginsAfresh(t *testing.T) {
	t.Parallel()
	box, err := seal.NewBox(seal.Key{ID: [4]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	r := &authserver.AuthorizationRequest{Parameters: url.Values{"client_id": {"web"}}}
	forger, err := seal.NewBox(seal.Key{ID: [4]byte{1}, Bytes: [seal.KeySize]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	good := Begin().Seal(box, r)
	for i := range 10_000 {
		b := []byte(good)
		b[i%len(b)]++
		for _, tw := range []string{string(b), Begin().Seal(forger, r), good[:i%len(good)]} {
			if _, err := OpenBegun(box, tw, r); !errors.Is(err, seal.ErrNotOurs) {
				t.Fatalf("AUT-035, AUT-030: %q: %v", tw, err)
			}
		}
	}
	if _, err := OpenBegun(box, box.SealText([]byte("short"), digest(r)), r); !errors.Is(err, seal.ErrNotOurs) {
		t.Errorf("of another length: %v", err)
	}
}
