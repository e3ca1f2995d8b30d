package keys_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/seal"
)

const (
	secretOne = "BqWcVsCVyXrj0b8zZ0ld0gb5tcXKqMKdvE2oO5Xv1Vg"
	secretTwo = "9f2c7be1d04a88356e1fb0c2d97745aa3c6e8891f2d7b6405c1e0a9d8b7c6f53"
)

func master(t testing.TB, current string, previous ...string) *keys.Master {
	t.Helper()
	m, err := keys.NewMaster(current, previous...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWeakSecretsAreRefusedByName(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, secret, why string
	}{
		{"JWT-010 none", "", "is empty"},
		{"JWT-010 10 bytes", "q7Zr.w2Kd_", "has 10 bytes"},
		{"JWT-010 31 bytes", secretOne[:31], "has 31 bytes"},
		{"JWT-010 the tutorial's placeholder", "your-256-bit-secret-key-here-change-in-production", "placeholder"},
		{"the placeholder in capitals", "YOUR-256-BIT-SECRET-KEY-HERE-CHANGE-IN-PRODUCTION", "placeholder"},
		{"the placeholder with blanks and an end", "your 256 bit secret key here, 2026 edition of it", "placeholder"},
		{"a placeholder of another's", "please-changeme-before-you-go-live-0123", "placeholder"},
		{"one character again and again", strings.Repeat("k", 64), "variety"},
		{"few characters", strings.Repeat("aabbcabc", 4) + "cba", "variety"},
		{"a short piece again and again", strings.Repeat("0123456789", 4), "variety"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			check := func(name string, err error) {
				if err == nil {
					t.Fatalf("%s was taken", name)
				}
				got := err.Error()
				if !strings.HasPrefix(got, name+" ") || !strings.Contains(got, tc.why) || !strings.Contains(got, "openssl rand") {
					t.Errorf("error %q does not name %s, the fault (%s) and the fix", got, name, tc.why)
				}
				if tc.secret != "" && strings.Contains(got, tc.secret) {
					t.Errorf("error %q has the secret", got)
				}
			}
			_, err := keys.NewMaster(tc.secret)
			check("SECRET_KEY", err)
			_, err = keys.NewMaster(secretOne, secretTwo, tc.secret)
			check("SECRET_KEY_PREVIOUS", err)
		})
	}
}

func TestSecretsAreTheirBytesAsWritten(t *testing.T) {
	t.Parallel()
	// Both are 32 bytes or more only if nobody decodes them.
	for _, secret := range []string{
		"00112233445566778899aabbccddeeff",     // 16 bytes of hexadecimal
		"R2VoZWltIGJsZWlidCBnZWhlaW0uLi4hIQ==", // 25 of base64
	} {
		if _, err := keys.NewMaster(secret); err != nil {
			t.Errorf("%v", err)
		}
	}
	if master(t, strings.ToLower(secretTwo)).CheckValue() == master(t, strings.ToUpper(secretTwo)).CheckValue() {
		t.Error("the case of hexadecimal digits makes no difference: it was decoded")
	}
}

func TestCheckValue(t *testing.T) {
	t.Parallel()
	kept := master(t, secretOne).CheckValue()
	for _, tc := range []struct {
		name string
		m    *keys.Master
		want bool
	}{
		{"the same secret opens", master(t, secretOne), true},
		{"a secret that is now previous opens", master(t, secretTwo, secretOne), true},
		{"JWT-010 another secret does not open", master(t, secretTwo), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := tc.m.Opens(kept); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
	if master(t, secretOne).Opens("") {
		t.Error("an empty check value opens")
	}
}

func TestClientSecrets(t *testing.T) {
	t.Parallel()
	old := master(t, secretOne)
	hash := old.HashClientSecret("conf-secret-0123456789abcdef")
	if bytes.Contains(hash, []byte("conf-secret")) {
		t.Fatal("the hash has the secret")
	}
	changed := bytes.Clone(hash)
	changed[len(changed)-1] ^= 1
	for _, tc := range []struct {
		name   string
		m      *keys.Master
		hash   []byte
		secret string
		want   bool
	}{
		{"the right secret matches", old, hash, "conf-secret-0123456789abcdef", true},
		{"a hash made under a previous SECRET_KEY matches", master(t, secretTwo, secretOne), hash, "conf-secret-0123456789abcdef", true},
		{"a wrong secret does not", old, hash, "conf-secret-0123456789abcdeg", false},
		{"an empty secret does not", old, hash, "", false},
		{"a changed hash does not", old, changed, "conf-secret-0123456789abcdef", false},
		{"a hash under a SECRET_KEY that is gone does not", master(t, secretTwo), hash, "conf-secret-0123456789abcdef", false},
		{"no hash does not", old, nil, "conf-secret-0123456789abcdef", false},
		{"no hash and no secret do not", old, nil, "", false},
		{"a short hash does not", old, hash[:20], "conf-secret-0123456789abcdef", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := tc.m.ClientSecretMatches(tc.hash, tc.secret); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestEveryUseHasAKeyOfItsOwn(t *testing.T) {
	t.Parallel()
	m := master(t, secretOne)
	refresh := m.RefreshKeys()[0].Key
	if bytes.Equal(refresh, m.AuditKeys()[0].Secret) || bytes.Contains(refresh, []byte(secretOne)) {
		t.Error("refresh tokens and the audit log share a key, or it is the secret itself")
	}
	if browser := m.BrowserKeys()[0].Key; bytes.Equal(browser, refresh) || bytes.Equal(browser, m.AuditKeys()[0].Secret) {
		t.Error("browsers' cookies share a key: a refresh token would be a cookie")
	}
	if strings.Contains(m.CheckValue(), secretOne) {
		t.Error("the check value has the secret")
	}
}

func TestRefreshKeys(t *testing.T) {
	t.Parallel()
	token := authserver.RefreshToken{Counter: 7}
	text := token.Encode(master(t, secretOne).RefreshKeys()[0])
	swapped := master(t, secretTwo, secretOne).RefreshKeys()
	if got, err := authserver.ParseRefreshToken(text, swapped); err != nil || got != token {
		t.Errorf("a token from before the swap: got %v, %v", got, err)
	}
	text = token.Encode(swapped[0])
	if _, err := authserver.ParseRefreshToken(text, master(t, secretOne).RefreshKeys()); err == nil {
		t.Error("a token made under the next secret is read by a server that does not have it")
	}
}

func TestBoxes(t *testing.T) {
	t.Parallel()
	box := func(label, current string, previous ...string) seal.Box {
		b, err := master(t, current, previous...).Box(label)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	text := box("one use", secretOne).SealText([]byte("plain"), nil)
	for _, tc := range []struct {
		name  string
		box   seal.Box
		opens bool
	}{
		{"by its own", box("one use", secretOne), true},
		{"after the swap", box("one use", secretTwo, secretOne), true},
		{"under another secret", box("one use", secretTwo), false},
		{"for another use", box("another", secretOne), false},
	} {
		if _, err := tc.box.OpenText(text, nil); (err == nil) != tc.opens {
			t.Errorf("%s: %v, want it to open: %v", tc.name, err, tc.opens)
		}
	}
}
