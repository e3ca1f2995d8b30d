package authserver

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

func testKey(t testing.TB, id byte) RefreshKey {
	t.Helper()
	return RefreshKey{ID: [4]byte{id, 1, 2, 3}, Key: bytes.Repeat([]byte{id}, 32)}
}

func randomToken() RefreshToken {
	t := RefreshToken{SessionEpoch: 3, Counter: 7}
	rand.Read(t.SessionID[:])
	rand.Read(t.Subject[:])
	rand.Read(t.Secret[:])
	return t
}

func TestARefreshTokenIsReadAsItWasWritten(t *testing.T) {
	key, other := testKey(t, 1), testKey(t, 2)
	want := randomToken()
	child := randomToken()
	rand.Read(child.Parent[:])
	for _, keys := range [][]RefreshKey{{key}, {other, key}} {
		for _, want := range []RefreshToken{want, child} {
			got, err := ParseRefreshToken(want.Encode(key), keys)
			if err != nil || got != want {
				t.Errorf("got %v, %v; want %v", got, err, want)
			}
		}
	}
	if sid, ok := ParseSessionID(child.ParentSID()); !ok || sid != child.Parent || want.ParentSID() != "" {
		t.Errorf("parents %q, %q", child.ParentSID(), want.ParentSID())
	}
	sub, ok := ParseSubject(want.Sub())
	if !ok || sub != want.Subject {
		t.Errorf("subject %q reads as %x, want %x", want.Sub(), sub, want.Subject)
	}
}

// REF-003: garbage is refused without a store.
func TestGarbageIsNoRefreshToken(t *testing.T) {
	key := testKey(t, 1)
	good := randomToken().Encode(key)
	child := randomToken()
	rand.Read(child.Parent[:])
	last := randomToken()
	last.Counter = 1<<32 - 1
	sameID := RefreshKey{ID: key.ID, Key: bytes.Repeat([]byte{9}, 32)}

	for name, s := range map[string]string{
		"empty":                      "",
		"the prefix alone":           RefreshTokenPrefix,
		"another prefix":             "twa_" + good[4:],
		"truncated":                  good[:len(good)-1],
		"extended":                   good + "A",
		"padded":                     good + "=",
		"a child without its parent": RefreshTokenPrefix + child.Encode(key)[4:4+refreshEncoding.EncodedLen(refreshBody)] + good[4+refreshEncoding.EncodedLen(refreshBody):],
		"line ends for letters":      RefreshTokenPrefix + strings.Repeat("\r", 60) + good[64:],
		"standard alphabet":          RefreshTokenPrefix + strings.Repeat("+", len(good)-4),
		"under a key unknown to us":  randomToken().Encode(testKey(t, 2)),
		"under another key's secret": randomToken().Encode(sameID),
		"a counter with no next":     last.Encode(key),
	} {
		if _, err := ParseRefreshToken(s, []RefreshKey{key}); !errors.Is(err, ErrBadRefreshToken) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	raw, _ := base64.RawURLEncoding.DecodeString(good[4:])
	for bit := range len(raw) * 8 {
		flipped := bytes.Clone(raw)
		flipped[bit/8] ^= 1 << (bit % 8)
		s := RefreshTokenPrefix + base64.RawURLEncoding.EncodeToString(flipped)
		if _, err := ParseRefreshToken(s, []RefreshKey{key}); err == nil {
			t.Fatalf("bit %d flipped is still a token", bit)
		}
	}
}

// TOK-028: what cannot be guessed differs in every token and looks uniform.
func TestRefreshTokensCannotBeGuessed(t *testing.T) {
	const n = 100_000
	key := testKey(t, 1)
	seen := make(map[string]bool, n)
	var ones [128 + 256]int
	for range n {
		raw, _ := base64.RawURLEncoding.DecodeString(randomToken().Encode(key)[4:])
		secret, mac := raw[36:52], raw[60:]
		for i, b := range append(bytes.Clone(secret), mac...) {
			for bit := range 8 {
				ones[i*8+bit] += int(b >> bit & 1)
			}
		}
		for _, part := range []string{string(secret), string(mac)} {
			if seen[part] {
				t.Fatal("a secret or a MAC came twice")
			}
			seen[part] = true
		}
	}
	// The standard deviation of a fair bit's count is √n/2 = 158; seven of them
	// are passed once in 10¹² bits.
	for bit, count := range ones {
		if d := count - n/2; d < -1107 || d > 1107 {
			t.Errorf("bit %d is set %d times of %d", bit, count, n)
		}
	}
}

func FuzzParseRefreshToken(f *testing.F) {
	key := RefreshKey{ID: [4]byte{1, 1, 2, 3}, Key: bytes.Repeat([]byte{1}, 32)}
	f.Add(randomToken().Encode(key))
	f.Add("twr_")
	f.Add("twr_" + strings.Repeat("A", 123))
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseRefreshToken(s, []RefreshKey{key})
		if err == nil && got.Encode(key) != s {
			t.Errorf("%q reads as what is written otherwise", s)
		}
	})
}

func BenchmarkParseRefreshToken(b *testing.B) {
	keys := []RefreshKey{testKey(b, 1)}
	s := randomToken().Encode(keys[0])
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseRefreshToken(s, keys); err != nil {
			b.Fatal(err)
		}
	}
}
