package oauth

import (
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// AUT-007: a code is not good again when its request is answered again, after its
// session was forgotten.
func TestAnOldCodeStaysOld(t *testing.T) {
	t.Parallel()
	v := newFixture(t).visit()
	v.consent("native")
	a := v.opened(nativeAsk, "")
	old := v.answer(a)
	c, err := openCode(v.codes, old, "native", nativeCB)
	if err != nil {
		t.Fatal(err)
	}
	c.at = c.at.Add(-codeLifetime)
	old = c.seal(v.codes, "native", nativeCB)
	if err := v.Sessions.Drop(t.Context(), c.token.SID()); err != nil {
		t.Fatal(err)
	}
	_, err = v.post(redemption(old))
	wantCode(t, err, CodeInvalidGrant)
	fresh := v.answer(a)
	_, err = v.post(redemption(old))
	wantCode(t, err, CodeInvalidGrant)
	res := v.redeem(fresh)
	// Then it is reuse.
	_, err = v.post(redemption(old))
	wantCode(t, err, CodeInvalidGrant)
	if _, err := v.verifier.Verify(t.Context(), res.AccessToken); err == nil {
		t.Error("a code is used again after its minute, and the session goes on")
	}
}

// A page that was left open for longer than a session lasts goes on, to a session
// of its own: refresh tokens of the one before stay dead.
func TestAVeryOldWayHasANewSession(t *testing.T) {
	t.Parallel()
	v := newFixture(t).visit()
	v.consent("native")
	a := v.opened(nativeAsk, "")
	a.Begun.At = time.Now().Add(-v.Settings.IdleLifetime)
	before := authserver.SessionIDText(a.Begun.SessionID)
	if c := v.claims(v.redeem(v.answer(a)).AccessToken); c.SessionID == before {
		t.Error("the session is that of the beginning")
	}
	a.once = true
	if _, err := v.Answer(t.Context(), a, v.login); err == nil {
		t.Error("a pushed request is answered after so long")
	}
}
