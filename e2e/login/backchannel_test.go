package login

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// listener is an application that is told of logouts.
type listener struct {
	*httptest.Server
	got    chan string // logout tokens
	status atomic.Int32
}

func newListener(t *testing.T) *listener {
	l := &listener{got: make(chan string, 100)}
	l.status.Store(200)
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.PostFormValue("logout_token")
		w.WriteHeader(int(l.status.Load()))
		l.got <- token
	}))
	t.Cleanup(l.Close)
	return l
}

// next is the next logout token's header and claims.
func (l *listener) next(t *testing.T) (header, claims map[string]any) {
	t.Helper()
	select {
	case token := <-l.got:
		parts := strings.Split(token, ".")
		for i, into := range []*map[string]any{&header, &claims} {
			raw, err := base64.RawURLEncoding.DecodeString(parts[i])
			if err != nil || json.Unmarshal(raw, into) != nil {
				t.Fatalf("logout token %q", token)
			}
		}
		return header, claims
	case <-time.After(40 * time.Second): // a server that was killed has it for 20 s
		t.Fatal("no logout token")
	}
	return nil, nil
}

// told is a world whose client rp is told of logouts.
func told(t *testing.T, inRedis bool, l *listener, env ...string) *world {
	t.Helper()
	w := newWorld(t, inRedis, env...)
	binary.Apply(t, w.dir, w.env, strings.Replace(seed, `["https://rp.test/bye"]`, `["https://rp.test/bye"], backchannel_logout_uri: "`+l.URL+`/?a=b"`, 1))
	return w
}

// OUT-005, OUT-006: clients are told of what ended, by whatever server there is.
func TestBackchannel(t *testing.T) {
	for name, inRedis := range map[string]bool{"sessions in the database": false, "sessions in Redis": true} {
		t.Run(name, func(t *testing.T) {
			l := newListener(t)
			w := told(t, inRedis, l, "OUTBOUND_ALLOW=127.0.0.0/8")
			p := w.someone(t)
			s := p.signIn()
			p.leave("id_token_hint", s.id)
			header, claims := l.next(t)
			if header["typ"] != "logout+jwt" || header["alg"] != s.header["alg"] || header["kid"] != s.header["kid"] {
				t.Errorf("header %v; the ID token's is %v", header, s.header)
			}
			if claims["iss"] != w.issuer || claims["aud"] != "rp" || claims["sid"] != s.sid() || claims["sub"] != s.claims["sub"] {
				t.Errorf("claims %v; the ID token's are %v", claims, s.claims)
			}

			// What no list has, and a command ended; the receiver is down, and the
			// server that tried is killed.
			s = p.signIn()
			l.status.Store(503)
			w.run(t, "user", "disable", p.name)
			_, first := l.next(t)
			w.Kill()
			for len(l.got) > 0 {
				<-l.got
			}
			l.status.Store(200)
			w.again(t)
			_, second := l.next(t)
			if first["sid"] != s.sid() || second["sid"] != s.sid() || first["jti"] == second["jti"] {
				t.Errorf("first %v, then %v; want both of %s, each with its own jti", first, second, s.sid())
			}
			if err := w.Stop(); err != nil { // it notes what it has sent
				t.Fatal(err)
			}
			if got := w.run(t, "audit", "list", "--act", "logout.sent"); strings.Count(got, "logout.sent") != 2 {
				t.Errorf("the audit log says\n%s", got)
			}
			if len(l.got) > 0 {
				t.Errorf("%d more logout tokens", len(l.got))
			}
		})
	}
}

// OUT-007: an address that is not allowed is not called, and that is said.
func TestBackchannelAddress(t *testing.T) {
	l := newListener(t)
	w := told(t, false, l)
	p := w.someone(t)
	s := p.signIn()
	a, err := program.Post(http.DefaultClient, w.issuer+"/oauth/revoke", map[string][]string{
		"client_id": {"rp"}, "client_secret": {webSecret}, "token": {s.Refresh},
	})
	program.Must(t, 200, a, err)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if got := w.run(t, "audit", "list", "--act", "logout.refused"); strings.Contains(got, "address 127.0.0.1 is not allowed") {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the audit log does not say so")
		}
	}
	if !strings.Contains(w.Log(), "address 127.0.0.1 is not allowed") || strings.Contains(w.Log(), "a=b") {
		t.Error("the log does not say so, or says too much")
	}
	if len(l.got) > 0 {
		t.Error("it was called")
	}
}
