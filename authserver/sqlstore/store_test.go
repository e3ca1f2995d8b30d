package sqlstore_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/storetest"
)

func TestTwoServers(t *testing.T) {
	for _, tc := range []struct {
		name  string
		grace time.Duration
		rest  authserver.Outcome
	}{
		{"REF-015 50 parallel presentations over two servers, with grace, get one session", 10 * time.Second, authserver.Repeated},
		{"REF-016 50 parallel presentations over two servers, with grace 0, have one winner", 0, authserver.Reused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "test.db")
			a, b := open(t, path), open(t, path)
			s, secret := benchSession(uuid.NewString())
			if _, err := a.Open(t.Context(), s, 0); err != nil {
				t.Fatal(err)
			}
			p := authserver.Advance{Secret: secret, ClientID: "web", ClientIncarnation: 7, Now: time.Now(), Grace: tc.grace, IdleLifetime: time.Hour}
			got := storetest.ParallelAdvance(t, []authserver.SessionStore{a, b}, s.ID, p, 50)
			if got[authserver.Rotated] != 1 || got[tc.rest] != 49 {
				t.Errorf("got %v, want one rotated and 49 %v", got, tc.rest)
			}
		})
	}
}

// REF-022, CLI-013: the files hold no token, no secret, and nothing that either
// can be made from without SECRET_KEY.
func TestDumpHoldsNoSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	d := open(t, path)
	key := authserver.RefreshKey{ID: [4]byte{1, 2, 3, 4}, Key: []byte("a key that is derived from SECRET_KEY")}
	const clientSecret = "conf-secret-0123456789abcdef"
	mac := hmac.New(sha256.New, []byte("another key that is"))
	mac.Write([]byte(clientSecret))
	client := authserver.Client{ID: "web", Incarnation: 7, SecretHash: mac.Sum(nil), Scopes: []string{"read"}}
	if err := d.AddClient(t.Context(), client, authserver.Event{Act: "client.add", ClientID: "web"}); err != nil {
		t.Fatal(err)
	}

	subject := uuid.New()
	s, secret := benchSession(subject.String())
	if _, err := d.Open(t.Context(), s, 100); err != nil {
		t.Fatal(err)
	}
	token := authserver.RefreshToken{Subject: [16]byte(subject), Secret: secret}
	id, err := base64.RawURLEncoding.DecodeString(s.ID)
	if err != nil {
		t.Fatal(err)
	}
	copy(token.SessionID[:], id)
	tokens := []string{token.Encode(key)}
	a := authserver.Advance{Secret: secret, ClientID: "web", ClientIncarnation: 7, Now: time.Now(), IdleLifetime: time.Hour}
	for range 3 {
		after, _, err := d.Advance(t.Context(), s.ID, a)
		if err != nil {
			t.Fatal(err)
		}
		a.Counter, token.Counter = after.Counter, after.Counter
		tokens = append(tokens, token.Encode(key))
	}
	ending := authserver.Ending{Kind: authserver.KindSession, ID: s.ID, Subject: s.Subject, ClientID: "web", Reason: authserver.ReasonLogout}
	if err := d.End(t.Context(), []authserver.Ending{ending}, authserver.Event{Act: "session.end", SessionID: s.ID}); err != nil {
		t.Fatal(err)
	}

	forbidden := map[string][]byte{"the client's secret": []byte(clientSecret), "the MAC key": key.Key, "the prefix of tokens": []byte(authserver.RefreshTokenPrefix)}
	add := func(name string, b []byte) {
		forbidden[name] = b
		forbidden[name+" in hex"] = []byte(hex.EncodeToString(b))
		forbidden[name+" in base64url"] = []byte(base64.RawURLEncoding.EncodeToString(b))
		forbidden[name+" in base64"] = []byte(base64.StdEncoding.EncodeToString(b))
	}
	add("the session's secret", secret[:])
	for _, text := range tokens {
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, authserver.RefreshTokenPrefix))
		if err != nil {
			t.Fatal(err)
		}
		add("a token", raw)
		add("a token's MAC", raw[len(raw)-sha256.Size:])
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 3 {
		t.Fatalf("the database is in %v, %v; want it with its log", files, err)
	}
	found := false
	for _, name := range files {
		dump, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found = found || bytes.Contains(dump, []byte(s.ID))
		for what, b := range forbidden {
			if bytes.Contains(dump, b) {
				t.Errorf("%s is in %s", what, filepath.Base(name))
			}
		}
	}
	if !found {
		t.Error("not even the session's id is in the files: the test looks in the wrong place")
	}
}

func TestTimePasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openNew(t)
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(d.RaiseLifetimes(ctx, 30*time.Minute, 30*24*time.Hour))
		client := authserver.Client{ID: "web", Incarnation: 1}
		must(d.AddClient(ctx, client, authserver.Event{}))
		must(d.RemoveClient(ctx, "web", authserver.Event{}))
		ending := authserver.Ending{Kind: authserver.KindSession, ID: "sid", Reason: authserver.ReasonLogout}
		must(d.End(ctx, []authserver.Ending{ending}, authserver.Event{}))
		s, _ := benchSession(uuid.NewString())
		s.IdleDeadline, s.Deadline = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		_, err := d.Open(ctx, s, 0)
		must(err)

		state := func(entries int, tombstone, session bool) {
			t.Helper()
			for range 2 { // before it is swept and after
				live, head, err := d.Revocations(ctx, 0)
				must(err)
				if len(live) != entries || head < 2 {
					t.Errorf("got %v and head %d, want %d entries", live, head, entries)
				}
				f, err := d.Facts(ctx, authserver.Ask{SessionID: "sid"})
				must(err)
				if (f.Ended != nil) != tombstone {
					t.Errorf("tombstone %v, want %v", f.Ended != nil, tombstone)
				}
				_, err = d.Session(ctx, s.ID)
				if session {
					must(err)
				} else if !errors.Is(err, authserver.ErrNotFound) {
					t.Errorf("session: got %v, want %v", err, authserver.ErrNotFound)
				}
				must(d.Sweep(ctx))
			}
		}
		state(2, true, true)
		time.Sleep(31*time.Minute - time.Second)
		state(2, true, true)
		if err := d.AddClient(ctx, client, authserver.Event{}); !errors.Is(err, authserver.ErrConflict) {
			t.Errorf("the id was given again: %v", err)
		}
		time.Sleep(time.Second)
		must(d.AddClient(ctx, client, authserver.Event{}))
		// The dead entry has not been swept: the new one takes its place.
		must(d.RemoveClient(ctx, "web", authserver.Event{}))
		state(1, true, true)
		time.Sleep(30 * time.Minute)
		state(1, true, false)
		time.Sleep(30 * 24 * time.Hour)
		must(d.Sweep(ctx)) // a tombstone counts for as long as it is there
		state(0, false, false)
	})
}

func TestSweepKeepsSequence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openNew(t)
		for i := range int64(3) {
			ending := authserver.Ending{Kind: authserver.KindToken, ID: rand.Text()}
			if err := d.End(t.Context(), []authserver.Ending{ending}, authserver.Event{}); err != nil {
				t.Fatal(err)
			}
			live, head, err := d.Revocations(t.Context(), 0)
			if err != nil || head != i+1 || len(live) != 1 || live[0].Seq != head {
				t.Errorf("got %v, %d, %v; want entry %d alone", live, head, err, i+1)
			}
			time.Sleep(2 * time.Minute)
			if err := d.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}
