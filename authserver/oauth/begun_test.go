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
		s.begun = box
		request := func(tw string, edits ...string) Authorization {
			a, err := s.Authorize(t.Context(), edited(t, edits...), tw, authserver.Ask{})
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		first := request("")
		begun, tw := first.Begun, s.Tw(first)

		time.Sleep(25 * time.Hour) // AUT-030: left open
		for name, a := range map[string]Authorization{
			"the request":                        request(tw),
			"with what nobody reads":             request(tw, "x=1", "tw=abc"),
			"with an empty one, which is absent": request(tw, "nonce="),
		} {
			if a.Begun != begun {
				t.Errorf("AUT-030: %s: %+v, want %+v", name, a.Begun, begun)
			}
		}
		for _, edit := range []string{"state=other", "state", "scope=read", "nonce=n", "prompt=login", "redirect_uri=https://web.test/other"} {
			if a := request(tw, edit); a.Begun == begun || a.Begun.At.Before(begun.At.Add(25*time.Hour)) {
				t.Errorf("AUT-030: with %s: the way did not begin afresh", edit)
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
	address := url.Values{"client_id": {"web"}}
	forger, err := seal.NewBox(seal.Key{ID: [4]byte{1}, Bytes: [seal.KeySize]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	good := box.SealText(Begin().bytes(), digest(address))
	for i := range 10_000 {
		b := []byte(good)
		b[i%len(b)]++
		for _, tw := range []string{string(b), forger.SealText(Begin().bytes(), digest(address)), good[:i%len(good)]} {
			if _, err := openBegun(box, tw, address); !errors.Is(err, seal.ErrNotOurs) {
				t.Fatalf("AUT-035, AUT-030: %q: %v", tw, err)
			}
		}
	}
	if _, err := openBegun(box, box.SealText([]byte("short"), digest(address)), address); !errors.Is(err, seal.ErrNotOurs) {
		t.Errorf("of another length: %v", err)
	}
}
